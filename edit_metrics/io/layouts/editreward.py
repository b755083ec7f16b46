"""EditReward-Bench (arXiv 2509.26346): pairs of edits with people's preference, to one row an edit.

    PATH/…/*.parquet or *.arrow     id, dataset (2pair, 3pair, 4pair), comparison_type (AvsB, AvsC, …), instruction,
                                    source_image, candidate_1, candidate_2, ranking (A>B, A=B, …)
                                    [, model_1, model_2, score_1, score_2]

An edit that stands in several pairs is one row, ``GROUP/A``; a group is what the ids of its pairs begin with. The pairs
that it stands in travel with it: ``pairs`` (``A>B;C>A``), beside ``subset`` and, where the set has it, ``human_score``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import ManifestError
from edit_metrics.io.hf_cells import MISSING, picture_cell, plain_metadata, text_cell
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem, shared_missing
from edit_metrics.io.layouts.hf_arrow import arrow_tables
from edit_metrics.io.layouts.hf_parquet import parquet_tables
from edit_metrics.types import ManifestRow

_NEEDED: Final = ("id", "instruction", "source_image", "candidate_1", "candidate_2", "ranking")
_LETTERS: Final = re.compile(r"([A-Z])vs([A-Z])")


@layout("editreward")
def read_editreward(path: Path, *, files: Path) -> Converted:
    """Read EditReward-Bench.

    Args:
        path: the data set's folder, or one of its files.
        files: folder for the pictures, which the data set holds in its tables.

    Raises:
        ManifestError: no data set, or another one.
    """
    arrow = path.suffix == ".arrow" or (path.is_dir() and not any(path.rglob("*.parquet")))
    known: dict[str, ManifestRow[Path]] = {}
    pairs: dict[str, list[str]] = {}
    problems: list[Problem] = []
    for table in arrow_tables(path) if arrow else parquet_tables(path):
        lacking = [name for name in _NEEDED if name not in table.schema.names]
        if lacking:
            raise ManifestError("EditReward-Bench's columns", f"none named {', '.join(lacking)}", str(table.path))
        for number, record in enumerate(table.rows):
            where = f"{table.path.name}: row {number}"
            for row in _edits(record, where, table.path.parent, files, problems):
                first = known.setdefault(row.id, row)
                if first.edited != row.edited:
                    problems.append(
                        Problem(where, row.id, "another picture than in an earlier pair", "row kept: with the first")
                    )
                pairs.setdefault(row.id, []).append(str(record["ranking"]))
    rows = [_with_pairs(row, pairs[name]) for name, row in known.items()]
    nowhere = str(files / MISSING)
    gone = [problem for problem in shared_missing(rows) if not problem.where.startswith(nowhere)]
    return Converted(tuple(rows), (*problems, *gone))


def _edits(
    record: Mapping[str, Any], where: str, folder: Path, files: Path, problems: list[Problem]
) -> list[ManifestRow[Path]]:
    try:
        name = text_cell(record["id"]) or where
        instruction = text_cell(record["instruction"])
        subset = text_cell(record.get("dataset"))
    except ValueError as error:
        problems.append(Problem(where, None, str(error), "skipped"))
        return []
    letters = _LETTERS.fullmatch(str(record.get("comparison_type") or "AvsB"))
    if letters is None:
        problems.append(Problem(where, name, f"a comparison_type {record.get('comparison_type')!r}", "skipped"))
        return []
    group = name.split("_", 1)[0]
    rows = []
    for number, letter in enumerate(letters.groups(), start=1):
        identity = f"{group}/{letter}"
        pictures: dict[str, Path] = {}
        for field, column in (("source", "source_image"), ("edited", f"candidate_{number}")):
            cell = picture_cell(record[column], folder, files)
            if cell.path is None:
                problems.append(
                    Problem(where, identity, f"{column}: {cell.problem}", "row kept: it will be scored as infeasible")
                )
            pictures[field] = cell.path or files / MISSING / f"{group}_{letter}_{field}.png"
        told = {"subset": subset, "human_score": record.get(f"score_{number}")}
        rows.append(
            ManifestRow(
                id=identity,
                source=pictures["source"],
                edited=pictures["edited"],
                instruction=instruction,
                model=_model(record.get(f"model_{number}")),
                group=group,
                metadata=plain_metadata(told)[0],
            )
        )
    return rows


def _model(value: object) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _with_pairs(row: ManifestRow[Path], rankings: list[str]) -> ManifestRow[Path]:
    return replace(row, metadata={**row.metadata, "pairs": ";".join(dict.fromkeys(rankings))})
