"""The convolutional stages that LPIPS reads, as data: AlexNet, VGG16, SqueezeNet 1.1 up to their last used layer.

Built here rather than through torchvision, so that no constructor draws random weights only to throw them away.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edit_metrics.errors import WeightsError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Conv:
    """A convolution and its rectifier; ``key`` is torchvision's name of its parameters."""

    key: str
    stride: int = 1
    padding: int = 1


@dataclass(frozen=True, slots=True)
class Fire:
    """SqueezeNet's module: squeeze, then two expansions side by side."""

    key: str


@dataclass(frozen=True, slots=True)
class MaxPool:
    """Maximum pooling with stride 2; ``ceil`` keeps a last window that is not full."""

    kernel: int
    ceil: bool = False


Stage = tuple[Conv | Fire | MaxPool, ...]

STAGES: Final[Mapping[str, tuple[Stage, ...]]] = {
    "alex": (
        (Conv("features.0", stride=4, padding=2),),
        (MaxPool(3), Conv("features.3", padding=2)),
        (MaxPool(3), Conv("features.6")),
        (Conv("features.8"),),
        (Conv("features.10"),),
    ),
    "vgg": (
        (Conv("features.0"), Conv("features.2")),
        (MaxPool(2), Conv("features.5"), Conv("features.7")),
        (MaxPool(2), Conv("features.10"), Conv("features.12"), Conv("features.14")),
        (MaxPool(2), Conv("features.17"), Conv("features.19"), Conv("features.21")),
        (MaxPool(2), Conv("features.24"), Conv("features.26"), Conv("features.28")),
    ),
    "squeeze": (
        (Conv("features.0", stride=2, padding=0),),
        (MaxPool(3, ceil=True), Fire("features.3"), Fire("features.4")),
        (MaxPool(3, ceil=True), Fire("features.6"), Fire("features.7")),
        (MaxPool(3, ceil=True), Fire("features.9")),
        (Fire("features.10"),),
        (Fire("features.11"),),
        (Fire("features.12"),),
    ),
}
"""Network → one stage a layer that LPIPS compares."""

Tensors = dict[str, "torch.Tensor"]
_FEWEST_CHANNELS: Final = 32
"""Of a convolution by transforms: with fewer, transforming costs what it spares."""


def run_stage(stage: Stage, features: torch.Tensor, tensors: Tensors) -> torch.Tensor:
    """N×C×H×W through one stage."""
    from torch.nn import functional

    for layer in stage:
        if isinstance(layer, MaxPool):
            features = functional.max_pool2d(features, layer.kernel, 2, ceil_mode=layer.ceil)
        elif isinstance(layer, Conv):
            features = _convolve(features, tensors, layer.key, layer.stride, layer.padding)
        else:
            features = _fire(features, tensors, layer.key)
    return features


def read_tensors(net: str, path: Path) -> Tensors:
    """The parameters of the network from our own or torchvision's checkpoint, under torchvision's names.

    Args:
        net: a key of :data:`STAGES`.
        path: ``.safetensors``, or a torch checkpoint, which is read with ``weights_only=True``.

    Raises:
        WeightsError: the checkpoint is of another network.
    """
    import torch

    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        found = load_file(path)
    else:
        found = torch.load(path, map_location="cpu", weights_only=True)
    keys = [key for stage in STAGES[net] for layer in stage if not isinstance(layer, MaxPool) for key in _keys(layer)]
    aliases = {f"conv{index}": key for index, key in enumerate(keys)}
    tensors: Tensors = {}
    for name, tensor in found.items():
        layer_name, _, parameter = re.sub(r"^\d{3}\.", "", name).rpartition(".")
        tensors[f"{aliases.get(layer_name, layer_name)}.{parameter}"] = tensor.float()
    wanted = [f"{key}.{parameter}" for key in keys for parameter in ("weight", "bias")]
    missing = [name for name in wanted if name not in tensors]
    if missing:
        raise WeightsError(f"the convolutions of LPIPS {net!r}", f"a checkpoint without {missing[0]}", str(path))
    # channels last is the layout in which pictures arrive, and a fifth faster on the CPU
    return {
        name: tensors[name].to(memory_format=torch.channels_last) if name.endswith("weight") else tensors[name]
        for name in wanted
    }


def _keys(layer: Conv | Fire) -> tuple[str, ...]:
    if isinstance(layer, Conv):
        return (layer.key,)
    return (f"{layer.key}.squeeze", f"{layer.key}.expand1x1", f"{layer.key}.expand3x3")


def _convolve(features: torch.Tensor, tensors: Tensors, key: str, stride: int, padding: int) -> torch.Tensor:
    from torch.nn import functional

    weight, bias = tensors[f"{key}.weight"], tensors[f"{key}.bias"]
    if stride == 1 and _by_transforms(features, weight):
        return convolve_by_transforms(features, weight, bias, padding).relu_()
    return functional.conv2d(features, weight, bias, stride, padding).relu_()


def _by_transforms(features: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether this is a convolution that transforms make cheaper here.

    Of one picture: of several NNPACK computes otherwise, and slower. With AVX-512 direct convolution is as fast.
    """
    import torch

    one = features.device.type == "cpu" and features.dtype == torch.float32 and len(features) == 1
    wide = weight.shape[1] >= _FEWEST_CHANNELS and weight.shape[2] >= 3
    return one and wide and min(features.shape[2:]) >= weight.shape[2] and _transforms_are_faster()


@cache
def _transforms_are_faster() -> bool:
    import torch

    # The operator has no public name in torch; where a release is without it, direct convolution takes its place.
    known = hasattr(torch, "_nnpack_available") and hasattr(torch, "_nnpack_spatial_convolution")
    return known and torch.backends.cpu.get_cpu_capability() == "AVX2" and bool(torch._nnpack_available())


def convolve_by_transforms(
    features: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, padding: int
) -> torch.Tensor:
    """Convolution of stride 1 by Winograd's transform (3×3) or Fourier's (5×5), through the NNPACK in torch.

    With fewer multiplications than the direct one (Lavin & Gray, CVPR 2016), its values within 2e-5 of the largest.

    Args:
        features: 1×C×H×W, float32, on the CPU.
        weight: D×C×k×k.
        bias: D.
        padding: px, on each side.

    Returns:
        1×D×H'×W', channels last as everything here.
    """
    import torch

    sides, stride = (padding, padding), (1, 1)
    found: torch.Tensor = torch._nnpack_spatial_convolution(features, weight, bias, sides, stride)
    return found.contiguous(memory_format=torch.channels_last)


def _fire(features: torch.Tensor, tensors: Tensors, key: str) -> torch.Tensor:
    import torch

    squeezed = _convolve(features, tensors, f"{key}.squeeze", 1, 0)
    wide = (
        _convolve(squeezed, tensors, f"{key}.expand1x1", 1, 0),
        _convolve(squeezed, tensors, f"{key}.expand3x3", 1, 1),
    )
    return torch.cat(wide, dim=1)
