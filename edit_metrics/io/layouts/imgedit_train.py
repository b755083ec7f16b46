"""ImgEdit's training tables (arXiv 2505.20275): paths and words in Parquet, the pictures in archives to be unpacked.

    PATH/[Parquet/]TASK[_partN].parquet     one turn:   input_images, output_images (lists of paths), prompt
                                            turns:      data, a list of {input_images, output_images, prompt}
    PICTURES/[Singleturn/|Multiturn/]…      where those paths lead once NAME.tar.split.* are joined and unpacked

From the README of PKU-YuanGroup/ImgEdit (Data Format, Download Dataset): the columns, their types and the folders.
From projects that read all 37 tables, ImgEdit's own text being silent: that a first turn may have words alone
(``content_memory``: they hold for all turns that follow), that ``action`` names files without their folder, that
``reference_replace`` has two pictures to start from, and the archives of :data:`_UNPACKED`. A turn's source is the
picture that the table names, not the edit before it: in ``version_backtracking`` that edit is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from edit_metrics.errors import ManifestError
from edit_metrics.io.hf_cells import MISSING, plain_metadata, text_cell
from edit_metrics.io.hf_columns import EDIT_COLUMNS, TURNS, has_turns
from edit_metrics.io.hf_rows import HfTable
from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem, below, shared_missing
from edit_metrics.io.layouts.hf_parquet import parquet_tables
from edit_metrics.types import ManifestRow

_TASKS: Final = frozenset({
    "action", "add", "adjust_canny", "background", "hybrid", "reference_extract", "reference_replace", "remove",
    "replace", "style_transfer",
})  # fmt: skip
"""Single-turn tasks: the names of the tables. A table of turns says what its conversations are about, not its edits."""
_PART: Final = re.compile(r"_(part\d+)$")
_UNPACKED: Final = {
    "replace": "results",
    "results_content_understanding_part2": "mnt/data/lzj/codes/shitedit_comfyui/results_content_understanding_part2",
}
"""First folder of a path → what the archive calls it, where the two differ."""
_INFEASIBLE: Final = "row kept: it will be scored as infeasible"


@dataclass(slots=True)
class _Pictures:
    """Where the pictures of a table lie.

    Attributes:
        roots: folders that archives may have been unpacked into.
        part: of the table, ``part1``; None: it is whole.
    """

    roots: tuple[Path, ...]
    part: str | None
    _homes: dict[str, Path] = field(default_factory=dict)

    def find(self, relative: object) -> Path:
        """The picture, or where it should be; ValueError for what is no path, or leaves the folder."""
        below(self.roots[0], relative)
        path = Path(str(relative))
        if len(path.parts) == 1 and self.part is not None and (self._home(self.part) / self.part).is_dir():
            path = Path(self.part) / path
        first = path.parts[0]
        other = _UNPACKED.get(first)
        if other is not None and not (self._home(first) / first).is_dir() and (self._home(other) / other).is_dir():
            first, path = other, Path(other, *path.parts[1:])
        return self._home(first) / path

    def _home(self, first: str) -> Path:
        """The root that has the folder or file; the first one where none has it. Looked for once."""
        if first not in self._homes:
            self._homes[first] = next((root for root in self.roots if (root / first).exists()), self.roots[0])
        return self._homes[first]


@layout("imgedit-train")
def read_imgedit_train(path: Path, *, files: Path, pictures: Path | None = None, model: str | None = None) -> Converted:
    """Read ImgEdit's training tables: a row an edit, so several for a conversation.

    Args:
        path: a table, or a folder of tables; the data set's own folder is read from its ``Parquet/``.
        files: folder beside the manifest; nothing is written there, a picture that no cell names is looked for there.
        pictures: what the archives were unpacked into; None: the table's folder, or the one above it.
        model: what the edits are called.

    Raises:
        ManifestError: no table, one with other columns, or none of the pictures to start from.
    """
    folder = path / "Parquet"
    rows: list[ManifestRow[Path]] = []
    problems: list[Problem] = []
    for table in parquet_tables(folder if folder.is_dir() else path):
        turns = _check(table)
        where_from = _roots(table.path, pictures)
        part = _PART.search(table.path.stem)
        place = _Pictures(where_from, part.group(1) if part else None)
        for number, record in enumerate(table.rows):
            rows += _rows(table.path, number, record, turns, place, files / MISSING, model, problems)
    if rows and not any(row.source.is_file() for row in rows):
        raise ManifestError(
            "the pictures of the tables, unpacked",
            f"none of {len(rows)}",
            str(rows[0].source),
            "Join and unpack their archives (cat NAME.tar.split.* | tar x) beside the tables, or name the folder: "
            "--pictures DIR.",
        )
    gone = [problem for problem in shared_missing(rows) if not problem.where.startswith(str(files / MISSING))]
    return Converted(tuple(rows), (*problems, *gone))


def _check(table: HfTable) -> bool:
    """Whether a row is a conversation."""
    if has_turns(table.schema):
        return True
    if not set(EDIT_COLUMNS) <= set(table.schema.names):
        columns = ", ".join(f"{column.name} ({column.type})" for column in table.schema)
        raise ManifestError(
            f"ImgEdit's columns {', '.join(EDIT_COLUMNS)}, or {TURNS}: a list of them",
            columns[:300],
            str(table.path),
            "Another table is read by the format hf-parquet; name its columns there: --column source=COLUMN "
            "--column edited=COLUMN --column instruction=COLUMN.",
        )
    return False


def _roots(table: Path, pictures: Path | None) -> tuple[Path, ...]:
    bases = [table.parent, table.parent.parent] if pictures is None else [pictures]
    return tuple(base / name for base in bases for name in ("", "Singleturn", "Multiturn"))


def _rows(
    table: Path,
    number: int,
    record: Mapping[str, Any],
    turns: bool,
    place: _Pictures,
    nowhere: Path,
    model: str | None,
    problems: list[Problem],
) -> Iterator[ManifestRow[Path]]:
    where, name = f"{table.name}: row {number}", f"{table.stem}_{number:06d}"
    task = _PART.sub("", table.stem)
    further, infinite = plain_metadata({k: v for k, v in record.items() if k not in (*EDIT_COLUMNS, TURNS)})
    if infinite:
        problems.append(Problem(where, name, f"∞ in {', '.join(infinite)}", "row kept: without those cells"))
    edits = [edit or {} for edit in record[TURNS] or ()] if turns else [record]
    if not edits:
        problems.append(Problem(where, name, "no turns", "skipped"))
    words = edits[0].get("prompt") if turns and len(edits) > 1 and not _named(edits[0]) else None
    if isinstance(words, str) and words.strip():
        # Words without pictures: no edit, but no later turn can be read without them.
        further["standing_instruction"] = words
        edits = edits[1:]
    for turn, edit in enumerate(edits, start=1):
        row_id = f"{name}_turn{turn}" if turns else name
        paths = {}
        for key, column in (("source", "input_images"), ("edited", "output_images")):
            paths[key] = _paths(edit, column, place, where, row_id, problems)
            if not paths[key]:
                problems.append(Problem(where, row_id, f"{key}: no picture", _INFEASIBLE))
                paths[key] = (nowhere / f"{row_id}_{key}.png",)
        if len(paths["edited"]) > 1:
            what = f"edited: {len(paths['edited'])} pictures"
            problems.append(Problem(where, row_id, what, "row kept: with the first"))
        yield ManifestRow(
            id=row_id,
            source=paths["source"][0],
            edited=paths["edited"][0],
            # Of several pictures to start from, the first is the source.
            references=paths["source"][1:],
            instruction=_text(edit, where, row_id, problems),
            edit_type=task if task in _TASKS and not turns else None,
            model=model,
            group=name if turns else None,
            metadata={**further, **({"task": task, "turn": turn} if turns else {})},
        )


def _named(edit: Mapping[str, Any]) -> bool:
    return any(_flat(edit.get(column)) for column in ("input_images", "output_images"))


def _flat(cell: object) -> list[object]:
    """Paths of a cell, however deep its lists; without the empty ones."""
    if isinstance(cell, list):
        return [one for part in cell for one in _flat(part)]
    return [] if cell is None or cell == "" else [cell]


def _paths(
    edit: Mapping[str, Any], column: str, place: _Pictures, where: str, row_id: str, problems: list[Problem]
) -> tuple[Path, ...]:
    found = []
    for one in _flat(edit.get(column)):
        try:
            found.append(place.find(one))
        except ValueError as error:
            problems.append(Problem(where, row_id, f"{column}: {error}", "row kept: without that picture"))
    return tuple(found)


def _text(edit: Mapping[str, Any], where: str, row_id: str, problems: list[Problem]) -> str | None:
    try:
        text = text_cell(edit.get("prompt"))
        what = "" if text else "no prompt"
    except ValueError as error:
        text, what = None, f"prompt: {error}"
    if what:
        problems.append(Problem(where, row_id, what, "row kept: it will be rejected"))
    return text
