"""One item in one sentence: what a person reads before they look, on the page, on the terminal and in a notebook."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from edit_metrics.errors import TableError, suggest
from edit_metrics.printable import printable
from edit_metrics.scores.cells import number, text
from edit_metrics.scores.codes import NO_ORDER, UNVALIDATED
from edit_metrics.scores.columns import GRIDS, metrics_in, short_name
from edit_metrics.scores.items import Item, fear
from edit_metrics.scores.words import flag_in_words, in_words, status_in_words

if TYPE_CHECKING:
    import pandas as pd

OVERALL: Final = "overall"
NATIVE: Final = "native"
_ABOUT_TRUST: Final = (UNVALIDATED, NO_ORDER)
"""Reasons that every score of a kind carries."""
_ABOUT_METRICS: Final = ("low_", "missing_", "near_")
"""Reasons that name a measurement, not the picture."""


def worst_in_words(item: Item) -> str:
    """Why an item is among the worst: its flags, or its weakest dimension, with the first reason; else what is missing.

    Returns:
        For example ``Preservation 0.12: The change reaches far outside of the mask.``
    """
    scored = [(one.score, name) for name, one in item.scores.items() if one.score is not None]
    weakest = min(scored, default=None)
    if item.flags:
        head = _capital(", ".join(flag_in_words(flag) for flag in item.flags))
        reasons = () if weakest is None else item.scores[weakest[1]].reasons
        # What pulled the score down is what the flag says already; a fact beside it (a broken file) is news.
        known = {*item.flags, *_ABOUT_TRUST}
        news = [code for code in reasons if not code.startswith(_ABOUT_METRICS) and code not in known]
        return _with_reason(head, tuple(news))
    if weakest is None:
        causes = [*item.broken, *item.unscored]
        if not causes:
            return "Nothing was scored."
        return _with_reason(f"Not scored, {status_in_words(causes[0].status)}", causes[0].reasons)
    score, name = weakest
    reasons = item.scores[name].reasons
    # First what pulled it down or what is known of the item, not which of several measurements is missing, nor what is
    # true of all scores of the kind.
    telling = [code for code in reasons if not code.startswith("missing_") and code not in _ABOUT_TRUST]
    return _with_reason(f"{_capital(name)} {score:.2f}", tuple(telling or reasons))


def _most_feared(item: Item) -> tuple[float, str] | None:
    """The score and name of the dimension that gives the most to fear, as the queue sees it: low, and to be believed.

    Where no score is to be believed, the lowest; a foreign table's scores, without a confidence, are believed.
    """
    scored = [(one.score, name, one.confidence) for name, one in item.scores.items() if one.score is not None]
    if not scored:
        return None
    trusted = [fear(score, 1.0 if trust is None else trust) for score, _, trust in scored]
    place = trusted.index(max(trusted)) if any(trusted) else min(range(len(scored)), key=lambda i: scored[i][0])
    return scored[place][0], scored[place][1]


def score_of(item: Item, name: str) -> float | None:
    """The score of a dimension; of ``overall``: the weakest dimension's."""
    return item.overall if name == OVERALL else item.scores[name].score


def reasons_in_words(item: Item, name: str) -> str:
    """Why a dimension has the score it has; of ``overall``: the item's sentence."""
    return worst_in_words(item) if name == OVERALL else " ".join(map(in_words, item.scores[name].reasons))


def lowest(items: Sequence[Item], name: str, n: int) -> list[Item]:
    """The items with the lowest scores of a dimension, lowest first; those without a score are left out.

    Args:
        items: of one table.
        name: a dimension, or ``overall``.
        n: at most so many.

    Raises:
        TableError: the table has no such dimension.
    """
    known = [*(items[0].scores if items else ()), OVERALL]
    if name not in known:
        raise TableError(f"a dimension: {', '.join(known)}", repr(name), todo=suggest(name, known))
    scored = [(score, place) for place, item in enumerate(items) if (score := score_of(item, name)) is not None]
    return [items[place] for _, place in sorted(scored)[:n]]


def explain_in_words(item: Item, frame: pd.DataFrame) -> str:
    """One item on a screen: what was asked, why it is where it is in the queue, each dimension with what it rests on.

    Args:
        item: of the table.
        frame: the table, for the measurements.
    """
    row = frame[frame["id"].astype(str) == item.id].iloc[0]
    head = [item.id, *([f"“{item.instruction}”"] if item.instruction else []), worst_in_words(item)]
    lines = ["  ".join(head)]
    if item.priority is not None:
        front = " ".join(map(in_words, item.priority_reasons))
        lines.append(f"Place {item.priority} of {len(frame)} in the queue. {front}".rstrip())
    grids = text(row.get(GRIDS)) or NATIVE
    if grids != NATIVE:
        lines.append(f"Measured on smaller pictures ({grids}); docs/metrics.md says which columns are.")
    if item.evidence:
        lines.append(f"Checks: {item.evidence}")
    for name, one in item.scores.items():
        confidence = "" if one.confidence is None else f" (confidence {one.confidence:.2f})"
        score = "–   " if one.score is None else f"{one.score:.2f}"
        why = " ".join(map(in_words, one.reasons))
        status = "" if one.score is not None else f"{_capital(status_in_words(one.status))}. "
        lines.append(f"{name:<13}{score}{confidence}  {status}{why}".rstrip())
        metrics = [metric for metric in metrics_in(frame.columns) if metric.startswith(f"{name}.")]
        values = {short_name(metric): number(row[metric]) for metric in metrics}
        shown = ", ".join(f"{metric} {value:.4g}" for metric, value in values.items() if value is not None)
        if shown and one.score is not None:
            lines += textwrap.wrap(shown, 100, initial_indent=" " * 13, subsequent_indent=" " * 13)
    # Ids, instructions and what a check read come from strangers: a line of theirs is no line of ours.
    return "\n".join(map(printable, lines))


def _with_reason(head: str, reasons: tuple[str, ...]) -> str:
    return f"{head}: {in_words(reasons[0])}" if reasons else f"{head}."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
