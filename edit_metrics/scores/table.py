"""A score table with what is known of it: the one value that compare, calibration, triage and report start from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edit_metrics.errors import TableError
from edit_metrics.io.sources import parent_of
from edit_metrics.io.tables import json_lines, read_table, with_text_ids
from edit_metrics.scores.checking import checked_scores
from edit_metrics.scores.columns import dimensions_in
from edit_metrics.scores.run_info import RunInfo, read_run_info
from edit_metrics.types import Rejection

if TYPE_CHECKING:
    import pandas as pd

TABLE_NAME: Final = "scores.parquet"
REJECTED_NAME: Final = "rejected.jsonl"
EVIDENCE_NAME: Final = "evidence"


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores, one row an item; not necessarily written by this program.

    Attributes:
        name: how every output calls it.
        frame: with a unique text column ``id``.
        path: the file that was read.
        info: the run's ``run.json``; None for any other table (*unsigned*).
    """

    name: str
    frame: pd.DataFrame
    path: Path
    info: RunInfo | None = None

    @property
    def signed(self) -> bool:
        """Whether the table says how it was made; the caller warns when it does not."""
        return self.info is not None

    @property
    def run_folder(self) -> Path | None:
        """The run folder that it is the table of; None for a table of its own."""
        return self.path.parent if self.path.name == TABLE_NAME else None

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Dimensions that it has scores of, in the rubric's order."""
        return dimensions_in(self.frame.columns)

    @property
    def pictures_root(self) -> str:
        """What its paths start from: the manifest's root as recorded, else its own folder."""
        recorded = None if self.info is None or self.info.manifest is None else self.info.manifest.root
        return recorded or parent_of(str(self.path))

    @property
    def evidence(self) -> Path | None:
        """The folder of evidence pictures beside it; None where there is none."""
        folder = self.path.parent / EVIDENCE_NAME
        return folder if folder.is_dir() else None

    def rejected(self) -> tuple[Mapping[str, Any], ...]:
        """Rows of the manifest that were not scored; none for an unsigned table."""
        file = self.path.parent / REJECTED_NAME
        return tuple(row for _, row in json_lines(file)) if self.signed and file.is_file() else ()


def read_rejections(folder: Path) -> list[Rejection]:
    """The rows that a run did not score: first those of the manifest, then those that decoding rejected."""
    return [Rejection(**row) for _, row in json_lines(folder / REJECTED_NAME)]


def read_scores(run: str | PathLike[str], wanted: Callable[[str], bool] | None = None) -> ScoreTable:
    """A run folder (``scores.parquet`` + ``run.json``), or any table with an ``id`` column, named after its place.

    Args:
        run: the folder or the table.
        wanted: which columns to keep, ``id`` among them; None: all.

    Raises:
        TableError: absent, empty, without ``id``, with ids that are missing or repeated, or with scores that are none.
    """
    path = Path(run)
    if path.is_dir():
        path = path / TABLE_NAME
        if not path.is_file():
            raise TableError(f"{TABLE_NAME} in the run folder", "no such file", str(run), "Has the run finished?")
    frame = with_text_ids(read_table(path, wanted=wanted), path)
    repeated = frame["id"][frame["id"].duplicated()].unique()
    if len(repeated):
        shown = ", ".join(repr(name) for name in repeated[:5])
        raise TableError("unique ids", f"{len(repeated)} repeated: {shown}", str(path))
    info = read_run_info(path.parent) if path.name == TABLE_NAME else None
    return ScoreTable(_short_name(path), checked_scores(frame, path), path, info)


def read_runs(
    paths: Sequence[str | PathLike[str]], wanted: Callable[[str], bool] | None = None
) -> tuple[ScoreTable, ...]:
    """Read runs and name each after its folder or file, or by its whole path where those are equal.

    Args:
        paths: folders or tables.
        wanted: as for :func:`read_scores`.

    Raises:
        TableError: a path without a score table, or a table without unique ids.
    """
    tables = [read_scores(path, wanted) for path in paths]
    counts = Counter(table.name for table in tables)
    names = [str(path) if counts[one.name] > 1 else one.name for path, one in zip(paths, tables, strict=True)]
    seen: Counter[str] = Counter()
    named = []
    for table, name in zip(tables, names, strict=True):
        seen[name] += 1
        # The same run twice is a fair question: does the gate pass a run against itself?
        named.append(replace(table, name=f"{name} ({seen[name]})" if seen[name] > 1 else name))
    return tuple(named)


def _short_name(path: Path) -> str:
    if path.stem != "scores":
        return path.stem
    return path.parent.name or path.parent.resolve().name
