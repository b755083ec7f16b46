"""What is measured in bands of rows is what is measured on the whole."""

from __future__ import annotations

import numpy as np
import pytest

from edit_metrics.metrics import artefacts, no_reference
from edit_metrics.pixels import bands as module
from edit_metrics.pixels.bands import bands
from edit_metrics.types import RGB

READINGS = (artefacts.blockiness, artefacts.banding, no_reference.noise_sigma)


def picture(height: int, width: int) -> RGB:
    rng = np.random.default_rng(height)
    ramp = np.linspace(0, 250, width)[None] + np.linspace(0, 60, height)[:, None]
    grey = ramp // 8 * 8 + np.where(np.arange(width) > width // 2, rng.normal(0, 3, (height, width)), 0)
    blocks = 6.0 * ((np.arange(height) // 8 % 2)[:, None] ^ (np.arange(width) // 8 % 2)[None])
    return np.clip(np.stack([grey, grey * 0.7, 255 - grey], axis=2) + blocks[..., None], 0, 255).astype(np.uint8)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("height", [33, 150, 151, 256])
def test_bands_change_no_reading(reading, height: int, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    whole = reading(picture(height, 97))
    monkeypatch.setattr(module, "ROWS", 32)
    monkeypatch.setattr(module, "ROWS_OF_MANY", 32)
    assert reading(picture(height, 97)) == pytest.approx(whole, rel=1e-12)
    assert whole > 0


def test_bands_cover_every_row_once_with_what_they_reach() -> None:
    found = [np.arange(1500)[rows][band] for rows, band in bands(1500, reach=5)]
    assert np.concatenate(found).tolist() == list(range(1500))
    assert [rows for rows, _ in bands(1500, reach=5)][:2] == [slice(0, 261), slice(251, 517)]
    assert [band for _, band in bands(900, reach=5)] == [slice(0, 900)]
