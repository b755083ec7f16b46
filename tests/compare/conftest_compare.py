"""Small score tables of the shape that `edit-metrics score` writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from edit_metrics.scores.run_info import RunInfo
from edit_metrics.scores.table import ScoreTable

DIMENSIONS = ("adherence", "preservation", "character")
N_ITEMS, PER_GROUP = 180, 3

MakeRun = Callable[..., ScoreTable]


def score_frame(n_items: int = N_ITEMS, per_group: int = PER_GROUP, seed: int = 0, noise: float = 0.02) -> pd.DataFrame:
    """Items with the same true scores whatever the seed, and measurement noise that depends on it."""
    truth, own = np.random.default_rng(99), np.random.default_rng(seed)
    index = np.arange(n_items)
    frame = pd.DataFrame(
        {
            "id": [f"item{i:03d}" for i in index],
            "source": [f"s{i // per_group}.png" for i in index],
            "edited": [f"e{seed}_{i}.png" for i in index],
            "instruction": "make it red",
            "edit_type": np.where(index % 2 == 0, "recolour", "remove"),
            "group": [f"g{i // per_group}" for i in index],
        }
    )
    for name in DIMENSIONS:
        # Scores never reach the ends, so that shifts in the tests are exact.
        frame[f"{name}.score"] = np.clip(0.4 + 0.3 * truth.random(n_items) + own.normal(0, noise, n_items), 0, 1)
        frame[f"{name}.confidence"] = 0.8
        frame[f"{name}.status"] = "ok"
        frame[f"{name}.reasons"] = ""
    frame["preservation.psnr"] = 30 + own.normal(0, 1, n_items)
    frame["preservation.psnr.status"] = "ok"
    return frame


def lose(
    frame: pd.DataFrame, dimension: str, rows: slice, status: str = "undefined", reason: str = "faces_lost"
) -> None:
    """Take the scores of some items away."""
    label = frame.index[rows]
    frame.loc[label, f"{dimension}.score"] = np.nan
    frame.loc[label, f"{dimension}.status"] = status
    frame.loc[label, f"{dimension}.reasons"] = reason


@pytest.fixture
def make_run() -> MakeRun:
    """A run in memory: ``make_run("b", seed=2, shift={"preservation": -0.1})``."""

    def make(
        name: str, shift: dict[str, float] | None = None, info: dict[str, object] | None = None, **kw: object
    ) -> ScoreTable:
        frame = score_frame(**kw)
        for dimension, amount in (shift or {}).items():
            frame[f"{dimension}.score"] += amount
        signed_by = None if info is None else RunInfo.model_validate(info)
        return ScoreTable(name, frame, Path(f"{name}/scores.parquet"), signed_by)

    return make


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[[ScoreTable], Path]:
    """A run folder on disk."""

    def write(run: ScoreTable) -> Path:
        folder = tmp_path / run.name
        folder.mkdir()
        run.frame.to_parquet(folder / "scores.parquet")
        if run.info is not None:
            run.info.write(folder)
        return folder

    return write


def signed(margin: float = 4.0) -> dict[str, object]:
    """A ``run.json`` whose preservation depends on one setting."""
    return {
        "score_signature": {
            name: {"sha256": f"{name}-same", "parts": {"section": {"cap": 1.0}}} for name in ("adherence", "character")
        }
        | {"preservation": {"sha256": f"p{margin}", "parts": {"section": {"curves": {"psnr": margin}}}}}
    }
