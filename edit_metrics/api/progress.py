"""How far a call of `score` is: a bar on a terminal, a line of a cell in a notebook, nothing elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from edit_metrics.engine.job import Progress, Silent

_EVERY: Final = 0.2
"""Seconds between two drawings of a notebook's bar: every drawing is a message to the browser."""


class Shown(Progress, AbstractContextManager[Progress], Protocol):
    """A progress that is open for the time of a call."""


def shown_progress(asked: bool | None) -> Shown:
    """The bar for where this runs.

    Args:
        asked: None: a bar in a notebook and on a terminal, else none.
    """
    notebook = in_notebook()
    if asked is False or (asked is None and not (notebook or sys.stderr.isatty())):
        return _Quiet()
    return _NotebookBar() if notebook else _TerminalBar()


def in_notebook() -> bool:
    """Whether a kernel, and not a terminal, shows what is displayed."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


class _TerminalBar(Silent):
    def __init__(self) -> None:
        from rich.progress import Progress as Bar

        self._bar = Bar(transient=True)

    def __enter__(self) -> _TerminalBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def start(self, total: int, done: int) -> None:
        """Show the bar."""
        self._task = self._bar.add_task("scoring", total=total, completed=done)

    def advance(self, items: int) -> None:
        """Move it."""
        self._bar.advance(self._task, items)


class _NotebookBar(Silent):
    """A part of the cell's output that is drawn anew: widgets, which rich needs for its bar, few notebooks have."""

    def __init__(self) -> None:
        self._total = self._done = 0
        self._handle: Any = None
        self._drawn = 0.0

    def __enter__(self) -> _NotebookBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._draw()

    def start(self, total: int, done: int) -> None:
        """Show the bar."""
        from IPython.display import display

        self._total, self._done = total, done
        self._handle = display(self, display_id=True)

    def advance(self, items: int) -> None:
        """Move it."""
        self._done += items
        if time.monotonic() - self._drawn >= _EVERY:
            self._draw()

    def _draw(self) -> None:
        if self._handle is not None:
            self._handle.update(self)
        self._drawn = time.monotonic()

    def __repr__(self) -> str:
        return f"scored {self._done} of {self._total}"

    def _repr_html_(self) -> str:
        return f'<progress max="{self._total}" value="{self._done}"></progress> {self!r}'


class _Quiet(Silent):
    def __enter__(self) -> _Quiet:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""
