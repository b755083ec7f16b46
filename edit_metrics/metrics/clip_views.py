"""CLIP similarity as published tables print it: comparable only under the same encoder, which a label names."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import partial

from edit_metrics.metrics.adherence import clip_t
from edit_metrics.metrics.embedding import Embedding, cosine, with_truncation
from edit_metrics.registry import metric
from edit_metrics.types import Direction, Missing, Noted, Result

_view_of_cosine = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, identity="depends on the edited picture and the text"
)


@_view_of_cosine("adherence.clip_t_x100", bounds=(0.0, 100.0), unit="100·cosine")
def clip_t_x100(
    clip_edited_embedding: Embedding,
    clip_target_caption_embedding: Embedding,
    clip_truncated_texts: Collection[str] | None = None,
) -> Result:
    """100·max(cos(f(E), t(T1)), 0), bare caption: the view of torchmetrics and PIE-Bench (there OpenAI ViT-L/14).

    Comparable with published tables only under the same encoder, which the label ``adherence.clip_encoder`` names.
    Arguments as :func:`clip_t`.
    """
    return _view(100.0, clip_t(clip_edited_embedding, clip_target_caption_embedding, clip_truncated_texts))


@_view_of_cosine("adherence.clip_score_a_photo_depicts", bounds=(0.0, 2.5), unit="2.5·cosine")
def clip_score(
    clip_edited_embedding: Embedding,
    clip_depicts_target_embedding: Embedding,
    clip_truncated_texts: Collection[str] | None = None,
) -> Result:
    """2.5·max(cos(f(E), t("A photo depicts " + T1)), 0): CLIPScore (Hessel 2021, there OpenAI ViT-B/32).

    Args:
        clip_edited_embedding: f(E), D.
        clip_depicts_target_embedding: embedding of the target caption behind that prefix, D.
        clip_truncated_texts: names of the texts that were over the encoder's context length.
    """
    value = cosine(clip_edited_embedding, clip_depicts_target_embedding)
    return _view(2.5, with_truncation(value, clip_truncated_texts, "target_caption", "depicts_target"))


def _view(factor: float, result: Result) -> Result:
    if isinstance(result, Missing):
        return result
    if isinstance(result, Noted):
        return replace(result, value=factor * max(result.value, 0.0))
    return factor * max(result, 0.0)
