"""dlib's face embedding network (King 2017), read from dlib's own file and run by torch.

dlib's convolutions are an order of magnitude slower on a CPU, and its Python binding holds the interpreter's lock while
they run. The numbers are the same to 1e-5.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edit_metrics.errors import WeightsError
from edit_metrics.types import RGB, Float32

if TYPE_CHECKING:
    import torch

_MEAN: Final = (122.782, 117.001, 104.298)
_BLOCKS: Final = ((32, 3, False), (64, 4, True), (128, 3, True), (256, 3, True), (256, 1, True))
"""Channels, residual blocks, and whether the first of them halves the grid; input first."""
_LAYER: Final = re.compile(rb"\x05con_4|\x07affine_|\x04fc_2")
_EXPECTED: Final = "dlib_face_recognition_resnet_model_v1.dat"


@dataclass(frozen=True, slots=True)
class _Convolution:
    """A convolution with the scale and shift after it folded in."""

    weight: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True, slots=True)
class _Block:
    """A residual block; ``halves``: on every second pixel."""

    halves: bool
    first: _Convolution
    second: _Convolution


class DlibResNet:
    """Chips to embeddings, in float32 on the CPU.

    Args:
        path: dlib's file.

    Raises:
        WeightsError: the file holds another network.
    """

    def __init__(self, path: Path) -> None:
        import torch

        layers = _read_layers(path.read_bytes(), path)
        self._mean = torch.tensor(_MEAN)
        self._first = _fold(layers, 32, 3, 7, path)
        self._blocks = [
            _Block(
                down and index == 0,
                _fold(layers, channels, before if index == 0 else channels, 3, path),
                _fold(layers, channels, channels, 3, path),
            )
            for before, (channels, count, down) in zip((32, 32, 64, 128, 256), _BLOCKS, strict=True)
            for index in range(count)
        ]
        last = next(layers, np.empty(0, np.float32))
        if last.size != 256 * 128:
            raise WeightsError(_EXPECTED, "another last layer", str(path))
        self._last = torch.from_numpy(last.reshape(256, 128))

    def embed(self, chip: RGB) -> Float32:
        """A face, 150×150×3 → 128, in dlib's own scale.

        One at a time: together they take a tenth less and are no longer the same to the last bit.
        """
        import torch
        from torch.nn import functional

        with torch.inference_mode():
            features = ((torch.from_numpy(chip).float() - self._mean) / 256).permute(2, 0, 1)[None]
            features = functional.conv2d(features, self._first.weight, self._first.bias, 2).relu_()
            features = functional.max_pool2d(features, 3, 2)
            for block in self._blocks:
                features = _residual(features, block)
            embedded: Float32 = (features.mean((2, 3)) @ self._last)[0].numpy()
        return embedded


def _residual(features: torch.Tensor, block: _Block) -> torch.Tensor:
    from torch.nn import functional

    stride, padding = (2, 0) if block.halves else (1, 1)
    inner = functional.conv2d(features, block.first.weight, block.first.bias, stride, padding).relu_()
    inner = functional.conv2d(inner, block.second.weight, block.second.bias, padding=1)
    skipped = functional.avg_pool2d(features, 2) if block.halves else features
    # dlib adds arrays of different shapes as if the smaller one went on in zeros.
    shape = [max(a, b) for a, b in zip(inner.shape[1:], skipped.shape[1:], strict=True)]
    return (_widened(inner, shape) + _widened(skipped, shape)).relu_()


def _widened(features: torch.Tensor, shape: Sequence[int]) -> torch.Tensor:
    from torch.nn import functional

    channels, rows, columns = (wanted - have for wanted, have in zip(shape, features.shape[1:], strict=True))
    return functional.pad(features, (0, columns, 0, rows, 0, channels)) if channels or rows or columns else features


def _fold(layers: Iterator[Float32], channels: int, before: int, side: int, path: Path) -> _Convolution:
    """The next convolution and the scale and shift that follow it, as one convolution."""
    import torch

    weights, affine = next(layers, np.empty(0)), next(layers, np.empty(0))
    if weights.size != channels * (before * side * side + 1) or affine.size != 2 * channels:
        raise WeightsError(_EXPECTED, f"a layer of {weights.size} and {affine.size} numbers", str(path))
    scale, shift = affine[:channels], affine[channels:]
    kernel = weights[:-channels].reshape(channels, before, side, side) * scale[:, None, None, None]
    bias = weights[-channels:] * scale + shift
    packed = torch.from_numpy(kernel).contiguous(memory_format=torch.channels_last)
    return _Convolution(packed, torch.from_numpy(bias))


def _read_layers(data: bytes, path: Path) -> Iterator[Float32]:
    """Parameters of each layer that has some, from the input on.

    After a layer's name stand the version of the tensor format, four sizes as integers of variable length, and the
    numbers. The name is looked for from the end of the last tensor, so that no number is taken for one.
    """
    place = 0
    while (found := _LAYER.search(data, place)) is not None:
        place = found.end()
        if found.group() == b"\x04fc_2":
            place = _skip_integers(data, place, 2)  # outputs and inputs
        version, place = _integer(data, place)
        sizes = []
        for _ in range(4):
            size, place = _integer(data, place)
            sizes.append(size)
        count = int(np.prod(sizes))
        if version != 2 or place + 4 * count > len(data):
            raise WeightsError(_EXPECTED, "a file of another layout", str(path))
        yield np.frombuffer(data, "<f4", count, place).astype(np.float32)
        place += 4 * count


def _integer(data: bytes, place: int) -> tuple[int, int]:
    """An integer of dlib's (a byte with its length, then its bytes, lowest first), and where the next thing starts."""
    length = data[place] & 0x0F
    return int.from_bytes(data[place + 1 : place + 1 + length], "little"), place + 1 + length


def _skip_integers(data: bytes, place: int, count: int) -> int:
    for _ in range(count):
        _, place = _integer(data, place)
    return place
