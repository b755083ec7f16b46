"""A classifier of the mean colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edit_metrics.backends.base import Fingerprint
from edit_metrics.backends.registry import backend
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import add
from edit_metrics.weights.entries import HubRepository, Weight, WeightFile

add(
    Weight(
        name="mine.linear",
        role="classifier of the mean colour",
        licence="CC0-1.0",
        profiles=(),
        source=HubRepository("mine/linear", "0123456789abcdef0123456789abcdef01234567"),
        files=(
            WeightFile(
                name="linear.npy",
                size=144,
                sha256="8a0f0e31c81fda911c77b91cf85e18cac881cbd95c25aef65b93c5db2b9a1570",
                member="linear.npy",
            ),
        ),
    ),
    __name__,
)


@backend("mine.linear", "safety", "safety_second")
class LinearSafety:
    """Role ``safety``: the logistic of a weighted mean colour.

    Args:
        weights: catalogue name, or a path with a slash.
        category: what the probability is of.
    """

    reentrant: Final = True

    def __init__(self, *, weights: str = "mine.linear", category: str = "violence") -> None:
        self._weights: Float32 = np.load(store.locate(weights))
        self._fingerprint = self.describe({"weights": weights, "category": category})
        self._category = category

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """What must be in the model cache."""
        return (options["weights"],)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """Everything the numbers depend on."""
        return Fingerprint("mine/linear", {"weights": store.digest(options["weights"])}, "mean colour in [0, 1]")

    @property
    def fingerprint(self) -> Fingerprint:
        """As described."""
        return self._fingerprint

    @property
    def categories(self) -> tuple[str, ...]:
        """The one."""
        return (self._category,)

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        """N pictures → N×1."""
        means = np.stack([image.mean(axis=(0, 1)) / 255 for image in images])
        return np.asarray(1 / (1 + np.exp(-(means @ self._weights[:3] + self._weights[3]))), np.float32)[:, None]
