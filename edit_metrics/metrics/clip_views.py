"""CLIP similarity as published tables print it: comparable only under the same encoder, which a label names."""

from __future__ import annotations

from collections.abc import Collection

from edit_metrics.metrics.adherence import clip_t, encoder_metric
from edit_metrics.metrics.embedding import Embedding, cosine, with_truncation
from edit_metrics.types import Measurement, measured


@encoder_metric(
    "t_x100", "edited_embedding", "target_caption_embedding", "truncated_texts", roles=("clip",), bounds=(0.0, 100.0),
    unit="100·cosine",
)  # fmt: skip
def clip_t_x100(
    edited_embedding: Embedding,
    target_caption_embedding: Embedding,
    truncated_texts: Collection[str] | None = None,
) -> Measurement:
    """100·max(cos(f(E), t(T1)), 0), bare caption: the view of torchmetrics and PIE-Bench (there OpenAI ViT-L/14).

    Comparable with published tables only under the same encoder, which the label ``adherence.clip_encoder`` names.
    Arguments as :func:`clip_t`.
    """
    return _view(100.0, clip_t(edited_embedding, target_caption_embedding, truncated_texts))


@encoder_metric(
    "score_a_photo_depicts", "edited_embedding", "depicts_target_embedding", "truncated_texts", roles=("clip",),
    bounds=(0.0, 2.5), unit="2.5·cosine",
)  # fmt: skip
def clip_score(
    edited_embedding: Embedding,
    depicts_target_embedding: Embedding,
    truncated_texts: Collection[str] | None = None,
) -> Measurement:
    """2.5·max(cos(f(E), t("A photo depicts " + T1)), 0): CLIPScore (Hessel 2021, there OpenAI ViT-B/32).

    Args:
        edited_embedding: f(E), D.
        depicts_target_embedding: embedding of the target caption behind that prefix, D.
        truncated_texts: names of the texts that were over the encoder's context length.
    """
    value = cosine(edited_embedding, depicts_target_embedding)
    return _view(2.5, with_truncation(value, truncated_texts, "target_caption", "depicts_target"))


def _view(factor: float, measurement: Measurement) -> Measurement:
    if measurement.value is None:
        return measurement
    return measured(factor * max(measurement.value, 0.0), *measurement.cautions)
