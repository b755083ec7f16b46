"""ConSE (Norouzi et al., 2014): a shared picture-text space from a classifier and a sentence encoder.

A picture is the mean of the sentence embeddings of its ten likeliest ImageNet class names, weighted by their
probabilities; a text is its own sentence embedding. It is what can be had without a model hub: a real shared space,
weak outside the names of objects, and blind to style, colour and relations.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from edit_metrics.backends.base import DTYPES, EncoderTraits, Fingerprint, one_of
from edit_metrics.backends.efficientnet_lite import efficientnet_lite0
from edit_metrics.backends.minilm import CONTEXT_LENGTH, MiniLm
from edit_metrics.backends.preprocess import REDUCING_GAP
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import choose_device, computing_dtype, placed, set_threads, stacked_on
from edit_metrics.errors import MissingExtraError
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store
from edit_metrics.weights.derived import derived_array

if TYPE_CHECKING:
    import torch

_TOP: Final = 10
_SHORT_SIDE: Final = 256
_CROP: Final = 224
_CLASSES: Final = 1000
_VERSION: Final = 1


@backend("conse", "conse", packages=("timm",), extra="embedded")
class ConseEncoder:
    """Role ``conse``: EfficientNet-lite0 and MiniLM.

    Args:
        image_weights: reference of the classifier.
        text_weights: reference of the sentence encoder's folder.
        batch_size: pictures of one forward pass.
        dtype: of both networks; probabilities and embeddings are always float32.
        device: see :func:`~edit_metrics.backends.factory.build_backend`.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True

    def __init__(
        self,
        *,
        image_weights: str = "conse.image",
        text_weights: str = "conse.text",
        batch_size: int = 4,
        dtype: str = "float32",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        options = {"image_weights": image_weights, "text_weights": text_weights, "dtype": dtype}
        self._fingerprint = self.describe(options)
        self._device, self._batch_size = choose_device(device), batch_size
        self._dtype = computing_dtype(self._device, dtype)
        set_threads(threads)
        self._classifier = placed(efficientnet_lite0(store.locate(image_weights), _CLASSES), self._device, dtype)
        self._text = MiniLm(store.locate(text_weights), self._device, dtype)
        self._class_embeddings = _embed_class_names(text_weights, self._device)

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["image_weights"], options["text_weights"])

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        image, text = cls.weights(options)
        return Fingerprint(
            name="conse/efficientnet_lite0+all-MiniLM-L6-v2",
            weights={"image": store.digest(image), "text": store.digest(text)},
            preprocessing=f"bicubic short side {_SHORT_SIDE}, box-reduced to {REDUCING_GAP:.0f} times it first, "
            f"centre crop {_CROP}, top {_TOP} classes; "
            f"mean pooling over {CONTEXT_LENGTH} tokens",
            dtype=one_of("dtype", options["dtype"], DTYPES),
            version=_VERSION,
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    @property
    def traits(self) -> EncoderTraits:
        """Named ``conse``, never CLIP; ‖ΔI‖ under .15 is not told from a re-encode (docs/profiles.md)."""
        return EncoderTraits("conse", "center", CONTEXT_LENGTH, blind_below=0.15)

    def encode_images(self, images: Sequence[RGB]) -> Float32:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        probabilities = self.class_probabilities(images)
        top = np.argpartition(probabilities, -_TOP, axis=1)[:, -_TOP:]
        kept = np.zeros_like(probabilities)
        np.put_along_axis(kept, top, np.take_along_axis(probabilities, top, axis=1), axis=1)
        embeddings = kept @ self._class_embeddings
        unit: Float32 = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        return unit

    def class_probabilities(self, images: Sequence[RGB]) -> Float32:
        """N pictures → N×1000 ImageNet probabilities."""
        import torch

        found = [np.zeros((0, _CLASSES), np.float32)]
        for start in range(0, len(images), self._batch_size):
            crops = [_crop(image) for image in images[start : start + self._batch_size]]
            pixels = stacked_on(self._device, crops).permute(0, 3, 1, 2)
            with torch.inference_mode():
                logits = self._classifier(pixels.float().div_(127.5).sub_(1).to(self._dtype))
                found.append(logits.float().softmax(dim=1).cpu().numpy())
        return np.concatenate(found)

    def encode_texts(self, texts: Sequence[str]) -> Float32:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        return self._text.encode(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See :class:`~edit_metrics.backends.base.ImageTextEncoder`."""
        return self._text.count_tokens(texts)


def _embed_class_names(text_weights: str, device: torch.device) -> Float32:
    """1000×D in float32, kept on disk beside the weights: computing it takes longer than all else here."""
    names = class_names()
    key = hashlib.sha256("\n".join([str(_VERSION), store.digest(text_weights), *names]).encode()).hexdigest()[:32]

    def compute() -> Float32:
        return MiniLm(store.locate(text_weights), device, "float32", batch_size=64).encode(names)

    return derived_array("conse-class-names", key, compute)


def class_names() -> list[str]:
    """The 1000 ImageNet classes in the order of the classifier's outputs, with synonyms (``tench, Tinca tinca``).

    Read from timm's files without its import, which takes two seconds.
    """
    spec = importlib.util.find_spec("timm")
    if spec is None or spec.origin is None:
        raise MissingExtraError("timm", "embedded", "ImageNet's class names")
    folder = Path(spec.origin).parent / "data" / "_info"
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text(encoding="utf-8").splitlines()
    lemmas = dict(csv.reader(lines, delimiter="\t"))
    return [lemmas[synset] for synset in (folder / "imagenet_synsets.txt").read_text(encoding="utf-8").splitlines()]


def _crop(image: RGB) -> RGB:
    """Short side to 256, centre crop 224×224: what the classifier was trained with."""
    height, width = image.shape[:2]
    short = min(height, width)
    size = (int(_SHORT_SIDE * width / short), int(_SHORT_SIDE * height / short))
    resized = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC, reducing_gap=REDUCING_GAP))
    top, left = (round((side - _CROP) / 2) for side in resized.shape[:2])
    return resized[top : top + _CROP, left : left + _CROP]
