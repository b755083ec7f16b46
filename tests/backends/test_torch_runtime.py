"""Pictures on their way to a device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from edit_metrics.backends.torch_runtime import stacked_on


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_arrays_are_stacked_as_they_are_read_only_ones_too(rng: np.random.Generator, dtype: type) -> None:
    arrays = [rng.integers(0, 256, (3, 5, 3)).astype(dtype) for _ in range(4)]
    arrays[0].flags.writeable = False
    stacked = stacked_on(torch.device("cpu"), arrays)
    np.testing.assert_array_equal(stacked.numpy(), np.stack(arrays))
    assert stacked.numpy().dtype == dtype


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_arrays_reach_a_gpu(rng: np.random.Generator) -> None:
    arrays = [rng.integers(0, 256, (3, 5, 3), dtype=np.uint8) for _ in range(4)]
    np.testing.assert_array_equal(stacked_on(torch.device("cuda"), arrays).cpu().numpy(), np.stack(arrays))
