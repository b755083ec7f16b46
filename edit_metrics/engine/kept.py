"""Which items of a manifest are scored already, and where their rows lie."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from edit_metrics.engine.shard_files import Part, ShardFiles
from edit_metrics.errors import RunError
from edit_metrics.types import EditItem, Rejection

_OPEN, _SCORED, _REJECTED = 0, 1, 2
_PARTS_HELD: Final = 8
"""Tables in memory while rows are gathered: after a change of the manifest its order is not that of the shards."""


class Kept:
    """Items held against parts: who is done, with the very inputs that the parts were scored from.

    Args:
        items: of the manifest.
        tags: of the items, see :func:`edit_metrics.engine.shards.item_tags`.
        parts: that may hold them; the first that does counts.
        settled: leave out what should be scored again: items with a file that could not be fetched, or no memory. Else
            they count where no part has anything better, the last part first.
    """

    def __init__(self, items: Sequence[EditItem], tags: Sequence[str], parts: Sequence[Part], *, settled: bool) -> None:
        self.parts = tuple(parts)
        self._items = items
        self._kind = np.zeros(len(items), np.int8)
        self._part = np.zeros(len(items), np.int64)
        self._row = np.zeros(len(items), np.int64)
        self.changed: set[str] = set()
        self.gone: set[str] = set()
        self.unsettled: set[int] = set()
        place = {item.id: n for n, item in enumerate(items)}
        again: list[tuple[int, int, int]] = []
        for number, part in enumerate(self.parts):
            unsettled = frozenset(part.mark.unsettled)
            for kind, tagged in ((_SCORED, part.mark.scored), (_REJECTED, part.mark.rejected)):
                for row, (name, tag) in enumerate(tagged):
                    at = place.get(name)
                    if at is None:
                        self.gone.add(name)
                    elif tags[at] != tag:
                        self.changed.add(name)
                    elif name in unsettled:
                        self.changed.add(name)
                        again.append((at, number, row))
                    elif self._kind[at] == _OPEN:
                        self._kind[at], self._part[at], self._row[at] = kind, number, row
        for at, number, row in () if settled else reversed(again):
            if self._kind[at] == _OPEN:
                self._kind[at], self._part[at], self._row[at] = _SCORED, number, row
                self.unsettled.add(at)
        self.changed -= {items[int(n)].id for n in np.flatnonzero(self._kind != _OPEN)}

    @property
    def done(self) -> list[bool]:
        """For each item, whether it is."""
        return [bool(one) for one in self._kind != _OPEN]

    @property
    def count(self) -> int:
        """Items that are done."""
        return int(np.count_nonzero(self._kind != _OPEN))

    @property
    def scored(self) -> list[int]:
        """Positions of the items that have a row."""
        return [int(n) for n in np.flatnonzero(self._kind == _SCORED)]

    @property
    def rejected(self) -> list[int]:
        """Positions of the items that were rejected while decoding."""
        return [int(n) for n in np.flatnonzero(self._kind == _REJECTED)]

    def check_complete(self) -> None:
        """Every item is in exactly one place.

        Raises:
            RunError: an engine left one out.
        """
        if self.count < len(self._items):
            first = self._items[self.done.index(False)].id
            got = f"none for {len(self._items) - self.count}; the first: {first!r}"
            raise RunError("a row or a rejection for every item", got, todo="The same command scores them.")

    def rows(
        self, files: ShardFiles, columns: Sequence[str], at_a_time: int
    ) -> Iterator[tuple[list[EditItem], pa.Table]]:
        """Those columns of all scored items, in the manifest's order, some items at a time.

        Args:
            files: where the parts lie.
            columns: names.
            at_a_time: items.
        """
        tables: OrderedDict[int, pa.Table] = OrderedDict()
        scored = np.flatnonzero(self._kind == _SCORED)
        for start in range(0, len(scored), at_a_time):
            chosen = scored[start : start + at_a_time]
            found, order = [], []
            for number in dict.fromkeys(self._part[chosen].tolist()):
                if number not in tables:
                    tables[number] = files.read_table(self.parts[number], columns).select(list(columns))
                    if len(tables) > _PARTS_HELD:
                        tables.popitem(last=False)
                tables.move_to_end(number)
                own = np.flatnonzero(self._part[chosen] == number)
                found.append(tables[number].take(pa.array(self._row[chosen[own]])))
                order.append(own)
            back = np.argsort(np.concatenate(order), kind="stable")
            table = pa.concat_tables(found)
            in_order = table if np.array_equal(back, np.arange(len(back))) else table.take(pa.array(back))
            yield [self._items[n] for n in chosen], in_order

    def rejections(self, read: Callable[[Part], Sequence[dict[str, Any]]]) -> list[Rejection]:
        """Rejected rows in the manifest's order, with the lines that they have there now."""
        held: dict[int, Sequence[dict[str, Any]]] = {}
        found = []
        for n in self.rejected:
            number = int(self._part[n])
            if number not in held:
                held[number] = read(self.parts[number])
            rejection = Rejection(**held[number][int(self._row[n])])
            found.append(replace(rejection, line=self._items[n].line))
        return found
