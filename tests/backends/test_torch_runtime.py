"""Pictures on their way to a device."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from edit_metrics.backends import torch_runtime
from edit_metrics.backends.torch_runtime import choose_device, device_name, stacked_on
from edit_metrics.errors import ConfigError


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


@pytest.mark.parametrize("driver", [True, False])
def test_the_name_of_the_device_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch, driver: bool) -> None:
    monkeypatch.setattr(torch_runtime, "_gpu_driver_is_here", lambda: driver)
    assert device_name("auto") == str(choose_device("auto"))
    assert device_name("cpu") == "cpu"
    with pytest.raises(ConfigError, match="auto, cpu, cuda"):
        device_name("tpu")


def test_without_a_gpu_driver_the_device_is_known_without_torch() -> None:
    program = """
import sys
from edit_metrics.backends import torch_runtime
from edit_metrics.pixels.placement import place_pixels

torch_runtime._gpu_driver_is_here = lambda: False
place_pixels(torch_runtime.device_name("auto"))
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
