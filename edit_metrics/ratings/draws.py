"""Random draws of items: who could be drawn, who was; the only ground that estimates and promises may stand on.

A draw is made from *all* items of a table, whatever their lane and whether they were rated before. So a draw is
complete only together with the ratings of every item in it, old ones too: the fresh ratings of a second batch alone are
the items that the first batch did not want. A draw therefore travels with the ratings, from the folder that triage
wrote.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.errors import TableError
from edit_metrics.io.tables import read_table, with_text_ids

UNREADABLE_LANE: Final = "unreadable"
LANES_FILE: Final = "lanes.csv"

Hashes = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A uniform draw without replacement from the items of one table.

    Attributes:
        name: hash of what was drawn from what: the same draw, imported twice, is one.
        population: sorted hashes of the ids that could be drawn.
        drawn: sorted ids.
        unratable: those of them that have no picture to rate.
    """

    name: str
    population: Hashes
    drawn: tuple[str, ...]
    unratable: frozenset[str]

    @classmethod
    def of(cls, population: Iterable[str], drawn: Iterable[str], unratable: Iterable[str] = ()) -> Draw:
        """The draw of those items out of that population."""
        hashes = np.unique(id_hashes(list(population)))
        names = tuple(sorted(drawn))
        digest = hashlib.sha256(hashes.tobytes() + "\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()
        return cls(digest[:12], hashes, names, frozenset(unratable) & frozenset(names))

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Draw:
        """The inverse of :meth:`to_json`."""
        population = np.frombuffer(base64.b64decode(record["population"]), dtype="<u8")
        return cls(str(record["name"]), population, tuple(record["drawn"]), frozenset(record["unratable"]))

    def to_json(self) -> dict[str, Any]:
        """A JSON record; the population as base64 of its 64-bit hashes, 11 bytes an item."""
        return {
            "name": self.name,
            "population": base64.b64encode(self.population.astype("<u8").tobytes()).decode(),
            "drawn": list(self.drawn),
            "unratable": sorted(self.unratable),
        }

    def __str__(self) -> str:
        return f"draw {self.name} ({len(self.drawn)} of {len(self.population)} items)"


def id_hashes(ids: Sequence[str]) -> Hashes:
    """64-bit hashes of ids, in their order; equal ids give equal hashes on every machine."""
    digests = (hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in ids)
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def table_fingerprint(ids: Sequence[str]) -> str:
    """Hash of a set of ids: the same for every order of the table."""
    return hashlib.sha256(np.unique(id_hashes(ids)).tobytes()).hexdigest()


@dataclass(frozen=True, slots=True)
class QueueRecord:
    """What a triage folder says about the items of its table.

    Attributes:
        selection: id → why it was in the queue.
        draw: None where nothing was drawn, or where the folder's table of all items is absent.
        note: a sentence for the user; empty when all is well.
    """

    selection: dict[str, str]
    draw: Draw | None
    note: str


def read_queue(path: Path) -> QueueRecord:
    """Read a triage folder, or the ``queue.csv`` in it; the draw is in ``lanes.csv`` beside it.

    Raises:
        TableError: no queue, or one without its columns.
    """
    file = path / "queue.csv" if path.is_dir() else path
    queue = read_table(file)
    if not {"id", "selection"} <= set(queue):
        raise TableError("the columns id, selection", ", ".join(map(str, queue.columns)), str(file))
    # A queue may be empty: every item decided, or rated before.
    names: Iterable[str] = [] if queue.empty else with_text_ids(queue, file)["id"]
    selection = {str(name): str(why) for name, why in zip(names, queue["selection"], strict=True)}
    lanes = file.with_name(LANES_FILE)
    if not lanes.is_file():
        note = f"{LANES_FILE} is not beside {file}: nothing says what the audit was drawn from, so it is not used"
        return QueueRecord(selection, None, note)
    return QueueRecord(selection, draw_of_lanes(with_text_ids(read_table(lanes), lanes), str(lanes)), "")


def draw_of_lanes(lanes: pd.DataFrame, where: str) -> Draw | None:
    """The draw in a table of every item (columns ``id, lane, inclusion_prob``); None where nothing was drawn.

    Raises:
        TableError: a column is absent.
    """
    absent = [name for name in ("id", "lane", "inclusion_prob") if name not in lanes]
    if absent:
        raise TableError("the columns id, lane, inclusion_prob", f"no {', '.join(absent)}", where)
    drawn = lanes[lanes["inclusion_prob"].notna()]
    if drawn.empty:
        return None
    return Draw.of(lanes["id"], drawn["id"], drawn["id"][drawn["lane"] == UNREADABLE_LANE])
