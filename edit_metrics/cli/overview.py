"""The end of `score`: at most 25 lines of 80 columns. Everything else is in `show`."""

from __future__ import annotations

import shlex
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edit_metrics.printable import printable

if TYPE_CHECKING:
    from edit_metrics.scores.items import Item
    from edit_metrics.scores.run_info import RunInfo
    from edit_metrics.scores.summary import Coverage, Summary

WIDTH: Final = 80
LINES: Final = 25
WORST: Final = 5
_MOST_GAPS: Final = 2
_NAME: Final = 24  # columns of an item's id
_PLACE: Final = 20  # columns of a run's path that may stand in a command line of this width


def print_overview(info: RunInfo, summary: Summary, worst: Iterable[Item], out: Path) -> None:
    """What was scored, eight dimensions, the five worst items in words, what is missing, the next command."""
    sys.stdout.write("\n".join(overview_lines(info, summary, list(worst), out)) + "\n")


def overview_lines(info: RunInfo, summary: Summary, worst: list[Item], out: Path) -> list[str]:
    """The lines of :func:`print_overview`, none wider than ``WIDTH``."""
    from edit_metrics.scores.gaps import gaps_in

    place = shlex.quote(str(out))
    run = place if len(place) <= _PLACE else "RUN"
    lines = [*_head(info, summary), "", f"{'dimension':<14}{'items':>7}{'mean':>7}{'confidence':>12}  without a score"]
    lines += [_dimension(one) for one in summary.dimensions]
    if worst:
        lines += ["", "Look at these first:"]
        lines += [_item(place, item) for place, item in enumerate(worst, start=1)]
    end = [] if run == place else [f"RUN is {place if len(place) <= WIDTH - 7 else f'…{place[-(WIDTH - 8) :]}'}"]
    end += _wrapped(f"Next: edit-metrics report {run}   ·   why: edit-metrics show {run} ID   ·   all: --verbose")
    gaps = [_wrapped(f"Missing: {gap}") for gap in gaps_in(summary, run)[:_MOST_GAPS]]
    while gaps and len(lines) + 1 + sum(map(len, gaps)) + len(end) > LINES:
        gaps.pop()
    return [*lines, "", *(line for gap in gaps for line in gap), *end]


def _head(info: RunInfo, summary: Summary) -> list[str]:
    from edit_metrics.scores.words import flag_in_words

    counts, seconds = info.totals
    rejected = f", {counts.rejected} rejected" if counts.rejected else ""
    took = f"in {seconds.total:.1f} s by {info.profile!r}"
    first = f"{counts.scored} of {counts.rows} edits scored{rejected} {took}"
    flags = ", ".join(f"{n} {flag_in_words(name)}" for name, n in summary.flags)
    return [_cut(f"{first}."), *([_cut(f"Flagged: {flags}.")] if flags else [])]


def _dimension(one: Coverage) -> str:
    mean, confidence = ("–" if value is None else f"{value:.2f}" for value in (one.mean, one.confidence))
    missing = ", ".join(f"{cause.n} {cause.reason or cause.status}" for cause in one.missing[:2])
    return _cut(f"{one.name:<14}{one.n:>7}{mean:>7}{confidence:>12}  {missing}".rstrip())


def _item(place: int, item: Item) -> str:
    from edit_metrics.scores.sentences import worst_in_words

    return _cut(f"{place} {printable(item.id):<{_NAME}.{_NAME}} {printable(worst_in_words(item))}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(printable(text), WIDTH, subsequent_indent="  ", break_on_hyphens=False)


def _cut(line: str) -> str:
    line = printable(line)
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"
