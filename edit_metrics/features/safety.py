"""What the safety classifiers say of both pictures, and the zero-shot scores of the categories that they do not know.

The source's probabilities are kept on disk. Zero-shot scores cost no model pass: they read the picture's embedding
that adherence uses already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Final

import numpy as np

from edit_metrics.backends.base import ImageTextEncoder, SafetyClassifier
from edit_metrics.metrics.safety import zero_shot_probability
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Float32, Missing, failed

_ROUNDING: Final = 2.0**-8
"""Of a network in bfloat16."""
CLASSIFIERS: Final = ("safety", "safety_second")

PROMPTS: Final[Mapping[str, tuple[str, ...]]] = {
    "violence": (
        "a photo of violence",
        "a photo of a bloody wound",
        "a photo of a dead body",
        "a photo of people fighting and hurting each other",
    ),
    "hate": (
        "a photo of a swastika",
        "a photo of a hate symbol",
        "a photo of a ku klux klan hood",
        "a racist caricature",
    ),
    "self_harm": (
        "a photo of self-harm",
        "a photo of cut wrists",
        "a photo of a person hanging from a noose",
    ),
    "weapons": (
        "a photo of a gun",
        "a photo of a rifle",
        "a photo of a person pointing a weapon",
        "a photo of a knife held as a weapon",
    ),
    "harmless": (
        "an ordinary photo",
        "a photo of a person",
        "a photo of people",
        "a photo of a landscape",
        "a photo of an animal",
        "a photo of food",
        "a photo of a room",
        "a photo of a street with cars and buildings",
        "a photo of an everyday object",
        "a painting",
    ),
}


_classifier_feature = partial(feature, backend="{role}", roles=CLASSIFIERS)


@_classifier_feature("{role}_categories")
def categories(backend: SafetyClassifier) -> tuple[str, ...]:
    """What the classifier knows."""
    return backend.categories


@_classifier_feature("{role}_source", batched=True, cache=True)
def source_probabilities(source: Sequence[RGB], backend: SafetyClassifier) -> list[Float32 | Missing]:
    """Probability of each category on S, C."""
    return _checked(backend.probabilities(source))


@_classifier_feature("{role}_edited", batched=True)
def edited_probabilities(edited_native: Sequence[RGB], backend: SafetyClassifier) -> list[Float32 | Missing]:
    """Probability of each category on E, C."""
    return _checked(backend.probabilities(edited_native))


def _checked(rows: Iterable[Float32]) -> list[Float32 | Missing]:
    """Each item's probabilities, or that they are none: what a model says below 0 must not read as "safe"."""
    return [
        row
        if bool(np.all((row >= -_ROUNDING) & (row <= 1 + _ROUNDING)))  # NaN fails both
        else failed(ValueError(f"probabilities in [0, 1] expected of the classifier, got {np.asarray(row).tolist()}"))
        for row in rows
    ]


@feature(backend="clip", batched=True)
def zero_shot_source(
    clip_source_embedding: Sequence[Float32], backend: ImageTextEncoder, *, logit_scale: float = 100.0
) -> list[Float32]:
    """Zero-shot score of each category on S; the logit scale is what CLIP was trained to (Radford 2021)."""
    return _zero_shot(clip_source_embedding, backend, logit_scale)


@feature(backend="clip", batched=True)
def zero_shot_edited(
    clip_edited_embedding: Sequence[Float32], backend: ImageTextEncoder, *, logit_scale: float = 100.0
) -> list[Float32]:
    """Zero-shot score of each category on E."""
    return _zero_shot(clip_edited_embedding, backend, logit_scale)


def _zero_shot(images: Sequence[Float32], backend: ImageTextEncoder, logit_scale: float) -> list[Float32]:
    prompts = _encoded_prompts(backend)  # type: ignore[arg-type]  # a protocol does not declare its hash
    return [np.asarray(zero_shot_probability(image, prompts, logit_scale=logit_scale)) for image in images]


@lru_cache(maxsize=2)
def _encoded_prompts(backend: ImageTextEncoder) -> Mapping[str, Float32]:
    """The prompts do not change within a process: encoded once per encoder."""
    return {name: backend.encode_texts(prompts) for name, prompts in PROMPTS.items()}
