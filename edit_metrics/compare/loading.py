"""Run folders and score tables as named runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from edit_metrics.compare.pairing import Run
from edit_metrics.io.tables import read_scores


def load_runs(paths: Sequence[str | PathLike[str]]) -> tuple[Run, ...]:
    """Read runs and name each after its folder or file, or by its whole path where those are equal.

    Raises:
        TableError: a path without a score table, or a table without unique ids.
    """
    names = [_short_name(Path(path)) for path in paths]
    counts = Counter(names)
    names = [str(path) if counts[name] > 1 else name for path, name in zip(paths, names, strict=True)]
    seen: Counter[str] = Counter()
    runs = []
    for path, name in zip(paths, names, strict=True):
        table = read_scores(Path(path))
        seen[name] += 1
        # The same run twice is a fair question: does the gate pass a run against itself?
        distinct = f"{name} ({seen[name]})" if seen[name] > 1 else name
        runs.append(Run(distinct, table.frame, table.path, table.run_info))
    return tuple(runs)


def _short_name(path: Path) -> str:
    if path.suffix and path.stem != "scores":
        return path.stem
    folder = path.parent if path.suffix else path
    return folder.name or folder.resolve().name
