"""How far items are rated: enough raters in every dimension, some missing, or raters who are far apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edit_metrics.ratings.table import Ratings


@dataclass(frozen=True, slots=True)
class Progress:
    """Items that somebody rated.

    Attributes:
        done: nobody needs to be asked again.
        missing: id → raters still to be asked: fewer than wanted have answered, or those who have are far apart.
        disputed: those of ``missing`` that are there because of the latter.
    """

    done: frozenset[str] = frozenset()
    missing: Mapping[str, int] = field(default_factory=dict)
    disputed: frozenset[str] = frozenset()


def rating_progress(
    ratings: Ratings, overlap: int, dimensions: Sequence[str] | None = None, dispute: float | None = None
) -> Progress:
    """Count the raters of every item in every dimension.

    An item is disputed when its ratings in one dimension lie further apart than ``dispute`` and no more raters than
    wanted have given one: it gets one more opinion, once.

    Args:
        ratings: all batches.
        overlap: raters wanted for an item.
        dimensions: that are asked; None: every one that occurs in the ratings.
        dispute: in rating units; None: half of the scale's range.
    """
    asked = ratings.dimensions if dimensions is None else tuple(dimensions)
    widest = (ratings.scale.high - ratings.scale.low) / 2 if dispute is None else dispute
    rows = ratings.frame[ratings.frame["dimension"].isin(asked)]
    if rows.empty:
        return Progress()
    by_cell = rows.groupby(["id", "dimension"], sort=False)
    raters = by_cell["rater"].nunique().unstack(fill_value=0).reindex(columns=list(asked), fill_value=0)
    rating = by_cell["rating"].agg(["min", "max", "count"])
    apart = (rating["max"] - rating["min"] > widest + 1e-9) & (rating["count"] <= overlap)
    disputed = frozenset(str(name) for name, _ in rating.index[apart])
    fewest = raters.min(axis=1)
    missing = {str(name): overlap - int(n) for name, n in fewest.items() if n < overlap}
    missing |= {name: 1 for name in disputed if name not in missing}
    done = frozenset(map(str, fewest.index)) - missing.keys()
    return Progress(done, missing, disputed)
