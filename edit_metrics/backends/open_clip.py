"""Any CLIP-like model of open_clip: CLIP, SigLIP, EVA … from a catalogued weight or a file of the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from edit_metrics.backends.base import DTYPES, EncoderTraits, Fingerprint, one_of, require_package
from edit_metrics.backends.preprocess import map_in_threads
from edit_metrics.backends.registry import backend
from edit_metrics.backends.text_memory import TextMemory
from edit_metrics.backends.torch_runtime import choose_device, computing_dtype, placed, set_threads, stacked_on
from edit_metrics.errors import ConfigError, WeightsError, suggest
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

if TYPE_CHECKING:
    import torch

_CATALOGUED: Final[Mapping[tuple[str, str], str]] = {
    ("ViT-B-32", "laion2b_s34b_b79k"): "open_clip.vit_b_32",
    ("ViT-L-14", "openai"): "open_clip.vit_l_14_openai",
    ("ViT-B-16-SigLIP2", "webli"): "open_clip.siglip2_b_16",
}
_PREPROCESSING: Final = ("mean", "std", "interpolation", "resize_mode")


@backend("open_clip", "clip")
class OpenClipEncoder:
    """Role ``clip``.

    Args:
        model: architecture, as open_clip names it; passed over when ``weights`` is a folder, whose
            ``open_clip_config.json`` then says what it is.
        pretrained: open_clip's tag; it settles activation and normalisation, which the weights alone do not say; empty
            = open_clip's defaults for the architecture.
        weights: reference of a state dict (safetensors, or a checkpoint that ``torch.load(weights_only=True)`` reads)
            or of a folder in open_clip's own layout; empty = the catalogue's for model and tag.
        blind_below: ‖ΔI‖ that the encoder gives to a mere re-encode (90th percentile). The default is an assumption
            until ``benchmarks/measure_encoder.py`` has been run on the encoder.
        batch_size: pictures of one forward pass.
        dtype: of the network; embeddings are float32.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True

    def __init__(
        self,
        *,
        model: str = "ViT-B-32",
        pretrained: str = "laion2b_s34b_b79k",
        weights: str = "",
        blind_below: float = 0.15,
        batch_size: int = 32,
        dtype: str = "float32",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        library = require_package("open_clip", "", "text-image encoders")
        options = {"model": model, "pretrained": pretrained, "weights": weights, "dtype": dtype}
        self._fingerprint = self.describe(options)
        self._device, self._batch_size = choose_device(device), batch_size
        self._dtype = computing_dtype(self._device, dtype)
        set_threads(threads)
        path = store.locate(_reference(options))
        self._network = placed(_load(library, model, pretrained, path), self._device, dtype)
        preprocessing = library.transform.PreprocessCfg(**self._network.visual.preprocess_cfg)
        self._transform = library.transform.image_transform_v2(preprocessing, is_train=False)
        self._tokenizer = library.get_tokenizer(f"local-dir:{path}" if path.is_dir() else model)
        self._traits = EncoderTraits(
            name=_name(options),
            crop="center" if preprocessing.resize_mode == "shortest" else "squash",
            context_length=int(self._tokenizer.context_length),
            blind_below=blind_below,
        )
        self._encode_tokens = _text_tower(library, self._network)
        self._texts = TextMemory(self._forward_texts)

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (_reference(options),)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return Fingerprint(
            name=f"open_clip/{_name(options)}",
            weights={"encoder": store.digest(_reference(options))},
            preprocessing=f"open_clip's evaluation transform of {options['model']}, {options['pretrained']}",
            dtype=one_of("dtype", options["dtype"], DTYPES),
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    @property
    def traits(self) -> EncoderTraits:
        """See :class:`~edit_metrics.backends.base.EncoderTraits`."""
        return self._traits

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        import torch

        parts = []
        with torch.inference_mode():
            for start in range(0, len(images), self._batch_size):
                batch = images[start : start + self._batch_size]
                pixels = map_in_threads(lambda image: self._transform(Image.fromarray(image)).numpy(), batch)
                parts.append(self._network.encode_image(stacked_on(self._device, pixels).to(self._dtype)))
            return _unit(torch.cat(parts)) if parts else np.zeros((0, 0), dtype=np.float32)

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        return self._texts.encode(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        with self._texts.lock:
            return self._count_tokens(texts)

    def _count_tokens(self, texts: Sequence[str]) -> list[int]:
        inner = getattr(self._tokenizer, "tokenizer", None)
        if inner is not None:
            cleaned = [self._tokenizer.clean_fn(text) for text in texts]
            return [len(inner(text, truncation=False)["input_ids"]) for text in cleaned]
        start_and_end = 2
        return [len(self._tokenizer.encode(text)) + start_and_end for text in texts]

    def _forward_texts(self, texts: Sequence[str]) -> Float32:
        import torch

        with torch.inference_mode():
            return _unit(self._encode_tokens(self._tokenizer(list(texts)).to(self._device)))


def _unit(embeddings: torch.Tensor) -> Float32:
    from torch.nn import functional

    unit: Float32 = functional.normalize(embeddings.float(), dim=-1).cpu().numpy()
    return unit


def _text_tower(library: ModuleType, network: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """The network's text tower; CLIP's own without the padding.

    In CLIP's tower a token sees only those before it and the end token is read, so what is padded behind the batch's
    longest text changes nothing; a caption takes some 10 to 20 of its 77 tokens.
    """
    if not (isinstance(network, library.CLIP) and network.text_pool_type == "argmax" and _is_causal(network.attn_mask)):
        encode: Callable[[torch.Tensor], torch.Tensor] = network.encode_text
        return encode

    def encode_unpadded(tokens: torch.Tensor) -> torch.Tensor:
        length = int(tokens.argmax(dim=-1).max()) + 1  # the end token has the highest number
        tokens = tokens[:, :length]
        states = network.token_embedding(tokens) + network.positional_embedding[:length]
        states = network.ln_final(network.transformer(states, attn_mask=network.attn_mask[:length, :length]))
        ends: torch.Tensor = states[range(len(tokens)), tokens.argmax(dim=-1)]
        projection = network.text_projection
        if projection is None:
            return ends
        projected: torch.Tensor = projection(ends) if callable(projection) else ends @ projection
        return projected

    return encode_unpadded


def _is_causal(mask: torch.Tensor | None) -> bool:
    import torch

    if mask is None:
        return False
    later = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return bool(mask[later].isneginf().all() and not mask[~later].any())


def _reference(options: Mapping[str, Any]) -> str:
    """The weights that the options mean. A tag that is not catalogued needs a file: nothing unpinned is fetched."""
    known = _CATALOGUED.get((options["model"], options["pretrained"]))
    reference = options["weights"] or known
    if not reference:
        catalogued = ", ".join(f"{model} with {tag}" for model, tag in _CATALOGUED)
        raise ConfigError(
            f"weights for {options['model']} with {options['pretrained']}",
            "an empty option 'weights'",
            "backends.clip.weights",
            f"Give the path of its state dict or of its open_clip folder. Without one: {catalogued}.",
        )
    return str(reference)


def _name(options: Mapping[str, Any]) -> str:
    """Model and tag; weights of the user's own are named after their file, not after a tag that they may not be."""
    if options["weights"] and options["weights"] not in _CATALOGUED.values():
        return f"{options['model']} ({Path(options['weights']).name})"
    return f"{options['model']} {options['pretrained']}"


def _load(library: Any, model: str, pretrained: str, path: Path) -> Any:
    """The network with every one of its weights from ``path``; nothing is fetched."""
    common = {"require_pretrained": True, "weights_only": True, "pretrained_text": False}
    try:
        if path.is_dir():
            return library.create_model(f"local-dir:{path}", **common)
        config = library.get_model_config(model)
        if config is None:
            raise ConfigError("the name of an open_clip model", repr(model), "backends.clip.model")
        if config["text_cfg"].get("hf_tokenizer_name"):
            raise WeightsError(
                f"a folder with open_clip_config.json and the tokenizer of {model}", "a single file", str(path)
            )
        tag = library.get_pretrained_cfg(model, pretrained)
        if pretrained and not tag:
            tags = suggest(pretrained, library.list_pretrained_tags_by_model(model))
            raise ConfigError(f"a tag of {model}", repr(pretrained), "backends.clip.pretrained", tags)
        preprocessing = {key: tag[key] for key in _PREPROCESSING if key in tag}
        return library.create_model(
            model,
            pretrained=str(path),
            force_quick_gelu=bool(tag.get("quick_gelu", False)),
            force_preprocess_cfg=preprocessing,
            **common,
        )
    except (AssertionError, FileNotFoundError, KeyError, RuntimeError, UnpicklingError, ValueError) as error:
        what = " ".join(str(error).split())[:300]
        raise WeightsError(f"weights of the open_clip model {model}", what or repr(error), str(path)) from error
