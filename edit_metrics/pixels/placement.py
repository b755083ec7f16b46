"""Where pixel measures run: with OpenCV on the CPU, or in torch on the GPU that the models are on.

Settled once a process, by whoever places the models: on a machine with a GPU the card would otherwise wait for the CPU.
On the CPU torch takes two to five times as long as OpenCV, so it is used there in tests alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import torch

SMALLEST_SIDE: Final = 64
"""px under which a picture is measured on the CPU anyway: the blurs' borders reach over the frame, nothing is won."""
_device: list[torch.device] = []


def place_pixels(device: str) -> None:
    """``cuda`` or ``cuda:N``: pixel measures run there from now on; any other device: on the CPU, with OpenCV."""
    _device.clear()
    if device.startswith("cuda"):
        import torch

        _device.append(torch.device(device))


@contextmanager
def torch_kernels_on(device: str) -> Iterator[None]:
    """The torch kernels on that device, for tests: also on the CPU."""
    import torch

    before = _device[:]
    _device[:] = [torch.device(device)]
    try:
        yield
    finally:
        _device[:] = before


def kernel_device(height: int, width: int) -> torch.device | None:
    """Where torch measures a picture of that size; None = with OpenCV."""
    return _device[0] if _device and min(height, width) >= SMALLEST_SIDE else None
