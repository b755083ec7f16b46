"""How the rated items of a table were chosen: by known draws, by probabilities in the file, by declaration, or unknown.

Over several draws an item is in the sample when any of them drew it, with its rating from whichever batch. Items that
the same draws could reach were equally likely to end up there, whatever the draws' sizes and seeds: they form a
*stratum*, in which the sample is a simple random one given its size. So the joint inclusion probability is drawn /
items of the stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.errors import TableError
from edit_metrics.ratings.draws import Draw, id_hashes
from edit_metrics.ratings.table import Ratings
from edit_metrics.types import Float64

OUT_OF_REACH: Final = -1
"""Stratum of items that no usable draw could have drawn."""
_SHOWN: Final = 5


class Origin(StrEnum):
    """What says that the rated items are a random sample."""

    DRAWN = "drawn"
    PROBABILITIES = "inclusion_prob"
    DECLARED = "declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Design:
    """How each item of a table stands to the random sample; arrays of one length N, in the table's order.

    Attributes:
        drawn: in the random sample, and answered or found unratable.
        probability: joint probability of being in it; NaN where unknown.
        stratum: number of the stratum, ``OUT_OF_REACH`` for none; None where only ``probability`` is known.
        draws: those that count, none unless the origin is ``DRAWN``.
        notes: sentences for the user: which draws do not count, and why.
    """

    origin: Origin
    drawn: NDArray[np.bool_]
    probability: Float64
    stratum: NDArray[np.intp] | None
    draws: tuple[Draw, ...] = ()
    notes: tuple[str, ...] = ()


def sampling_design(ids: Sequence[str], ratings: Ratings, target: str, *, declared: bool, whole_table: bool) -> Design:
    """Where the ratings carry draws, those decide; else their column ``inclusion_prob``; else what the user declares.

    Args:
        ids: of the table, unique.
        ratings: of items of that table.
        target: the rated dimension.
        declared: the user says that the rated items were drawn uniformly from the table.
        whole_table: the claim is about the table itself, so that a draw counts only when all that it could draw is
            there; a table that was cut afterwards may have been cut by the ratings. Else the drawn items must be there.

    Raises:
        TableError: declared, although the ratings carry draws.
    """
    if ratings.draws:
        if declared:
            found = ", ".join(map(str, ratings.draws))
            raise TableError(
                "--ratings-are-random with ratings that no draw is known of", found, "--ratings-are-random",
                "Leave it out: the ratings say themselves which of them were drawn.",
            )  # fmt: skip
        return _by_draws(ids, ratings, target, whole_table)
    answered = np.isin(np.asarray(ids, dtype=object), sorted(ratings.answered(target)))
    known = ratings.inclusion_probabilities()
    if known is not None:
        probability: Float64 = np.array(pd.Series(list(ids)).map(known), dtype=np.float64)
        return Design(Origin.PROBABILITIES, answered & np.isfinite(probability), probability, None)
    if declared:
        share = float(answered.mean())
        return Design(Origin.DECLARED, answered, np.full(len(ids), share), np.zeros(len(ids), dtype=np.intp))
    nothing = np.full(len(ids), np.nan)
    return Design(Origin.UNKNOWN, np.zeros(len(ids), dtype=np.bool_), nothing, None)


def _by_draws(ids: Sequence[str], ratings: Ratings, target: str, whole_table: bool) -> Design:
    table, hashes = set(ids), id_hashes(ids)
    answered = ratings.answered(target)
    usable, notes = [], []
    for draw in ratings.draws:
        reason = _unusable(draw, table, hashes, answered, target, whole_table)
        if reason:
            notes.append(f"{draw} does not count as random: {reason}")
        else:
            usable.append(draw)
    everybody = np.unique(np.concatenate([hashes, *(draw.population for draw in usable)]))
    reach = np.zeros(len(everybody), dtype=np.intp)
    for power, draw in enumerate(usable):
        reach += np.isin(everybody, draw.population) * 2**power
    names = sorted({name for draw in usable for name in draw.drawn})
    in_sample = np.isin(everybody, id_hashes(names))
    n_reach = np.bincount(reach)
    share = np.divide(np.bincount(reach, weights=in_sample, minlength=len(n_reach)), np.maximum(n_reach, 1))
    own = reach[np.searchsorted(everybody, hashes)]
    drawn = np.isin(np.asarray(ids, dtype=object), names) if names else np.zeros(len(ids), dtype=np.bool_)
    probability = np.where(own > 0, share[own], np.nan)
    return Design(Origin.DRAWN, drawn, probability, own - 1, tuple(usable), tuple(notes))


def _unusable(
    draw: Draw, table: set[str], hashes: NDArray[np.uint64], answered: frozenset[str], target: str, whole_table: bool
) -> str:
    absent = [name for name in draw.drawn if name not in table]
    if absent:
        return f"{len(absent)} of them are not in this table, first {absent[0]!r}: was it cut after the draw?"
    if whole_table and not np.isin(draw.population, hashes).all():
        n = int((~np.isin(draw.population, hashes)).sum())
        return f"{n} items that could be drawn are not in this table: it was cut after the draw"
    waiting = [name for name in draw.drawn if name not in answered and name not in draw.unratable]
    if not waiting:
        return ""
    named = ", ".join(waiting[:_SHOWN]) + (f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else "")
    return f"{len(waiting)} of them are not rated in {target} yet: {named}"
