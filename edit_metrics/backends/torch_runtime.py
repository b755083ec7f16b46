"""What every torch backend decides the same way: device, threads, gradient mode, dtype."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edit_metrics.errors import ConfigError

if TYPE_CHECKING:
    import torch


def choose_device(device: str) -> torch.device:
    """``auto`` is the first CUDA device if there is one, else the CPU; any other name is taken at its word.

    Raises:
        ConfigError: the device does not exist here. A run never moves to another device by itself.
    """
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
    except RuntimeError as error:
        raise ConfigError("auto, cpu, cuda or cuda:N as device", repr(device)) from error
    if chosen.type not in ("cpu", "cuda"):
        raise ConfigError("auto, cpu, cuda or cuda:N as device", repr(device))
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        found = f"{torch.cuda.device_count()} CUDA devices here"
        raise ConfigError(f"the device {device!r}", found, todo="Use --device auto or --device cpu.")
    return chosen


def set_threads(threads: int | None) -> None:
    """Bound the threads of one torch operation, process-wide; None leaves torch's own choice."""
    import torch

    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def bound_threads(threads: int | None) -> None:
    """:func:`set_threads` for the calling thread, where torch is in use at all: each thread has a bound of its own."""
    if "torch" in sys.modules:
        set_threads(threads)


def computing_dtype(device: torch.device, dtype: str) -> torch.dtype:
    """What a network runs in: float32, or bfloat16 where it was asked for and the device computes it natively.

    A processor without bfloat16 would take several times longer over numbers that are no better: it gets float32, and
    its results lie within what bfloat16 is allowed to change (docs/performance.md).
    """
    import torch

    native = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if dtype == "bfloat16" and native else torch.float32


@contextmanager
def inference(device: torch.device, dtype: str) -> Iterator[None]:
    """No gradients, and autocast to :func:`computing_dtype` unless it is float32."""
    import torch

    chosen = computing_dtype(device, dtype)
    with torch.inference_mode():
        if chosen is torch.float32:
            yield
        else:
            with torch.autocast(device.type, dtype=chosen):
                yield
