"""A small world with known truth, shared by the calibration tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from edit_metrics.calibration.calibrate import CalibrateOptions, calibrate
from edit_metrics.calibration.calibration import Calibration
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings, ratings_from_long

SCALE = Scale.parse("0,0.5,1")


def world(n_groups: int = 70, n_models: int = 6, seed: int = 3) -> tuple[pd.DataFrame, Ratings]:
    """Scores and census ratings: ``good`` rises with quality, ``bad`` falls, ``noise`` says nothing."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), n_models)
    model = np.tile(np.arange(n_models), n_groups)
    n = len(group)
    quality = rng.normal(size=n) + 0.5 * rng.normal(size=n_groups)[group] + 0.3 * (model - model.mean())
    frame = pd.DataFrame(
        {
            "id": [f"i{k:04d}" for k in range(n)],
            "group": [f"g{k}" for k in group],
            "model": [f"m{k}" for k in model],
            "edit_type": np.where(group % 2 == 0, "add", "remove"),
            "good": quality + 0.7 * rng.normal(size=n),
            "bad": -quality + 0.9 * rng.normal(size=n),
            "noise": rng.normal(size=n),
        }
    )
    rows = [
        (name, rater, "adherence", float(np.clip(np.round(value + rng.normal(0, 0.4)), 0, 2) / 2))
        for name, value in zip(frame["id"], quality, strict=True)
        for rater in ("ann", "bob")
    ]
    return frame, ratings_from_long(pd.DataFrame(rows, columns=["id", "rater", "dimension", "rating"]), SCALE, "world")


def only(ratings: Ratings, ids: set[str], **columns: float) -> Ratings:
    """The ratings of those items, with constant columns added."""
    frame = ratings.frame
    return replace(ratings, frame=frame[frame["id"].isin(ids)].assign(**columns))


@pytest.fixture(scope="session")
def fitted() -> Calibration:
    """Fitted on the whole small world, a census by declaration."""
    frame, ratings = world()
    return calibrate(frame, ratings, CalibrateOptions("adherence", n_resamples=30, random=True))
