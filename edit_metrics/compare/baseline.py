"""An accepted baseline: what the gate reads, small enough to commit, with a summary that a diff can show.

scores.parquet   names, dimensions, overall scores and flags; no metrics, no pictures
run.json         of a signed run: signatures and versions, no times; equal runs give equal bytes
summary.txt      the same baseline in words and numbers, in an order that stays
accepted.json    who comes after can read: why it was accepted, when, at which commit, and what the gate said
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edit_metrics.compare.differences import group_mean, n_groups
from edit_metrics.compare.gate import run_gate
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.gate_output import headline
from edit_metrics.compare.measures import Declared
from edit_metrics.compare.pairing import numbers, to_units
from edit_metrics.errors import SignatureError, TableError, UserError
from edit_metrics.io.tables import write_json, write_parquet, write_text
from edit_metrics.scores.cells import column_of_codes
from edit_metrics.scores.columns import FLAGS, OVERALL, DimensionColumns
from edit_metrics.scores.judging import SELECTED_BY, UNANSWERED
from edit_metrics.scores.run_info import RUN_INFO_NAME
from edit_metrics.scores.table import REJECTED_NAME, TABLE_NAME, ScoreTable
from edit_metrics.types import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

FORMAT: Final = "edit-metrics/accepted"
VERSION: Final = 1
SUMMARY_NAME: Final = "summary.txt"
ACCEPTED_NAME: Final = "accepted.json"
_TEXT: Final = ("id", "group", "model", "edit_type", "instruction", "source", "edited", SELECTED_BY, UNANSWERED)


@dataclass(frozen=True, slots=True)
class Accepted:
    """``accepted.json``.

    Attributes:
        verdict: the gate's outcome against the baseline that was replaced; ``first`` where there was none,
            ``not_comparable`` where the two cannot be held against each other (other definitions, other items).
        said: the gate's headline, or why there is none.
        baseline: what it was held against; None for the first.
        commit: of the repository, where it is known.
        date: UTC, ISO 8601, a day.
    """

    candidate: str
    verdict: str
    said: str
    reason: str
    baseline: str | None
    commit: str | None
    date: str


def accept(
    candidate: ScoreTable,
    folder: Path,
    baseline: ScoreTable | None,
    config: GateConfig,
    *,
    reason: str,
    commit: str | None,
    date: str,
    declared: Declared | None = None,
    pair_by: Sequence[str] = ("id",),
) -> Accepted:
    """Write a run as the baseline, whatever the gate says of it, and record what it said.

    Args:
        candidate: the run.
        folder: made when absent; a baseline that is there is replaced.
        baseline: what it is held against; None: it is the first.
        config: of that gate.
        reason: why it is accepted.
        commit: of the repository.
        date: of today.
        declared: columns of other programs that are judged, and kept.
        pair_by: columns that pair, and are kept.

    Raises:
        UserError: no reason, or a folder that holds something else than a baseline.
    """
    if not reason.strip():
        raise UserError("--reason TEXT: why this run is the new baseline", "an empty text")
    _check_folder(candidate, folder)
    verdict, said = _verdict(candidate, baseline, config, declared, pair_by)
    extra = (*pair_by, *(declared.names if declared else ()), *(config.by or ()))
    write_baseline(candidate, folder, extra)
    write_text(summary(candidate), folder / SUMMARY_NAME)
    name = None if baseline is None else baseline.name
    accepted = Accepted(candidate.name, verdict, said, reason.strip(), name, commit, date)
    write_json({"format": FORMAT, "version": VERSION, **asdict(accepted)}, folder / ACCEPTED_NAME)
    return accepted


def write_baseline(run: ScoreTable, folder: Path, extra_columns: tuple[str, ...] = ()) -> Path:
    """Write ``scores.parquet`` and, for a signed run, ``run.json``.

    Args:
        run: the accepted run.
        folder: made when absent; a baseline that is there is replaced.
        extra_columns: columns to keep beside the dimensions (paired or judged by).

    Returns:
        The folder.
    """
    dimensions = [column for name in DIMENSIONS for column in DimensionColumns(name).all]
    wanted = dict.fromkeys([*_TEXT, *extra_columns, *dimensions, *OVERALL, FLAGS])
    write_parquet(run.frame[[name for name in wanted if name in run.frame.columns]], folder / TABLE_NAME)
    if run.info is None:
        # An earlier signed baseline's run.json would sign scores that it did not make.
        (folder / RUN_INFO_NAME).unlink(missing_ok=True)
    else:
        run.info.of_a_baseline().write(folder)
    return folder


def summary(run: ScoreTable) -> str:
    """The baseline as text: a line for each dimension, flag, and kind of edit; no times, no places."""
    units = to_units(run, ("id",))
    info = run.info
    lines = [
        "# An accepted baseline; scores.parquet beside it is what the gate reads, accepted.json says why.",
        f"profile  {info.profile if info else '(unsigned)'}",
        f"items    {len(run.frame)}",
        f"groups   {len(units.labels)}",
        "",
        *_aligned([_HEAD, *_rows(run, units.codes, np.ones(len(run.frame), dtype=bool))]),
    ]
    counted = Counter(flag for cell in column_of_codes(run.frame, FLAGS) for flag in set(cell))
    if FLAGS in run.frame.columns:
        lines += ["", *_aligned([("flag", "items"), *((flag, str(n)) for flag, n in sorted(counted.items()))])]
    for kind in _kinds(run.frame):
        chosen = np.asarray(run.frame["edit_type"].astype("str") == kind) & np.asarray(run.frame["edit_type"].notna())
        lines += ["", f"edit_type {kind}", *_aligned([_HEAD, *_rows(run, units.codes, chosen)])]
    return "\n".join(lines) + "\n"


_HEAD: Final = ("dimension", "mean", "items", "groups", "missing", "signature")


def _rows(
    run: ScoreTable,
    codes: np.ndarray[tuple[int], np.dtype[np.intp]],
    chosen: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> Iterable[tuple[str, ...]]:
    for name in run.dimensions:
        values = numbers(run, DimensionColumns(name).score)
        there = np.isfinite(values) & chosen
        mean = group_mean(values[there], codes[there])
        signature = run.info.score_signature.get(name) if run.info else None
        yield (
            name,
            "–" if mean is None else f"{mean:.4f}",
            str(int(there.sum())),
            str(n_groups(codes[there]) if there.any() else 0),
            str(int((chosen & ~there).sum())),
            signature.short if signature else "–",
        )


def _kinds(frame: pd.DataFrame) -> list[str]:
    return sorted(frame["edit_type"].dropna().astype("str").unique()) if "edit_type" in frame.columns else []


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width, of at least ten, so that one longer number does not move every line."""
    widths = [max(10, *(len(row[i]) for row in rows)) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _verdict(
    candidate: ScoreTable,
    baseline: ScoreTable | None,
    config: GateConfig,
    declared: Declared | None,
    pair_by: Sequence[str],
) -> tuple[str, str]:
    if baseline is None:
        return "first", "there was no baseline"
    try:
        result = run_gate(baseline, candidate, config, declared, pair_by)
    except (SignatureError, TableError) as error:
        # New definitions or a new benchmark: the case in which a new baseline is needed most.
        return "not_comparable", str(error)
    return result.outcome.value, headline(result)


def _check_folder(candidate: ScoreTable, folder: Path) -> None:
    if candidate.path.resolve() == (folder / TABLE_NAME).resolve():
        raise UserError("--into a folder of its own", "the candidate's own folder", str(folder))
    if (folder / TABLE_NAME).is_file() and (folder / REJECTED_NAME).exists():
        raise UserError("--into a folder with a baseline, or a new one", "a run folder", str(folder))
