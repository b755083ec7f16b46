"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019): sentences to unit vectors, the text half of ConSE."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edit_metrics.backends.text_memory import TextMemory
from edit_metrics.backends.torch_runtime import placed
from edit_metrics.types import Float32

if TYPE_CHECKING:
    import torch

CONTEXT_LENGTH: Final = 256
"""Tokens, special ones included, that the model was published with; what is over it is cut off."""


class MiniLm:
    """Mean pooling over the tokens of the last layer.

    Args:
        folder: ``config.json``, ``model.safetensors`` and the tokenizer's files.
        device: where the model runs.
        dtype: see :func:`~edit_metrics.backends.torch_runtime.computing_dtype`.
        batch_size: see :class:`~edit_metrics.backends.text_memory.TextMemory`.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: str, batch_size: int = 1) -> None:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        shows_bars = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = placed(AutoModel.from_pretrained(folder, local_files_only=True), device, dtype)
        finally:
            if shows_bars:
                logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        self._device = device
        self._memory = TextMemory(self._forward, batch_size)

    def encode(self, texts: Sequence[str]) -> Float32:
        """N texts → N×D, unit norm; each distinct text is computed once and remembered."""
        return self._memory.encode(texts).reshape(-1, self._model.config.hidden_size)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text before it is cut, special ones included."""
        if not texts:
            return []
        with self._memory.lock:
            return [len(row) for row in self._tokenizer(list(texts), truncation=False, verbose=False)["input_ids"]]

    def _forward(self, texts: Sequence[str]) -> Float32:
        import torch

        tokens = self._tokenizer(
            list(texts), padding=True, truncation=True, max_length=CONTEXT_LENGTH, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            states = self._model(**tokens).last_hidden_state.float()
            weights = tokens["attention_mask"][:, :, None].float()
            sums = (states * weights).sum(dim=1)
            unit: Float32 = (sums / sums.norm(dim=1, keepdim=True)).cpu().numpy()
        return unit
