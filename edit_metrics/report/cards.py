"""Cards: the items that a person should look at, with pictures. Worst first, then the least certain of the others."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from edit_metrics.report.pictures import Figure, PictureStore
from edit_metrics.scores.items import Item
from edit_metrics.scores.sentences import worst_in_words

MOST_LOOKS: Final = 2000
"""Rows of the table with pictures: a page of a few MiB, made in a minute (docs/report.md)."""
_THREADS: Final = 4  # decoding releases the interpreter's lock


@dataclass(frozen=True, slots=True)
class Card:
    """One item with its pictures.

    Attributes:
        number: anchor on the page, from 0.
        boxes: faces and lines of text that the viewer can draw; None where the run has marked none.
    """

    number: int
    item: Item
    figures: tuple[Figure, ...]
    boxes: Any = None

    @property
    def sentence(self) -> str:
        """Why a person should look."""
        return worst_in_words(self.item)


@dataclass(frozen=True, slots=True)
class CardChoice:
    """Who gets a card: the worst, and the least certain of the rest."""

    worst: tuple[Item, ...]
    uncertain: tuple[Item, ...]


def choose(items: Sequence[Item], budget: int) -> CardChoice:
    """Two thirds of the budget, and at most half of the items, go to the worst; the rest to the least certain."""
    budget = min(budget, len(items))
    scored = [item for item in items if item.overall is not None]
    n_worst = min(math.ceil(budget * 2 / 3), math.ceil(len(items) / 2))
    worst = tuple(sorted(scored, key=_badness)[:n_worst])
    taken = {item.id for item in worst}
    uncertain = [item for item in items if item.id not in taken and item.certainty is not None]
    uncertain.sort(key=lambda item: (item.certainty, *_badness(item)))
    return CardChoice(worst, tuple(uncertain[: budget - len(worst)]))


def make_cards(items: Sequence[Item], store: PictureStore | None, first: int = 0) -> list[Card]:
    """Items to cards, their pictures read side by side; without a store they have none."""
    if store is None:
        return [Card(first + n, item, ()) for n, item in enumerate(items)]
    with ThreadPoolExecutor(_THREADS) as pool:
        drawn = list(pool.map(store.figures, items))
    return [
        Card(first + n, item, tuple(found), store.boxes(item.id))
        for n, (item, found) in enumerate(zip(items, drawn, strict=True))
    ]


def make_looks(items: Sequence[Item], store: PictureStore | None, taken: Collection[str]) -> dict[str, list[Any]]:
    """Id → what the viewer shows of an item without a card; of the first ``MOST_LOOKS`` items."""
    wanted = [item for item in items[:MOST_LOOKS] if item.id not in taken]
    if store is None or not wanted:
        return {}
    with ThreadPoolExecutor(_THREADS) as pool:
        return dict(zip((item.id for item in wanted), pool.map(store.look, wanted), strict=True))


def _badness(item: Item) -> tuple[float, float, int]:
    """Weakest dimension, then the geometric mean, then the queue's order."""
    overall = math.inf if item.overall is None else item.overall
    mean = math.inf if item.geometric_mean is None else item.geometric_mean
    return overall, mean, item.priority or 0
