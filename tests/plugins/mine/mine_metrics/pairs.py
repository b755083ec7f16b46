"""``NAME_before.png``, ``NAME_after.png`` and what was asked in ``NAME.txt``, side by side in one folder."""

from __future__ import annotations

from pathlib import Path

from edit_metrics.io.layout import layout
from edit_metrics.io.layout_rows import Converted, Problem
from edit_metrics.types import ManifestRow


@layout("mine.pairs")
def read_pairs(path: Path, *, model: str | None = None) -> Converted:
    """Read such a folder; a pair without its text is skipped, and said."""
    rows, problems = [], []
    for before in sorted(path.glob("*_before.png")):
        name = before.name.removesuffix("_before.png")
        text = path / f"{name}.txt"
        if not text.is_file():
            problems.append(Problem(str(text), name, "expected a text, got no such file", "skipped"))
            continue
        after = path / f"{name}_after.png"
        rows.append(ManifestRow(name, before, after, text.read_text(encoding="utf-8").strip(), model=model))
    return Converted(tuple(rows), tuple(problems))
