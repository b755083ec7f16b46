"""EfficientNet-lite0 (Tan and Le, 2019; its lite form has no squeeze-and-excitation), as TensorFlow pads it.

Built here rather than by timm, whose import reads every family of networks that it knows: two seconds of a start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edit_metrics.errors import WeightsError

if TYPE_CHECKING:
    import torch

_EPSILON: Final = 1e-3
"""Of TensorFlow's batch norms."""
_STEM: Final = 32
_HEAD: Final = 1280


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Equal inverted residual blocks, the first of which may halve the grid.

    Attributes:
        kernel: side of the depthwise convolution.
        stride: of the first block.
        expand: how many times wider the inside is.
        channels: what comes out.
        count: blocks.
    """

    kernel: int
    stride: int
    expand: int
    channels: int
    count: int


_STAGES: Final = (
    _Blocks(3, 1, 1, 16, 1), _Blocks(3, 2, 6, 24, 2), _Blocks(5, 2, 6, 40, 2), _Blocks(3, 2, 6, 80, 3),
    _Blocks(5, 1, 6, 112, 3), _Blocks(5, 2, 6, 192, 4), _Blocks(3, 1, 6, 320, 1),
)  # fmt: skip


def efficientnet_lite0(path: Path, classes: int) -> torch.nn.Module:
    """Pictures of even sides, N×3×H×W in [-1, 1], to logits; each batch norm is folded into its convolution.

    Args:
        path: a ``.safetensors`` file whose names, sorted, are the tensors in the order of the network: convolution,
            its norm's scale, shift, mean, variance and count; weights and biases of the classes last.
        classes: of the classifier.

    Raises:
        WeightsError: the file holds another network.
    """
    import torch
    from safetensors.torch import load_file
    from torch import nn
    from torch.nn import functional
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    found = load_file(path)
    tensors = iter([found[name] for name in sorted(found)])

    class Conv2d(nn.Conv2d):
        def reset_parameters(self) -> None:
            """Nothing is drawn that is replaced at once."""

    class Conv2dSame(Conv2d):
        """With stride 2 TensorFlow pads the right and the bottom by one pixel more."""

        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 (torch's own name)
            less, more = (self.kernel_size[0] - 2) // 2, (self.kernel_size[0] - 1) // 2
            return functional.conv2d(
                functional.pad(input, (less, more, less, more)), self.weight, self.bias, 2, 0, 1, self.groups
            )

    class Linear(nn.Linear):
        def reset_parameters(self) -> None:
            """See above."""

    class Residual(nn.Module):
        def __init__(self, *layers: nn.Module) -> None:
            super().__init__()
            self.inside = nn.Sequential(*layers)

        def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002
            inside: torch.Tensor = self.inside(input)
            return input + inside

    def convolution(before: int, after: int, kernel: int = 1, stride: int = 1, groups: int = 1) -> nn.Conv2d:
        weight, scale, shift, mean, variance, _ = (next(tensors, torch.empty(0)) for _ in range(6))
        if weight.shape != (after, before // groups, kernel, kernel) or variance.shape != (after,):
            raise WeightsError("the 296 tensors of EfficientNet-lite0", f"{len(found)} others", str(path))
        kind = Conv2dSame if stride == 2 else Conv2d
        layer = kind(before, after, kernel, stride=stride, padding=0 if stride == 2 else kernel // 2, groups=groups)
        layer.weight, layer.bias = fuse_conv_bn_weights(
            nn.Parameter(weight, requires_grad=False), None, mean, variance, _EPSILON, scale, shift
        )
        return layer

    def block(before: int, stage: _Blocks, stride: int) -> nn.Module:
        wide = before * stage.expand
        layers: list[nn.Module] = []
        if stage.expand > 1:
            layers += [convolution(before, wide), nn.ReLU6(inplace=True)]
        layers += [convolution(wide, wide, stage.kernel, stride, groups=wide), nn.ReLU6(inplace=True)]
        layers.append(convolution(wide, stage.channels))
        return (Residual if stride == 1 and before == stage.channels else nn.Sequential)(*layers)

    with torch.no_grad():
        layers: list[nn.Module] = [convolution(3, _STEM, 3, 2), nn.ReLU6(inplace=True)]
        layers += [block(before, stage, stride) for before, stage, stride in _each_block()]
        layers += [convolution(_STAGES[-1].channels, _HEAD), nn.ReLU6(inplace=True)]
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        last = Linear(_HEAD, classes)
        weight, bias, *others = tensors
        if weight.shape != last.weight.shape or bias.shape != last.bias.shape or others:
            raise WeightsError("the 296 tensors of EfficientNet-lite0", f"{len(found)} others", str(path))
        last.weight, last.bias = (nn.Parameter(tensor, requires_grad=False) for tensor in (weight, bias))
        network: nn.Module = nn.Sequential(*layers, last).eval()
        return network.to(memory_format=torch.channels_last)


def _each_block() -> Iterator[tuple[int, _Blocks, int]]:
    """Channels that come in, what the block is like, its stride."""
    before = _STEM
    for stage in _STAGES:
        for index in range(stage.count):
            yield before, stage, stage.stride if index == 0 else 1
            before = stage.channels
