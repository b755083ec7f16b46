"""Stubs for unit tests: no weights, no meaning. They answer at once, the same on every machine, and say so by name.

Their values follow low-level statistics (block means, absolute differences), so that equal inputs give equal values
and different inputs different ones. Nothing that they return says anything about a picture.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edit_metrics.backends.base import EncoderTraits, Fingerprint
from edit_metrics.backends.registry import backend
from edit_metrics.perceived import Face, PerceptualPair
from edit_metrics.types import RGB, Float32, Mask

_GRID: Final = 4
_DIMENSIONS: Final = 3 * _GRID * _GRID


class _Stub:
    """What the stubs share. For unit tests only."""

    _role = ""

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """None: a stub has no weights."""
        return ()

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return Fingerprint(f"stub/{cls._role} (for unit tests only)", {}, f"means of a {_GRID}x{_GRID} grid")

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self.describe({})


@backend("stub", "clip", "conse")
class StubEncoder(_Stub):
    """Roles ``clip`` and ``conse``, for unit tests only: pictures to block means, texts to numbers seeded by a hash."""

    _role = "encoder"

    @property
    def traits(self) -> EncoderTraits:
        """A context of 16 words, so that truncation can be tested."""
        return EncoderTraits("stub (for unit tests only)", "center", context_length=16, blind_below=1e-3)

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        """Unit-norm block means of each picture, around mid-grey."""
        return _unit_norm([block_means(image) - 0.5 for image in images])

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        """Unit-norm numbers seeded by each text's hash."""
        return _unit_norm([_hashed_normal(text) for text in texts])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Words and two."""
        return [len(text.split()) + 2 for text in texts]


@backend("stub", "perceptual")
class StubPerceptual(_Stub):
    """Role ``perceptual``, for unit tests only: absolute differences at half and at a quarter of the size."""

    _role = "perceptual"

    def compare(
        self, sources: Sequence[RGB], edited: Sequence[RGB], kept: Sequence[Mask | None], *, gram: bool = True
    ) -> list[PerceptualPair]:
        """Two maps a pair; ``gram_distances`` are the distances of the mean colours over the kept pixels."""
        return [_compare(*pair) for pair in zip(sources, edited, kept, strict=True)]


@backend("stub", "safety", "safety_second")
class StubSafety(_Stub):
    """Role ``safety``, for unit tests only: ``nudity`` is the share of strongly red pixels."""

    _role = "safety"

    @property
    def categories(self) -> tuple[str, ...]:
        """``nudity``."""
        return ("nudity",)

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        """Share of pixels whose red exceeds green and blue by 100 levels or more."""
        shares = [float(np.mean(image[..., 0].astype(int) - image[..., 1:].max(axis=2) >= 100)) for image in images]
        return np.array(shares, dtype=np.float32).reshape(-1, 1)


@backend("stub", "faces")
class StubFaces(_Stub):
    """Role ``faces``, for unit tests only: one face, the middle of any picture that is not of one colour."""

    _role = "faces"

    def find_faces(self, images: Sequence[RGB]) -> list[tuple[Face, ...]]:
        """The middle half of each picture, embedded by its block means."""
        return [_middle_face(image) for image in images]

    def similarity(self, first: Float32, second: Float32) -> Float32:
        """1 − Euclidean distance, clipped to [0, 1]."""
        distances = np.linalg.norm(first[:, None] - second[None], axis=2)
        clipped: Float32 = np.clip(1 - distances, 0, 1).astype(np.float32)
        return clipped


def block_means(image: RGB) -> Float32:
    """Means of a 4×4 grid of blocks, 48 numbers in [0, 1]."""
    rows = np.array_split(image, _GRID, axis=0)
    blocks = [block for row in rows for block in np.array_split(row, _GRID, axis=1)]
    means = [block.reshape(-1, 3).mean(axis=0) if block.size else np.zeros(3) for block in blocks]
    return (np.concatenate(means) / 255).astype(np.float32)


def _hashed_normal(text: str) -> Float32:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).standard_normal(_DIMENSIONS).astype(np.float32)


def _unit_norm(vectors: Sequence[Float32]) -> Float32:
    stacked = np.array(vectors, dtype=np.float32).reshape(-1, _DIMENSIONS)
    norms = np.linalg.norm(stacked, axis=1, keepdims=True)
    flat = np.full(_DIMENSIONS, _DIMENSIONS**-0.5, dtype=np.float32)
    return np.where(norms > 1e-6, stacked / np.maximum(norms, 1e-6), flat).astype(np.float32)


def _compare(source: RGB, edited: RGB, kept: Mask | None) -> PerceptualPair:
    difference = np.abs(source.astype(np.float32) - edited.astype(np.float32)).mean(axis=2) / 255
    area = np.ones(difference.shape, np.bool_) if kept is None or not kept.any() else kept
    colours = [image[area].mean(axis=0) / 255 for image in (source, edited)]
    distance = float(np.linalg.norm(colours[0] - colours[1]) / np.sqrt(3))
    return PerceptualPair((difference[::2, ::2], difference[::4, ::4]), (distance, distance))


def _middle_face(image: RGB) -> tuple[Face, ...]:
    height, width = image.shape[:2]
    top, left = height // 4, width // 4
    middle = image[top : height - top, left : width - left]
    if middle.size == 0 or int(middle.max()) == int(middle.min()):
        return ()
    box = (float(left), float(top), float(width - left), float(height - top))
    return (Face(box, 1.0, block_means(middle)),)
