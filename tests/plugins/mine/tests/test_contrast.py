import numpy as np
import pytest
from mine_metrics.contrast import contrast, mine_contrasts

from edit_metrics.types import undefined

SOURCE = np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def test_half_the_contrast_reads_one_half() -> None:
    half = (128 + (SOURCE.astype(float) - 128) / 2).round().astype(np.uint8)
    assert contrast(mine_contrasts(SOURCE, SOURCE)) == 1
    assert contrast(mine_contrasts(SOURCE, half)) == pytest.approx(0.5, abs=0.01)


def test_a_flat_source_has_no_contrast_to_compare_with() -> None:
    assert contrast(mine_contrasts(np.zeros_like(SOURCE), SOURCE)) == undefined("flat")
