"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019): sentences to unit vectors, the text half of ConSE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from edit_metrics.backends.torch_runtime import inference
from edit_metrics.types import Float32

if TYPE_CHECKING:
    import torch

CONTEXT_LENGTH: Final = 256
"""Tokens, special ones included, that the model was published with; what is over it is cut off."""
_REMEMBERED: Final = 16_384


class MiniLm:
    """Mean pooling over the tokens of the last layer.

    Args:
        folder: ``config.json``, ``model.safetensors`` and the tokenizer's files.
        device: where the model runs.
        dtype: see :func:`~edit_metrics.backends.torch_runtime.inference`.
        batch_size: texts of one forward pass; they are sorted by length, so that little is padding.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: str, batch_size: int) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        shows_bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = AutoModel.from_pretrained(folder, local_files_only=True).eval().to(device)
        finally:
            if shows_bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        self._device, self._dtype, self._batch_size = device, dtype, batch_size
        self._dimensions = int(self._model.config.hidden_size)
        self._known: dict[str, Float32] = {}

    def encode(self, texts: Sequence[str]) -> Float32:
        """N texts → N×D, unit norm; each distinct text is computed once and remembered."""
        new = sorted({text for text in texts if text not in self._known}, key=lambda text: (len(text), text))
        fresh: dict[str, Float32] = {}
        for start in range(0, len(new), self._batch_size):
            batch = new[start : start + self._batch_size]
            fresh.update(zip(batch, self._forward(batch), strict=True))
        vectors = [fresh[text] if text in fresh else self._known[text] for text in texts]
        if len(self._known) + len(fresh) > _REMEMBERED:
            self._known.clear()
        self._known.update(fresh)
        return np.array(vectors, dtype=np.float32).reshape(-1, self._dimensions)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text before it is cut, special ones included."""
        if not texts:
            return []
        return [len(row) for row in self._tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]

    def _forward(self, texts: Sequence[str]) -> Float32:
        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=CONTEXT_LENGTH, return_tensors="pt"
        ).to(self._device)
        with inference(self._device, self._dtype):
            states = self._model(**tokens).last_hidden_state.float()
            weights = tokens["attention_mask"][:, :, None].float()
            sums = (states * weights).sum(dim=1)
            unit: Float32 = (sums / sums.norm(dim=1, keepdim=True)).cpu().numpy()
        return unit
