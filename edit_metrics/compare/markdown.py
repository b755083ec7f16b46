"""Markdown tables whose cells may come from a stranger's manifest."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A GitHub-flavoured table: floats with 3 decimals and right-aligned, None as an en dash, text escaped."""
    numeric = [bool(rows) and all(isinstance(row[i], int | float | None) for row in rows) for i in range(len(columns))]
    lines = [
        "| " + " | ".join(columns) + " |",
        "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
        *("| " + " | ".join(markdown_cell(cell) for cell in row) + " |" for row in rows),
    ]
    return "\n".join(lines)


def p_value_text(value: float | None) -> str | None:
    """A p-value as tables show it."""
    if value is None:
        return None
    return "< .001" if value < 0.001 else f"{value:.3f}"


def markdown_cell(value: object) -> str:
    """One cell: no markup, no HTML and no line break of the text survives."""
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.3f}"
    text = " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())
    return re.sub(r"([\\`*_{}\[\]<>|#~!@])", r"\\\1", html.escape(text, quote=False))
