"""A whole score table with the ratings of those of its items that were drawn at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from edit_metrics.calibration.calibrate import item_groups
from edit_metrics.calibration.calibration import text_column
from edit_metrics.calibration.features import feature_matrix
from edit_metrics.calibration.predictor import Labels
from edit_metrics.errors import TableError
from edit_metrics.ratings.design import Design, Origin, sampling_design
from edit_metrics.ratings.gates import unreadable_items
from edit_metrics.ratings.table import Ratings
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class RatedTable:
    """The items that there is something to rate of, some of them drawn at random and rated; arrays of one length N.

    Attributes:
        rating: mean rating; NaN where the item was not drawn, or was and does not apply.
        drawn: in the random sample.
        inclusion_prob: probability of the draw; read for drawn items, where ``stratum`` is None.
        stratum: items drawn alike, see :class:`edit_metrics.ratings.design.Design`; None where that is not known.
        features: N×F raw values.
        models: labels for estimates by model; empty strings where unknown.
        lowest: worst rating of the scale.
        highest: best rating of the scale.
        notes: sentences for the user.
    """

    rating: Float64
    drawn: NDArray[np.bool_]
    inclusion_prob: Float64
    stratum: NDArray[np.intp] | None
    groups: Labels
    features: Float64
    models: Labels
    lowest: float
    highest: float
    notes: tuple[str, ...] = ()


def rated_table(
    frame: pd.DataFrame, ratings: Ratings, target: str, features: Sequence[str], *, random: bool, group: str = "group"
) -> RatedTable:
    """Join a score table and the ratings of its random sample.

    Unreadable items are a stratum of their own, which nobody can rate: they are left out, and counted in the notes.

    Args:
        frame: a score table with a unique column ``id``.
        ratings: of items of that table; those that were not drawn at random are left out, unless every item is rated.
        target: the rated dimension.
        features: columns to predict from.
        random: the rated items were drawn uniformly, although nothing in the files says so.
        group: column of items that are not independent.

    Raises:
        TableError: unknown ids or columns, or ratings of which nothing says that they were drawn at random.
    """
    ratings.check_ids(frame["id"].tolist(), "--ratings")
    means = ratings.item_means(target)
    design = _design(frame, ratings, target, random=random)
    ratable = ~unreadable_items(frame)
    frame, drawn = frame[ratable], design.drawn[ratable]
    rating: Float64 = np.array(frame["id"].map(means["mean"]), dtype=np.float64)
    n_unreadable = int((~ratable).sum())
    unreadable = (f"{n_unreadable} unreadable items are left out: nobody can rate them",) if n_unreadable else ()
    return RatedTable(
        np.where(drawn, rating, np.nan),
        drawn,
        design.probability[ratable],
        None if design.stratum is None else design.stratum[ratable],
        item_groups(frame, group),
        feature_matrix(frame, features),
        text_column(frame, "model"),
        ratings.scale.low,
        ratings.scale.high,
        (*design.notes, *unreadable),
    )


def _design(frame: pd.DataFrame, ratings: Ratings, target: str, *, random: bool) -> Design:
    """Every item rated is a census of this very table, whoever chose the items; else what is known of the draws."""
    ids = frame["id"].tolist()
    answered = np.isin(np.asarray(ids, dtype=object), sorted(ratings.answered(target)))
    if (answered | unreadable_items(frame)).all():
        return Design(Origin.DECLARED, answered, np.ones(len(ids)), np.zeros(len(ids), dtype=np.intp))
    design = sampling_design(ids, ratings, target, declared=random, whole_table=True)
    if not design.drawn.any():
        raise TableError(
            "ratings of randomly drawn items (a draw of triage, or a column inclusion_prob)",
            "; ".join(design.notes)
            or f"{int(answered.sum())} of {len(ids)} items rated, and nothing says how they were chosen",
            "--ratings",
            "Means of a prioritised queue are wrong by any amount. Import with --queue TRIAGE_FOLDER to take over the "
            "audit slice, or say --ratings-are-random if they were drawn uniformly.",
        )
    return design
