"""How a run tells what it does: a bar on a terminal, plain lines otherwise; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

from edit_metrics.cli.console import make_console, say
from edit_metrics.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SECONDS_BETWEEN_LINES = 10.0


class BarProgress:
    """A rich bar with items/s and the time left."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar: Progress = Progress(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=make_console(sys.stderr),
        )
        self._task: TaskID | None = None
        self._started = 0.0
        self._fresh = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def start(self, total: int, done: int) -> None:
        """Show the bar."""
        self._started = time.monotonic()
        self._task = self._bar.add_task("scoring", total=total, completed=done, rate="loading models")

    def advance(self, items: int) -> None:
        """Move it; the rate counts what this attempt has scored, not what an earlier one had."""
        self._fresh += items
        rate = self._fresh / max(time.monotonic() - self._started, 1e-9)
        if self._task is not None:
            self._bar.update(self._task, advance=items, rate=f"{rate:.1f} items/s")

    def note(self, text: str) -> None:
        """One line above the bar."""
        self._bar.console.print(printable(text), markup=False)


class LineProgress:
    """One line every few seconds, for logs."""

    def __init__(self) -> None:
        self._total = self._done = self._fresh = 0
        self._started = self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def start(self, total: int, done: int) -> None:
        """Say how much there is."""
        self._total, self._done = total, done
        self._started = self._last = time.monotonic()
        say(f"scoring {total - done} items")

    def advance(self, items: int) -> None:
        """Say where it stands, now and then."""
        self._done += items
        self._fresh += items
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._last = now
        rate = self._fresh / max(now - self._started, 1e-9)
        left = (self._total - self._done) / max(rate, 1e-9)
        say(f"scored {self._done}/{self._total}, {rate:.1f} items/s, {left:.0f} s left")

    def note(self, text: str) -> None:
        """One line."""
        say(text)


def make_progress() -> BarProgress | LineProgress:
    """A bar when stderr is a terminal, lines otherwise."""
    return BarProgress() if sys.stderr.isatty() else LineProgress()


class AskingLines:
    """What a judge has answered: one line every few seconds, also on a terminal.

    Args:
        total: questions.
        cost_in_words: of so many tokens sent and answered; empty without prices.
    """

    def __init__(self, total: int, cost_in_words: Callable[[float, float], str]) -> None:
        self._total, self._cost = total, cost_in_words
        self._done = 0
        self._started = self._last = time.monotonic()

    def __enter__(self) -> Self:
        if self._total:
            say(f"asking {self._total} questions")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def advance(self, meter: Spending) -> None:
        """Say where it stands, now and then."""
        self._done += 1
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES and self._done < self._total:
            return
        self._last = now
        left = (self._total - self._done) * (now - self._started) / self._done
        cost = self._cost(meter.tokens_in, meter.tokens_out)
        say(
            f"asked {self._done}/{self._total}: {meter.calls} calls, {meter.tokens_in} + {meter.tokens_out} tokens"
            f"{f', {cost}' if cost else ''}, {left:.0f} s left"
        )

    def stopping(self) -> None:
        """After an interrupt."""
        say("edit-metrics: waiting for the questions under way; interrupt again to drop them.")


class Spending(Protocol):
    """What a judge's progress is told."""

    calls: int
    tokens_in: int
    tokens_out: int
