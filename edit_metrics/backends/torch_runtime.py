"""What every torch backend decides the same way: device, threads, gradient mode, dtype."""

from __future__ import annotations

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


@contextmanager
def inference(device: torch.device, dtype: str) -> Iterator[None]:
    """No gradients, and autocast to ``dtype`` unless it is float32."""
    import torch

    with torch.inference_mode():
        if dtype == "float32":
            yield
        else:
            with torch.autocast(device.type, dtype=getattr(torch, dtype)):
                yield
