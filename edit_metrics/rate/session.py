"""One rater's session: what comes next, what was answered, undo. All state is on the disk; nothing here speaks HTTP."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final

from edit_metrics.errors import TableError, UserError
from edit_metrics.rate.log import RaterLog
from edit_metrics.rate.queue import QueuedItem, RatingPlan
from edit_metrics.ratings.entries import Entry, Kind, read_entries, standing_answers

HELD: Final = timedelta(minutes=10)
"""How long an item that came onto a rater's screen is left to them: long for one item, short for a lunch."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Position:
    """What the page shows.

    Attributes:
        index: of the item in the plan; None when there is nothing left for this rater.
        dimension: the question that is open; empty when there is none.
        answered: dimension → rating (None: skipped or not applicable) of this item so far.
        ahead: the item that will probably be next, for fetching its pictures.
        done: items that this rater has answered.
        total: items that are theirs to answer, as far as is known now.
        seconds: median an item; None before the first.
    """

    index: int | None
    dimension: str
    answered: dict[str, float | None]
    ahead: int | None
    done: int
    total: int
    seconds: float | None


class Session:
    """Asks one rater; see :class:`Position`.

    Args:
        plan: what is asked.
        log: of this rater; the others' files lie beside it.
        rater: name in every entry.
        codes: flags that a skip or a remark may carry.
        now: the clock, for tests.
    """

    def __init__(
        self, plan: RatingPlan, log: RaterLog, rater: str, codes: Sequence[str],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.plan = plan
        self.dimensions = tuple(plan.questions)
        self._log = log
        self._rater = rater
        self._codes = frozenset(codes)
        self._now = now
        self._lock = threading.Lock()
        self._read: dict[Path, tuple[tuple[int, int], list[Entry]]] = {}

    def position(self, at: int | None = None) -> Position:
        """Where this rater stands; ``at`` asks for an item by its place, as after an undo."""
        with self._lock:
            return self._position(at)

    def answer(self, index: int, dimension: str, kind: Kind, rating: float | None, seconds: float | None,
               flags: Sequence[str] = ()) -> Position:  # fmt: skip
        """Keep one answer, then say what comes next.

        Args:
            index: of the item in the plan.
            dimension: that is answered; a skip answers every open dimension of the item.
            kind: one of ``ANSWERS``.
            rating: on the rubric's scale, for ``rating`` alone.
            seconds: that the pictures were in sight.
            flags: why an item was skipped.

        Raises:
            UserError: no such item, dimension, rating or flag.
        """
        item = self._item(index)
        with self._lock:
            answered = self._answers().get(item.id, {})
            open_ = [name for name in self.dimensions if name not in answered]
            names = open_ if kind is Kind.SKIP else [dimension]
            self._check(names, kind, rating, flags)
            share = None if seconds is None else max(0.0, seconds) / max(1, len(names))
            self._log.append([
                Entry(kind, item.id, self._rater, self._time(), name, rating, share, tuple(flags)) for name in names
            ])  # fmt: skip
            return self._position()

    def remark(self, index: int, flags: Sequence[str], comment: str) -> None:
        """Keep a remark on an item; the last one of a rater and item counts."""
        item = self._item(index)
        self._check_flags(flags)
        entry = Entry(
            Kind.REMARK, item.id, self._rater, self._time(), flags=tuple(flags), comment=comment.strip()[:4000]
        )
        with self._lock:
            self._log.append([entry])

    def undo(self) -> Position:
        """Take the last answer back and show its item again; nothing happens before the first answer."""
        with self._lock:
            asked = {item.id: index for index, item in enumerate(self.plan.items)}
            standing = [e for e in self._standing().values() if e.id in asked and e.dimension in self.dimensions]
            if not standing:
                return self._position()
            last = standing[-1]
            # A skip answers all dimensions at once and is taken back at once.
            same = [e for e in standing if last.kind is Kind.SKIP and e.kind is Kind.SKIP and e.id == last.id] or [last]
            self._log.append([Entry(Kind.UNDO, e.id, self._rater, self._time(), e.dimension) for e in same])
            return self._position(asked[last.id])

    def _position(self, at: int | None = None) -> Position:
        elsewhere = self._others()
        answers = self._answers()
        mine = {item.id: answers.get(item.id, {}) for item in self.plan.items}
        complete = [set(self.dimensions) <= mine[item.id].keys() for item in self.plan.items]
        open_ = [
            index for index, item in enumerate(self.plan.items)
            if not complete[index] and (mine[item.id] or item.everybody or elsewhere.get(item.id, 0) < item.raters)
        ]  # fmt: skip
        index = at if at is not None else next(iter(open_), None)
        ahead = next((one for one in open_ if one != index), None)
        done = sum(complete)
        seconds = self._seconds()
        if index is None:
            return Position(None, "", {}, None, done, done, seconds)
        item = self.plan.items[index]
        dimension = next((name for name in self.dimensions if name not in mine[item.id]), "")
        if dimension:
            self._show(item)
        return Position(index, dimension, mine[item.id], ahead, done, done + len(open_), seconds)

    def _show(self, item: QueuedItem) -> None:
        """Say that the item is on this rater's screen, unless that was the last thing said."""
        last = self._log.entries[-1] if self._log.entries else None
        if last is None or last.kind is not Kind.SHOWN or last.id != item.id:
            self._log.append([Entry(Kind.SHOWN, item.id, self._rater, self._time())])

    def _others(self) -> dict[str, int]:
        """Id → other raters who have answered it, or have it on their screen."""
        raters: dict[str, set[str]] = {}
        limit = self._now() - HELD
        for path in sorted(self._log.path.parent.glob("*.jsonl")):
            if path == self._log.path:
                continue
            entries = self._entries(path)
            for entry in standing_answers(entries).values():
                if entry.dimension in self.dimensions:
                    raters.setdefault(entry.id, set()).add(entry.rater)
            last = next((e for e in reversed(entries) if e.kind is Kind.SHOWN), None)
            if last is not None and datetime.fromisoformat(last.time) > limit:
                raters.setdefault(last.id, set()).add(last.rater)
        return {name: len(found - {self._rater}) for name, found in raters.items()}

    def _entries(self, path: Path) -> list[Entry]:
        """Another rater's file; read again only when it has changed."""
        found = path.stat()
        tag = (found.st_size, found.st_mtime_ns)
        known = self._read.get(path)
        if known is None or known[0] != tag:
            try:
                known = (tag, read_entries(path)[0])
            except TableError:
                known = (tag, [])  # not a file of ours: `ratings import` will say so
            self._read[path] = known
        return known[1]

    def _standing(self) -> dict[tuple[str, str, str], Entry]:
        return standing_answers(self._log.entries)

    def _answers(self) -> dict[str, dict[str, float | None]]:
        """Id → dimension → rating, of this rater, in the dimensions that are asked."""
        found: dict[str, dict[str, float | None]] = {}
        for entry in self._standing().values():
            if entry.dimension in self.dimensions:
                found.setdefault(entry.id, {})[entry.dimension] = entry.rating
        return found

    def _seconds(self) -> float | None:
        items: dict[str, float] = {}
        for entry in self._standing().values():
            if entry.seconds is not None:
                items[entry.id] = items.get(entry.id, 0.0) + entry.seconds
        return median(items.values()) if items else None

    def _item(self, index: int) -> QueuedItem:
        if not 0 <= index < len(self.plan.items):
            raise UserError(f"an item from 0 to {len(self.plan.items) - 1}", str(index))
        return self.plan.items[index]

    def _check(self, names: Sequence[str], kind: Kind, rating: float | None, flags: Sequence[str]) -> None:
        unknown = [name for name in names if name not in self.plan.questions]
        if unknown or not names:
            raise UserError(f"one of the dimensions {', '.join(self.dimensions)}", repr(unknown or names))
        if kind is Kind.RATING:
            scale = sorted(next(iter(self.plan.questions.values())).anchors)
            if rating not in scale:
                raise UserError(f"a rating of {', '.join(map(str, scale))}", repr(rating))
        elif rating is not None:
            raise UserError(f"no rating with {kind.value}", repr(rating))
        self._check_flags(flags)

    def _check_flags(self, flags: Sequence[str]) -> None:
        unknown = set(flags) - self._codes
        if unknown:
            raise UserError(f"flags of {', '.join(sorted(self._codes))}", repr(sorted(unknown)))

    def _time(self) -> str:
        return self._now().isoformat(timespec="milliseconds")
