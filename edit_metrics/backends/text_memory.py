"""Embeddings of texts, each distinct text computed once a process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from edit_metrics.types import Float32

_REMEMBERED: Final = 16_384


class TextMemory:
    """A text encoder that remembers: prompts come back with every batch, instructions with every model's edit.

    Args:
        forward: a batch of texts → N×D.
        batch_size: texts of one forward pass, sorted by length, so that little of it is padding. More than one only
            where all texts come in one call: which of them are new depends on which lane of the engine came first, and
            what shares a pass moves the last bits of an embedding.

    Attributes:
        lock: held while texts are encoded, by one thread at a time; for whatever else uses the same tokenizer, which
            may keep state between calls.
    """

    def __init__(self, forward: Callable[[Sequence[str]], Float32], batch_size: int = 1) -> None:
        self._forward, self._batch_size = forward, batch_size
        self._known: dict[str, Float32] = {}
        self.lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Float32:
        """N texts → N×D; 0×0 for none."""
        with self.lock:
            return self._encode(texts)

    def clear(self) -> None:
        """Forget what was encoded."""
        with self.lock:
            self._known.clear()

    def _encode(self, texts: Sequence[str]) -> Float32:
        new = sorted({text for text in texts if text not in self._known}, key=lambda text: (len(text), text))
        fresh: dict[str, Float32] = {}
        for start in range(0, len(new), self._batch_size):
            batch = new[start : start + self._batch_size]
            fresh.update(zip(batch, self._forward(batch), strict=True))
        vectors = [fresh[text] if text in fresh else self._known[text] for text in texts]
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known.clear()
        self._known.update(fresh)
        return np.stack(vectors) if vectors else np.zeros((0, 0), dtype=np.float32)
