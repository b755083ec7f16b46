"""What every torch backend decides the same way: device, threads, dtype, and how pictures get to the device."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import ConfigError

if TYPE_CHECKING:
    import torch

N = TypeVar("N", bound="torch.nn.Module")


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


def device_name(device: str) -> str:
    """The name of :func:`choose_device`, without the seconds of importing torch where it cannot be but the CPU.

    Raises:
        ConfigError: as there.
    """
    if device == "cpu" or (device == "auto" and "torch" not in sys.modules and not _gpu_driver_is_here()):
        return "cpu"
    return str(choose_device(device))


def _gpu_driver_is_here() -> bool:
    """Whether torch could find a GPU: NVIDIA's driver library, which CUDA loads by this name, or AMD's device."""
    if Path("/dev/kfd").exists():
        return True
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def set_threads(threads: int | None) -> None:
    """Bound the threads of one torch operation, process-wide; None leaves torch's own choice."""
    import torch

    if threads is not None and torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


def bound_threads(threads: int | None) -> None:
    """:func:`set_threads` for the calling thread, where torch is in use at all: each thread has a bound of its own."""
    if "torch" in sys.modules:
        set_threads(threads)


def threads_here() -> int | None:
    """Threads of one torch operation that the calling thread starts; None where torch is not in use."""
    if "torch" not in sys.modules:
        return None
    import torch

    return torch.get_num_threads()


def computing_dtype(device: torch.device, dtype: str) -> torch.dtype:
    """What a network runs in: float32, or bfloat16 where it was asked for and the device computes it natively.

    A processor without bfloat16 would take several times longer over numbers that are no better: it gets float32, and
    its results lie within what bfloat16 is allowed to change (docs/performance.md).
    """
    import torch

    native = device.type != "cpu" or torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if dtype == "bfloat16" and native else torch.float32


def stacked_on(device: torch.device, arrays: Sequence[NDArray[Any]]) -> torch.Tensor:
    """N arrays of one shape and dtype → N×… on the device, in the same dtype.

    For a GPU they are stacked straight into page-locked memory, so that the copy runs beside this thread; pinning an
    array that exists already would cost a copy more than it saves.
    """
    import torch

    pinned = device.type == "cuda"
    dtype = torch.from_numpy(np.empty(0, arrays[0].dtype)).dtype
    stacked = torch.empty((len(arrays), *arrays[0].shape), dtype=dtype, pin_memory=pinned)
    np.stack(arrays, out=stacked.numpy())
    return stacked.to(device, non_blocking=pinned)


def placed(network: N, device: torch.device, dtype: str) -> N:
    """The network in eval mode on the device, its weights in :func:`computing_dtype`.

    Casting the weights once is not only cheaper than autocast's casts at every call: on a CPU autocast also keeps
    attention off torch's fused path, and ViT-B/32 in bfloat16 is then slower than in float32.
    """
    moved: N = network.eval().to(device=device, dtype=computing_dtype(device, dtype))
    return moved
