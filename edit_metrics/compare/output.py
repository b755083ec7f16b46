"""A comparison as JSON (stable, documented in docs/compare.md), CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from edit_metrics.compare.comparison import Comparison
from edit_metrics.compare.differences import Difference
from edit_metrics.compare.headline import headlines, notes
from edit_metrics.compare.markdown import markdown_cell, markdown_table, p_value_text
from edit_metrics.compare.ranking import RankRow
from edit_metrics.io.tables import write_csv, write_json, write_text

FORMAT: Final = "edit-metrics/comparison"
VERSION: Final = 1
_SHOWN: Final = 20

COLUMNS: Final = ("measure", "run", "reference mean", "mean", "difference", "95 %", "p (Holm)", "W/T/L", "verdict")
RANKING_COLUMNS: Final = ("measure", "rank", "run", "mean", "items")
MEAN_COLUMNS: Final = ("measure", "mean", "95 %", "items", "groups", "missing")


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """The content of ``comparison.json``: the dataclasses' fields under their names."""
    said = {"headline": headlines(comparison), "notes": notes(comparison)}
    return {"format": FORMAT, "version": VERSION, **asdict(comparison), **said}


def write_comparison(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write ``comparison.json``, ``comparison.md`` and one CSV a list; returns the files."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    tables: dict[str, Sequence[Any]] = {
        "means": comparison.means,
        "differences": comparison.differences,
        "slices": comparison.slices,
        "ranking": comparison.ranking,
        "flips": comparison.flips,
        "newly_missing": comparison.newly_missing,
    }
    write_json(comparison_to_dict(comparison), folder / "comparison.json")
    write_text(comparison_to_markdown(comparison), folder / "comparison.md")
    for name, rows in tables.items():
        frame = pd.DataFrame([asdict(row) for row in rows])
        if name == "ranking" and rows:
            frame["worse_than"] = [";".join(names) for names in frame["worse_than"]]
        write_csv(frame, folder / f"{name}.csv")
    files = ["comparison.json", "comparison.md", *(f"{name}.csv" for name in tables)]
    return tuple(folder / name for name in files)


def comparison_to_markdown(comparison: Comparison) -> str:
    """What a pull request shows: scores, ranking, what to look at, what to beware of."""
    reference = comparison.runs[0].name
    scores = [found for found in comparison.differences if found.kind != "metric"]
    several, telling = comparison.options.baselines > 1, telling_slices(comparison)
    metrics = [found for found in comparison.differences if found.kind == "metric" and found.verdict in _CHANGED]
    parts = [
        f"# Compared with {markdown_cell(reference)}" if scores or metrics else f"# {markdown_cell(reference)}",
        *(markdown_cell(sentence) for sentence in headlines(comparison)),
        *(f"> {markdown_cell(text)}" for text in (*comparison.warnings, *notes(comparison))),
        markdown_table(COLUMNS, [difference_cells(found, against=several) for found in scores]) if scores else "",
        _means(comparison) if len(comparison.runs) == 1 else "",
        _ranking(comparison),
        _section("Metrics that changed", metrics, several),
        _section("Slices that differ", telling, several),
        _flips(comparison),
        _lost(comparison),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def telling_slices(comparison: Comparison) -> list[Difference]:
    """Slices in which a run is better or worse: first those that the whole does not tell, each part by size."""
    whole = {(one.measure, one.run, one.reference): one.verdict for one in comparison.differences}
    found = [one for one in comparison.slices if one.verdict in ("better", "worse")]

    def order(one: Difference) -> tuple[bool, float]:
        return whole.get((one.measure, one.run, one.reference)) == one.verdict, -abs(one.difference or 0.0)

    return sorted(found, key=order)


_CHANGED: Final = ("better", "worse", "changed")


def difference_cells(found: Difference, *, against: bool = False) -> list[object]:
    """One row under :data:`COLUMNS`; the first cell names the slice too.

    Args:
        found: the row.
        against: there are several baselines, so that the run's cell names its own.
    """
    interval = None if found.low is None or found.high is None else f"{found.low:+.3f} … {found.high:+.3f}"
    wins = None if found.wins is None else f"{found.wins}/{found.ties}/{found.losses}"
    name = f"{found.measure} [{found.slice}]" if found.slice else found.measure
    difference = None if found.difference is None else f"{found.difference:+.3f}"
    return [
        name,
        f"{found.run} against {found.reference}" if against else found.run,
        found.reference_mean,
        found.mean,
        difference,
        interval,
        p_value_text(found.p_holm),
        wins,
        _say(found),
    ]


def _say(found: Difference) -> str:
    words = found.verdict.replace("_", " ")
    if found.equivalent and found.verdict in ("better", "worse"):
        words += f", within ±{found.margin:g}"
    return f"{words}; {found.newly_missing:g} newly missing" if found.newly_missing else words


def _ranking(comparison: Comparison) -> str:
    if len(comparison.runs) < 3:
        return ""
    note = (
        "Ranks from 1 + the number of runs that are significantly better, to the number of runs − those that are "
        f"significantly worse: all of them hold at once with {comparison.options.confidence:.0%} confidence."
    )
    return f"## Ranking\n\n{note}\n\n{markdown_table(RANKING_COLUMNS, ranking_rows(comparison))}"


def ranking_rows(comparison: Comparison) -> list[list[object]]:
    """Rows under :data:`RANKING_COLUMNS`."""
    return [[row.measure, _ranks(row), row.run, row.mean, row.n_items] for row in comparison.ranking]


def _ranks(row: RankRow) -> str | None:
    if row.rank is None or row.rank_high is None:
        return None
    return str(row.rank) if row.rank == row.rank_high else f"{row.rank}–{row.rank_high}"


def mean_rows(comparison: Comparison) -> list[list[object]]:
    """Rows under :data:`MEAN_COLUMNS`: scores first, metrics after them."""
    return [
        [
            one.measure,
            one.mean,
            None if one.low is None or one.high is None else f"{one.low:.3f} … {one.high:.3f}",
            one.n_items,
            one.n_groups,
            one.missing,
        ]
        for one in comparison.means
    ]


def _means(comparison: Comparison) -> str:
    return markdown_table(MEAN_COLUMNS, mean_rows(comparison))


def _section(title: str, found: Sequence[Difference], several: bool) -> str:
    if not found:
        return ""
    return f"## {title}\n\n{markdown_table(COLUMNS, [difference_cells(row, against=several) for row in found])}"


def _flips(comparison: Comparison) -> str:
    failing = [row for row in comparison.flips if row.change == "now_fails"]
    rows = [[row.measure, row.run, row.id, row.reference_score, row.score] for row in failing]
    title = (
        f"Items that passed in {markdown_cell(comparison.runs[0].name)} and now fail, at {comparison.options.pass_at:g}"
    )
    return _list(title, ("measure", "run", "id", "was", "is"), rows)


def _lost(comparison: Comparison) -> str:
    rows = [[row.measure, row.run, row.id, row.status, row.reason] for row in comparison.newly_missing]
    return _list("Scores that are newly missing", ("measure", "run", "id", "status", "reason"), rows)


def _list(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    if not rows:
        return ""
    more = f"\n\nand {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"## {title} ({len(rows)})\n\n{markdown_table(columns, rows[:_SHOWN])}{more}"


def unmatched_lines(comparison: Comparison) -> Iterable[str]:
    """A sentence for each run that has items without a partner."""
    reference = comparison.runs[0].name
    for row in comparison.unmatched:
        if row.only_reference or row.only_run:
            yield (
                f"{row.run}: {len(row.only_reference)} items only in {reference}, {len(row.only_run)} only in {row.run}"
            )
