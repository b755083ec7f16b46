"""Visual quality as learned models see it (docs/metrics.md, quality): of E, and E minus S.

The simple readings (blur, noise, blocks, clipping, banding, colour, bandwidth) stand in :mod:`.no_reference` and
:mod:`.artefacts`, each with its two columns.
"""

from __future__ import annotations

from functools import partial
from typing import Final, Protocol

import numpy as np

from edit_metrics.registry import Identity, metric
from edit_metrics.types import Direction, Float32, Missing, unavailable

LOGIT_SCALE: Final = 100.0
"""The temperature at which CLIP was trained (Radford 2021)."""
_of_edited = partial(metric, direction=Direction.HIGHER_IS_BETTER, identity="depends on the picture")
_delta = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, identity=Identity(0.0, 1e-5), antisymmetric=1e-5
)  # fmt: skip


def antonym_probability(embedding: Float32, antonyms: Float32, *, logit_scale: float = LOGIT_SCALE) -> float:
    """Probability of the first of two antonym prompts: softmax over logit_scale · cosine (CLIP-IQA, Wang et al. 2023).

    The published CLIP-IQA runs a CLIP without its positional embedding at the picture's own size; this one reads the
    embedding that the other metrics share, so that its values are not the published ones.

    Args:
        embedding: f(picture), D, unit norm.
        antonyms: 2×D, unit norm: t("Good photo."), t("Bad photo.").
        logit_scale: the temperature.

    Returns:
        A probability in [0, 1], high = good.
    """
    good, bad = logit_scale * (antonyms.astype(np.float64) @ embedding.astype(np.float64))
    return float(1.0 / (1.0 + np.exp(np.clip(bad - good, -500.0, 500.0))))


@_of_edited("quality.clip_iqa_edited", bounds=(0.0, 1.0), unit="probability")
def clip_iqa_edited(edited_clip_iqa: float) -> float:
    """E: probability of "Good photo." against "Bad photo." in CLIP's space (idea: CLIP-IQA, Wang et al. 2023).

    See :func:`antonym_probability` for how it differs from the published measure. Missing without a CLIP backend.
    """
    return edited_clip_iqa


@_delta("quality.clip_iqa_delta", bounds=(-1.0, 1.0), unit="probability difference")
def clip_iqa_delta(source_clip_iqa: float, edited_clip_iqa: float) -> float:
    """E minus S: probability of "Good photo." against "Bad photo."; 0 = as the source.

    Missing without a CLIP backend.
    """
    return edited_clip_iqa - source_clip_iqa


class LearnedScores(Protocol):
    """What is read of a :class:`edit_metrics.backends.pyiqa_quality.LearnedQuality`."""

    @property
    def musiq(self) -> float | None:
        """About 0..100."""
        ...

    @property
    def topiq(self) -> float | None:
        """About 0..1."""
        ...


@_of_edited("quality.musiq_edited", bounds=(None, None), unit="", on_request=True)
def musiq_edited(edited_iqa: LearnedScores) -> float | Missing:
    """E: MUSIQ (Ke et al. 2021, KonIQ-10k), about 0..100; ``unavailable(no_weights)`` without its file."""
    return _given(edited_iqa.musiq)


@_delta("quality.musiq_delta", bounds=(None, None), unit="", on_request=True)
def musiq_delta(source_iqa: LearnedScores, edited_iqa: LearnedScores) -> float | Missing:
    """E minus S: MUSIQ (Ke et al. 2021); 0 = as the source; ``unavailable(no_weights)``."""
    return _given_delta(source_iqa.musiq, edited_iqa.musiq)


@_of_edited("quality.topiq_edited", bounds=(None, None), unit="", on_request=True)
def topiq_edited(edited_iqa: LearnedScores) -> float | Missing:
    """E: TOPIQ-NR (Chen et al. 2024, KonIQ-10k), about 0..1; ``unavailable(no_weights)`` without its file."""
    return _given(edited_iqa.topiq)


@_delta("quality.topiq_delta", bounds=(None, None), unit="", on_request=True)
def topiq_delta(source_iqa: LearnedScores, edited_iqa: LearnedScores) -> float | Missing:
    """E minus S: TOPIQ-NR (Chen et al. 2024); 0 = as the source; ``unavailable(no_weights)``."""
    return _given_delta(source_iqa.topiq, edited_iqa.topiq)


def _given(value: float | None) -> float | Missing:
    return unavailable("no_weights") if value is None else value


def _given_delta(before: float | None, after: float | None) -> float | Missing:
    return unavailable("no_weights") if before is None or after is None else after - before
