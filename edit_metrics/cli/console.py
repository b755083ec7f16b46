"""Terminal output of every verb: stdout is data, stderr is progress and messages, colours only on a terminal."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Mapping, Sequence
from typing import IO, TYPE_CHECKING, Any

from edit_metrics.printable import printable

if TYPE_CHECKING:
    from rich.console import Console


def make_console(stream: IO[str]) -> Console:
    """A rich console that honours NO_COLOR and writes plain lines, as wide as they are, when piped."""
    from rich.console import Console

    # A pipe has no width; tables cut to 80 columns would lose data there.
    return Console(file=stream, width=None if stream.isatty() else 200, highlight=False, soft_wrap=not stream.isatty())


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, right: Sequence[str] = ()) -> None:
    """Print a table on stdout.

    Args:
        title: one line above it; empty for none.
        columns: headings.
        rows: cells in the order of the headings; floats are shown with 3 decimals, None as an en dash.
        right: headings of the columns to align right; numbers are, without being named.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    numeric = {i for i in range(len(columns)) if rows and all(isinstance(row[i], int | float | None) for row in rows)}
    grid = Table(
        title=Text(printable(title)) if title else None,
        box=SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
    )
    for index, name in enumerate(columns):
        align_right = index in numeric or name in right
        grid.add_column(Text(printable(name)), justify="right" if align_right else "left", overflow="fold")
    for row in rows:
        # Text, not str: what came from a manifest must never be read as markup, nor by the terminal.
        grid.add_row(*(Text(printable(format_cell(cell))) for cell in row))
    make_console(sys.stdout).print(grid)


def format_cell(value: object) -> str:
    """One cell in words: floats with 3 decimals, None as an en dash, the rest as it prints."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)


def say(text: str) -> None:
    """One message line on stderr; a stderr that takes nothing stops no run."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{printable(text)}\n")
        sys.stderr.flush()


def warn(text: str) -> None:
    """One warning line on stderr, which stops no run either."""
    from rich.text import Text

    with contextlib.suppress(OSError, ValueError):
        make_console(sys.stderr).print(Text.assemble(("warning: ", "yellow"), printable(text)), soft_wrap=True)


def emit_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """One JSON document on stdout; a NaN is a bug and raises."""
    # A terminal of another encoding gets JSON's own escapes.
    ascii_only = not (getattr(sys.stdout, "encoding", None) or "utf-8").lower().startswith("utf")
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n")
