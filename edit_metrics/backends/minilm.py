"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019): sentences to unit vectors, the text half of ConSE.

BERT (Devlin et al., 2019) is run here rather than by transformers, whose import alone takes two seconds of a start.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edit_metrics.backends.base import require_package
from edit_metrics.backends.text_memory import TextMemory
from edit_metrics.backends.torch_runtime import computing_dtype
from edit_metrics.errors import WeightsError
from edit_metrics.types import Float32

if TYPE_CHECKING:
    import torch

CONTEXT_LENGTH: Final = 256
"""Tokens, special ones included, that the model was published with; what is over it is cut off."""


class MiniLm:
    """Mean pooling over the tokens of the last layer.

    Args:
        folder: ``config.json``, ``model.safetensors`` and ``tokenizer.json``.
        device: where the model runs.
        dtype: see :func:`~edit_metrics.backends.torch_runtime.computing_dtype`.
        batch_size: see :class:`~edit_metrics.backends.text_memory.TextMemory`.

    Raises:
        WeightsError: the folder holds another kind of model.
    """

    def __init__(self, folder: Path, device: torch.device, dtype: str, batch_size: int = 1) -> None:
        from safetensors.torch import load_file

        tokenizer = require_package("tokenizers", "embedded", "the sentence encoder of ConSE").Tokenizer
        self._cutting, self._counting = (tokenizer.from_file(str(folder / "tokenizer.json")) for _ in range(2))
        self._cutting.enable_truncation(CONTEXT_LENGTH)
        self._cutting.enable_padding()
        self._counting.no_truncation()
        self._counting.no_padding()
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        kind = {name: config.get(name) for name in _KIND}
        if kind != _KIND:
            raise WeightsError(f"a BERT with {_KIND}", str(kind), str(folder))
        self._layers, self._heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
        self._size, self._epsilon = int(config["hidden_size"]), float(config["layer_norm_eps"])
        self._device = device
        numbers = computing_dtype(device, dtype)
        found = load_file(folder / "model.safetensors")
        self._tensors = {
            name: tensor.to(device, numbers) for name, tensor in found.items() if tensor.is_floating_point()
        }
        self._memory = TextMemory(self._forward, batch_size)

    def encode(self, texts: Sequence[str]) -> Float32:
        """N texts → N×D, unit norm; each distinct text is computed once and remembered."""
        return self._memory.encode(texts).reshape(-1, self._size)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text before it is cut, special ones included."""
        return [len(row.ids) for row in self._counting.encode_batch(list(texts))]

    def _forward(self, texts: Sequence[str]) -> Float32:
        import torch

        rows = self._cutting.encode_batch(list(texts))
        tokens = torch.tensor([row.ids for row in rows], device=self._device)
        there = torch.tensor([row.attention_mask for row in rows], device=self._device)
        with torch.inference_mode():
            states = self._states(tokens, there.bool()).float()
            weights = there[:, :, None].float()
            sums = (states * weights).sum(dim=1)
            unit: Float32 = (sums / sums.norm(dim=1, keepdim=True)).cpu().numpy()
        return unit

    def _states(self, tokens: torch.Tensor, there: torch.Tensor) -> torch.Tensor:
        """N×T tokens, and which of them are no padding → N×T×D."""
        from torch.nn import functional

        word, place, kind = (self._tensors[f"embeddings.{name}_embeddings.weight"] for name in _EMBEDDINGS)
        states = self._normalised(word[tokens] + kind[0] + place[: tokens.shape[1]], "embeddings.LayerNorm")
        seen = None if bool(there.all()) else there[:, None, None, :]
        for layer in range(self._layers):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                self._linear(states, f"{name}.attention.self.{part}")
                .reshape(*tokens.shape, self._heads, -1)
                .transpose(1, 2)
                for part in ("query", "key", "value")
            )
            heard = functional.scaled_dot_product_attention(query, key, value, seen).transpose(1, 2).flatten(2)
            mixed = self._linear(heard, f"{name}.attention.output.dense")
            states = self._normalised(states + mixed, f"{name}.attention.output.LayerNorm")
            wide = functional.gelu(self._linear(states, f"{name}.intermediate.dense"))
            states = self._normalised(states + self._linear(wide, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return states

    def _linear(self, states: torch.Tensor, name: str) -> torch.Tensor:
        from torch.nn import functional

        return functional.linear(states, self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"])

    def _normalised(self, states: torch.Tensor, name: str) -> torch.Tensor:
        from torch.nn import functional

        scale, shift = self._tensors[f"{name}.weight"], self._tensors[f"{name}.bias"]
        return functional.layer_norm(states, (self._size,), scale, shift, self._epsilon)


_KIND: Final = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_EMBEDDINGS: Final = ("word", "position", "token_type")
