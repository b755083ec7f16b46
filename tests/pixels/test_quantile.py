"""Quantiles without sorting: NumPy's own values."""

from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.pixels.quantile import median, quantile
from edit_metrics.types import Float32


def of_pictures(rng: np.random.Generator) -> dict[str, Float32]:
    noise = rng.normal(0, 1, 400_000).astype(np.float32)
    return {
        "noise": np.abs(noise),
        "few levels": np.round(np.abs(noise)),
        "mostly nothing": np.where(noise > 1.5, noise, np.float32(0)),
        "in order": np.sort(noise),
        "a period of the sample's step": np.tile(np.arange(400, dtype=np.float32), 1000),
        "one value": np.full(300_001, 3, np.float32),
        "few": noise[:7],
        "one": noise[:1],
    }


@pytest.mark.parametrize("name", list(of_pictures(np.random.default_rng(0))))
@pytest.mark.parametrize("share", [0.0, 0.001, 0.25, 0.5, 0.7, 0.99, 1.0])
def test_a_quantile_is_numpys(name: str, share: float, rng: np.random.Generator) -> None:
    values = of_pictures(rng)[name]
    expected = float(np.quantile(values.astype(np.float64), share))
    assert quantile(values, share) == pytest.approx(expected, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("name", list(of_pictures(np.random.default_rng(0))))
def test_a_median_is_numpys_to_the_last_bit(name: str, rng: np.random.Generator) -> None:
    values = of_pictures(rng)[name]
    assert median(values) == float(np.median(values))
    assert median(values[:-1]) == float(np.median(values[:-1])) if values.size > 1 else True


def test_the_values_are_left_as_they_were(rng: np.random.Generator) -> None:
    values = of_pictures(rng)["noise"]
    before = values.copy()
    quantile(values, 0.3)
    assert (values == before).all()
