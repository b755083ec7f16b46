"""A comparison as JSON (stable, documented in docs/compare.md), CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from edit_metrics.compare.comparison import Comparison
from edit_metrics.compare.differences import Difference
from edit_metrics.compare.markdown import markdown_cell, markdown_table, p_value_text
from edit_metrics.io.tables import write_csv, write_json, write_text

FORMAT: Final = "edit-metrics/comparison"
VERSION: Final = 1
_SHOWN: Final = 20

COLUMNS: Final = ("measure", "run", "reference mean", "mean", "difference", "95 %", "p (Holm)", "W/T/L", "verdict")


def comparison_to_dict(comparison: Comparison) -> dict[str, Any]:
    """The content of ``comparison.json``: the dataclasses' fields under their names."""
    return {"format": FORMAT, "version": VERSION, **asdict(comparison)}


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
        if name == "ranking":
            frame["worse_than"] = [";".join(names) for names in frame["worse_than"]]
        write_csv(frame, folder / f"{name}.csv")
    files = ["comparison.json", "comparison.md", *(f"{name}.csv" for name in tables)]
    return tuple(folder / name for name in files)


def comparison_to_markdown(comparison: Comparison) -> str:
    """What a pull request shows: scores, ranking, what to look at, what to beware of."""
    reference = comparison.runs[0].name
    scores = [found for found in comparison.differences if found.kind != "metric"]
    telling = [found for found in comparison.slices if found.verdict in ("better", "worse")]
    metrics = [found for found in comparison.differences if found.kind == "metric" and found.verdict in _CHANGED]
    parts = [
        f"# Compared with {markdown_cell(reference)}",
        *(f"> {markdown_cell(warning)}" for warning in comparison.warnings),
        markdown_table(COLUMNS, [difference_cells(found) for found in scores]),
        _ranking(comparison),
        _section("Metrics that changed", metrics),
        _section("Slices that differ", telling),
        _flips(comparison),
        _lost(comparison),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


_CHANGED: Final = ("better", "worse", "changed")


def difference_cells(found: Difference) -> list[object]:
    """One row under :data:`COLUMNS`; the first cell names the slice too."""
    interval = None if found.low is None or found.high is None else f"{found.low:+.3f} … {found.high:+.3f}"
    wins = None if found.wins is None else f"{found.wins}/{found.ties}/{found.losses}"
    name = f"{found.measure} [{found.slice}]" if found.slice else found.measure
    difference = None if found.difference is None else f"{found.difference:+.3f}"
    return [
        name,
        found.run,
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
    rows = [[row.measure, row.rank, row.run, row.mean, row.n_items] for row in comparison.ranking]
    note = "Rank = 1 + the number of runs that are significantly better; equal ranks are not separated by the data."
    return f"## Ranking\n\n{note}\n\n{markdown_table(('measure', 'rank', 'run', 'mean', 'items'), rows)}"


def _section(title: str, found: Sequence[Difference]) -> str:
    if not found:
        return ""
    return f"## {title}\n\n{markdown_table(COLUMNS, [difference_cells(row) for row in found])}"


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
