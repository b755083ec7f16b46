"""Features of pictures that were seen a moment ago: a source is compared several times, with several models' edits."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import numpy as np

from edit_metrics.types import RGB

if TYPE_CHECKING:
    import torch

Features = tuple["torch.Tensor", ...]
"""Of one picture, 1×C_l×H_l×W_l a layer."""


class FeatureStore:
    """The most recently used pictures' features, as they were computed. Safe for threads.

    Args:
        max_bytes: of all features together.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, Features] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Features | None:
        """The features, if they are still there."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def put(self, key: str, features: Features) -> None:
        """Keep a picture's features, if there is room for them at all; they may not be written to from here on."""
        size = _bytes_of(features)
        if size > self._max_bytes:
            return
        with self._lock:
            self._bytes += size - _bytes_of(self._kept.pop(key, ()))
            self._kept[key] = features
            while self._bytes > self._max_bytes:
                _, oldest = self._kept.popitem(last=False)
                self._bytes -= _bytes_of(oldest)


def key_of(image: RGB) -> str:
    """By its content."""
    return f"{image.shape}:{hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()}"


def _bytes_of(features: Features) -> int:
    return sum(layer.numel() * layer.element_size() for layer in features)
