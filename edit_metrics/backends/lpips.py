"""LPIPS v0.1 (Zhang et al., 2018) with maps per layer, and Gram distances (Gatys et al., 2016) from the same pass."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np

from edit_metrics.backends.base import DTYPES, Fingerprint, one_of
from edit_metrics.backends.lpips_nets import STAGES, read_tensors, run_stage
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import choose_device, computing_dtype, set_threads, stacked_on
from edit_metrics.errors import WeightsError
from edit_metrics.perceived import PerceptualPair
from edit_metrics.pixels.remembered import Remembered, key_of
from edit_metrics.types import RGB, Float32, Mask
from edit_metrics.weights import store

if TYPE_CHECKING:
    import torch

A = TypeVar("A", RGB, Float32)

_SHIFT: Final = (-0.030, -0.088, -0.188)
_SCALE: Final = (0.458, 0.448, 0.450)
"""LPIPS v0.1's own input normalisation of pictures in [-1, 1]."""
_EPSILON: Final = 1e-10


@backend("lpips", "perceptual")
class LpipsBackbone:
    """Role ``perceptual``. The sum over layers of the mean of each layer's map is LPIPS.

    Args:
        net: ``alex``, ``vgg`` or ``squeeze``.
        weights: reference of the convolutions; empty = the catalogue's for ``net``. The linear layers are those that
            the ``lpips`` package ships.
        max_side: pairs whose longer side is over it are area-downsampled to it first; None = native size.
        batch_pixels: bound on the pixels of one forward pass, both pictures counted; a single pair may exceed it.
        dtype: of the convolutions and Gram matrices; differences are always taken in float32.
        keep_bytes: on a CPU, of sources' features that stay in memory as they were computed (5.3 MB for 512² by
            AlexNet in bfloat16): a source is compared again where the derived region is left out, and with each model's
            edit of it. 0 keeps none; on a GPU none are kept, since pictures go through it together.
        gram: whether Gram distances are taken at all; the engine knows whether anything reads them.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True
    on_demand: Final = ("gram",)

    def __init__(
        self,
        *,
        net: str = "alex",
        weights: str = "",
        max_side: int | None = None,
        batch_pixels: int = 2_097_152,
        dtype: str = "float32",
        keep_bytes: int = 268_435_456,
        gram: bool = True,
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        import torch

        options = {"net": net, "weights": weights, "max_side": max_side, "dtype": dtype}
        self._fingerprint = self.describe(options)
        self._gram, self._max_side, self._batch_pixels = gram, max_side, batch_pixels
        self._device = choose_device(device)
        self._dtype = computing_dtype(self._device, dtype)
        keeps = keep_bytes and self._device.type == "cpu"
        self._store = Remembered(keep_bytes, features_bytes) if keeps else None
        set_threads(threads)
        self._stages = STAGES[net]
        tensors = read_tensors(net, store.locate(weights or f"lpips.{net}"))
        self._tensors = {name: tensor.to(self._device, self._dtype) for name, tensor in tensors.items()}
        linear = torch.load(_linear_path(net), map_location=self._device, weights_only=True)
        self._linear = [linear[f"lin{layer}.model.1.weight"].float() for layer in range(len(self._stages))]
        # (x / 127.5 − 1 − shift) / scale, as one multiplication and one addition
        self._gain = torch.tensor([1 / (127.5 * scale) for scale in _SCALE], device=self._device)
        offsets = [(-1 - shift) / scale for shift, scale in zip(_SHIFT, _SCALE, strict=True)]
        self._offset = torch.tensor(offsets, device=self._device)

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        net = one_of("net", options["net"], tuple(STAGES))
        return (options["weights"] or f"lpips.{net}",)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        (convolutions,) = cls.weights(options)
        cap = options["max_side"]
        return Fingerprint(
            name=f"lpips/{options['net']}",
            weights={
                "convolutions": store.digest(convolutions),
                "linear": store.sha256_of(_linear_path(options["net"])),
            },
            preprocessing="native size" if cap is None else f"area-downsampled to a longer side of {cap}",
            dtype=one_of("dtype", options["dtype"], DTYPES),
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def compare(
        self, sources: Sequence[RGB], edited: Sequence[RGB], kept: Sequence[Mask | None], *, gram: bool = True
    ) -> list[PerceptualPair]:
        """See :class:`~edit_metrics.backends.base.PerceptualBackbone`."""
        pairs: list[PerceptualPair | None] = [None] * len(sources)
        small_sources = [self._capped(image) for image in sources]
        small_edited = [self._capped(image) for image in edited]
        at_once = self._batch_pixels if self._store is None else 0
        for chunk in _same_size_chunks([image.shape[:2] for image in small_sources], at_once):
            first, second = [small_sources[i] for i in chunk], [small_edited[i] for i in chunk]
            areas = [kept[i] for i in chunk] if gram and self._gram else None
            for i, pair in zip(chunk, self._compare_chunk(first, second, areas), strict=True):
                pairs[i] = pair
        return [pair for pair in pairs if pair is not None]

    def _capped(self, image: RGB) -> RGB:
        longest = max(image.shape[:2])
        if self._max_side is None or longest <= self._max_side:
            return image
        height, width = (max(1, round(side * self._max_side / longest)) for side in image.shape[:2])
        return _area_resize(image, (height, width))

    def _compare_chunk(
        self, sources: list[RGB], edited: list[RGB], kept: list[Mask | None] | None
    ) -> list[PerceptualPair]:
        """Pictures of one size; ``kept``: for the Gram matrices, where they are taken."""
        import torch

        maps: list[torch.Tensor] = []
        grams: list[torch.Tensor] = []
        with torch.inference_mode():
            areas = None if kept is None else self._areas(kept, (edited[0].shape[0], edited[0].shape[1]))
            for (first, second), linear in zip(self._layers(sources, edited), self._linear, strict=True):
                if areas is not None:
                    grams.append(_gram_distance(first, second, areas))
                maps.append(_difference(first.float(), second.float(), linear))
            layers = [layer.cpu().numpy() for layer in maps]
            distances = torch.stack(grams, dim=1).cpu().numpy() if grams else np.empty((len(sources), 0))
        return [
            PerceptualPair(tuple(layer[i] for layer in layers), tuple(float(value) for value in distances[i]))
            for i in range(len(sources))
        ]

    def _layers(self, sources: list[RGB], edited: list[RGB]) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Features of both, layer by layer; together, or the sources' from memory and each picture alone.

        Alone, since a picture's features differ in the last digits with the batch that it is in: values may not depend
        on what was seen before, and equal pictures are at a distance of 0.
        """
        if self._store is None:
            yield from self._halves(self._normalised([*sources, *edited]))
            return
        (source,), (picture,) = sources, edited
        first = self._store.of(key_of(source), lambda: tuple(self._stagewise(self._normalised([source]))))
        yield from zip(first, self._stagewise(self._normalised([picture])), strict=True)

    def _halves(self, images: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        half = len(images) // 2
        for features in self._stagewise(images):
            yield features[:half], features[half:]

    def _stagewise(self, features: torch.Tensor) -> Iterator[torch.Tensor]:
        for stage in self._stages:
            features = run_stage(stage, features, self._tensors)
            yield features

    def _normalised(self, images: list[RGB]) -> torch.Tensor:
        import torch

        pixels = stacked_on(self._device, images)
        return torch.addcmul(self._offset, pixels.float(), self._gain).permute(0, 3, 1, 2).to(self._dtype)

    def _areas(self, kept: list[Mask | None], size: tuple[int, int]) -> torch.Tensor:
        """Weights of the Gram matrices on the pictures' grid, N×1×H×W in [0, 1]."""
        areas = [np.ones(size, np.float32) if mask is None else _resized_area(mask, size) for mask in kept]
        return stacked_on(self._device, areas)[:, None]


def _resized_area(mask: Mask, size: tuple[int, int]) -> Float32:
    area = mask.astype(np.float32)
    return area if area.shape == size else _area_resize(area, size)


def _area_resize(image: A, size: tuple[int, int]) -> A:
    import cv2

    resized = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    return resized.astype(image.dtype, copy=False)


def features_bytes(features: tuple[torch.Tensor, ...]) -> int:
    """Of one picture's features, 1×C_l×H_l×W_l a layer."""
    return sum(layer.numel() * layer.element_size() for layer in features)


def _difference(first: torch.Tensor, second: torch.Tensor, linear: torch.Tensor) -> torch.Tensor:
    """Channel-weighted squared difference of unit-normalised features, N×H×W."""
    import torch

    rows, others = _rows(first), _rows(second)
    unit = rows / torch.linalg.vector_norm(rows, dim=1, keepdim=True).add_(_EPSILON)
    other_unit = others / torch.linalg.vector_norm(others, dim=1, keepdim=True).add_(_EPSILON)
    distances = torch.mv(unit.sub_(other_unit).square_(), linear.flatten())
    return distances.view(len(first), *first.shape[2:])


def _rows(features: torch.Tensor) -> torch.Tensor:
    """N×C×H×W to NHW×C in float32; a view, where channels come last."""
    return features.float().permute(0, 2, 3, 1).flatten(0, 2)


def _gram_distance(first: torch.Tensor, second: torch.Tensor, areas: torch.Tensor) -> torch.Tensor:
    """‖G₁ − G₂‖ / (‖G₁‖ + ‖G₂‖) of each pair, N; 0 for two pictures without any feature."""
    import torch
    from torch.nn import functional

    height, width = first.shape[2:]
    weights = functional.adaptive_avg_pool2d(areas, (height, width)).flatten(1)
    weights = weights / weights.sum(1, keepdim=True).clamp_min(_EPSILON)
    gram_first, gram_second = _gram(first, weights), _gram(second, weights)
    scale = _norm(gram_first) + _norm(gram_second)
    return _norm(gram_first.sub_(gram_second)) / scale.clamp_min(torch.finfo(scale.dtype).tiny)


def _gram(features: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """N×C×H×W to N×C×C in float32, averaged over the pixels with weights N×HW that add up to 1."""
    rows = features.permute(0, 2, 3, 1).flatten(1, 2)
    return (rows.mT @ (rows * weights[:, :, None].to(rows.dtype))).float()


def _norm(matrices: torch.Tensor) -> torch.Tensor:
    return matrices.square().sum((1, 2)).sqrt()


def _same_size_chunks(sizes: Sequence[tuple[int, ...]], batch_pixels: int) -> Iterator[list[int]]:
    """Positions of equal size, in runs of at most ``batch_pixels`` for both pictures of every pair."""
    by_size: dict[tuple[int, ...], list[int]] = {}
    for position, size in enumerate(sizes):
        by_size.setdefault(size, []).append(position)
    for (height, width), positions in by_size.items():
        at_once = max(1, batch_pixels // (2 * height * width))
        for start in range(0, len(positions), at_once):
            yield positions[start : start + at_once]


def _linear_path(net: str) -> Path:
    """The packaged linear layers; found without importing ``lpips``, which would import torchvision."""
    spec = importlib.util.find_spec("lpips")
    if spec is None or spec.origin is None:
        raise WeightsError("the linear layers of LPIPS", "no package lpips", todo="Run: pip install lpips")
    return Path(spec.origin).parent / "weights" / "v0.1" / f"{net}.pth"
