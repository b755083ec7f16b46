"""Does the edit say what the text says? Cosines in a shared text-image space (docs/metrics.md, adherence).

Every metric here is one function registered for two encoders: ``adherence.clip_*`` reads the features of the role
``clip``, ``adherence.conse_*`` those of the role ``conse``, so that a value never stands under the name of an encoder
that did not make it. The published views, which exist for CLIP alone, stand in :mod:`.clip_views`.

Notation: f and t are the image and the text encoder, S and E the pictures, T0 and T1 the source and the target
caption, I the instruction, ΔI = f(E) − f(S), ΔT = t(T1) − t(T0).
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Final, Literal

import numpy as np

from edit_metrics.metrics.embedding import ENCODERS, Embedding, cosine, image_shift, unit_vector, with_truncation
from edit_metrics.pixels.change import ChangeMap
from edit_metrics.registry import Identity, label, metric, per_role
from edit_metrics.types import Direction, Grid, Missing, Result, not_applicable, undefined, with_cautions

EQUAL_CAPTIONS_BELOW: Final = 1e-4
"""‖ΔT‖ of unit vectors under which the captions are one text; float32 encoders repeat themselves to about 1e-6."""

ENCODER_BLIND: Final = "encoder_blind"

_cosine_metric = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(-1.0, 1.0), unit="cosine", roles=ENCODERS,
    features=per_role("edited_embedding", "target_caption_embedding", "truncated_texts"),
    identity="depends on the edited picture and the text",
)  # fmt: skip
_gain_metric = partial(
    metric, direction=Direction.HIGHER_IS_BETTER, bounds=(-2.0, 2.0), unit="cosine difference", roles=ENCODERS,
    identity=Identity(0.0, 1e-5), antisymmetric=1e-5,
)  # fmt: skip
_PAIR: Final = ("source_embedding", "edited_embedding")


@_cosine_metric("adherence.{role}_t")
def clip_t(
    edited_embedding: Embedding,
    target_caption_embedding: Embedding,
    truncated_texts: Collection[str] | None = None,
) -> Result:
    """cos(f(E), t(T1)): how well the target caption describes the edited picture (CLIPScore, Hessel 2021).

    Args:
        edited_embedding: f(E), D.
        target_caption_embedding: t(T1), D.
        truncated_texts: names of the texts that were over the encoder's context length.
    """
    return with_truncation(cosine(edited_embedding, target_caption_embedding), truncated_texts, "target_caption")


@_gain_metric(
    "adherence.{role}_t_gain",
    features=per_role(*_PAIR, "target_caption_embedding", "blind_below", "truncated_texts"),
)
def clip_t_gain(
    source_embedding: Embedding,
    edited_embedding: Embedding,
    target_caption_embedding: Embedding,
    blind_below: float,
    truncated_texts: Collection[str] | None = None,
) -> Result:
    """cos(f(E), t(T1)) − cos(f(S), t(T1)): whether the edit moved the picture towards the target caption.

    A picture that did not change gains 0, which is a value: leaving no-ops out of a mean would favour the model that
    makes them. Below the encoder's own noise the value carries the caution ``encoder_blind``.

    Args:
        source_embedding: f(S), D.
        edited_embedding: f(E), D.
        target_caption_embedding: t(T1), D.
        blind_below: ‖ΔI‖ that the encoder gives to a mere re-encode.
        truncated_texts: names of the texts that were over the encoder's context length.
    """
    gain = _gain(source_embedding, edited_embedding, target_caption_embedding, blind_below)
    return with_truncation(gain, truncated_texts, "target_caption")


@_gain_metric(
    "adherence.{role}_instruction_gain",
    features=per_role(*_PAIR, "instruction_embedding", "blind_below", "truncated_texts"),
)
def clip_instruction_gain(
    source_embedding: Embedding,
    edited_embedding: Embedding,
    instruction_embedding: Embedding,
    blind_below: float,
    truncated_texts: Collection[str] | None = None,
) -> Result:
    """cos(f(E), t(I)) − cos(f(S), t(I)): the gain measured with the instruction, for items without captions.

    Weak, since an instruction describes a change and not a picture; :func:`clip_t_gain` where a caption exists.
    Arguments and cautions as there.
    """
    gain = _gain(source_embedding, edited_embedding, instruction_embedding, blind_below)
    return with_truncation(gain, truncated_texts, "instruction")


@_cosine_metric(
    "adherence.{role}_directional",
    features=per_role(*_PAIR, "source_caption_embedding", "target_caption_embedding", "blind_below", "truncated_texts"),
    identity=undefined(ENCODER_BLIND),
)
def clip_directional(
    source_embedding: Embedding,
    edited_embedding: Embedding,
    source_caption_embedding: Embedding,
    target_caption_embedding: Embedding,
    blind_below: float,
    truncated_texts: Collection[str] | None = None,
) -> Result:
    """ΔI·ΔT / (‖ΔI‖‖ΔT‖): does the picture change in the direction in which the captions do?

    StyleGAN-NADA (Gal 2021), InstructPix2Pix (Brooks 2023). Of unit vectors. ``undefined(encoder_blind)`` when ‖ΔI‖
    is below ``blind_below`` (equal pictures included: the direction of nothing), ``undefined(equal_captions)`` when
    ‖ΔT‖ is below 1e-4, a known fault of the Emu-Edit test captions.

    Args:
        source_embedding: f(S), D.
        edited_embedding: f(E), D.
        source_caption_embedding: t(T0), D.
        target_caption_embedding: t(T1), D.
        blind_below: ‖ΔI‖ that the encoder gives to a mere re-encode.
        truncated_texts: names of the texts that were over the encoder's context length.
    """
    shift = unit_vector(edited_embedding) - unit_vector(source_embedding)
    text_shift = unit_vector(target_caption_embedding) - unit_vector(source_caption_embedding)
    if np.linalg.norm(shift) < blind_below:
        return undefined(ENCODER_BLIND)
    if np.linalg.norm(text_shift) < EQUAL_CAPTIONS_BELOW:
        return undefined("equal_captions")
    return with_truncation(cosine(shift, text_shift), truncated_texts, "source_caption", "target_caption")


@_cosine_metric(
    "adherence.{role}_region", features=per_role("region_embedding", "target_caption_embedding", "truncated_texts")
)
def clip_region(
    region_embedding: Embedding,
    target_caption_embedding: Embedding,
    truncated_texts: Collection[str] | None = None,
) -> Result:
    """cos(f(crop of E), t(T1)) on the bounding box of M plus context, letter-boxed to a square.

    Sees small edits that the whole picture drowns. Missing without a mask. Arguments as :func:`clip_t`.
    """
    return with_truncation(cosine(region_embedding, target_caption_embedding), truncated_texts, "target_caption")


@_cosine_metric(
    "adherence.{role}_i", direction=Direction.NEITHER, features=per_role(*_PAIR), identity=Identity(1.0, 1e-5),
    symmetric=1e-5,
)  # fmt: skip
def clip_i(source_embedding: Embedding, edited_embedding: Embedding) -> float | Missing:
    """cos(f(S), f(E)): how much of the picture's content is left; 1 = nothing changed that the encoder sees."""
    return cosine(source_embedding, edited_embedding)


@metric(
    "adherence.{role}_changed_outside_crop", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0),
    unit="share of changed px", roles=ENCODERS, features=per_role("crop"), grid=Grid.WORKING,
    identity=not_applicable("nothing_changed"),
)  # fmt: skip
def changed_outside_crop(whole_change_map: ChangeMap, crop: Literal["center", "squash"]) -> float | Missing:
    """Share of the changed pixels that the encoder's centre crop hides from it; lowers confidence, judges nothing.

    Args:
        whole_change_map: where E differs from S, on S's grid.
        crop: which part of the picture the encoder sees.
    """
    changed = whole_change_map.changed
    total = int(changed.sum())
    if total == 0:
        return not_applicable("nothing_changed")
    if crop == "squash":
        return 0.0
    height, width = changed.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return 1.0 - int(changed[top : top + side, left : left + side].sum()) / total


@metric(
    "adherence.unrelated", direction=Direction.LOWER_IS_BETTER, bounds=(0.0, 1.0), unit="flag", identity=0.0,
    features={"source_embedding": "clip_source_embedding", "edited_embedding": "clip_edited_embedding"},
)  # fmt: skip
def unrelated(source_embedding: Embedding, edited_embedding: Embedding, *, floor: float = 0.5) -> float | Missing:
    """1 when cos(f(S), f(E)) is below the floor: another picture took the source's place.

    Args:
        source_embedding: f(S), D.
        edited_embedding: f(E), D.
        floor: cosine. What unrelated pictures reach depends on the encoder; the default is an assumption until
            ``benchmarks/measure_encoder.py`` has been run on the encoder in use.
    """
    similarity = cosine(source_embedding, edited_embedding)
    return similarity if isinstance(similarity, Missing) else float(similarity < floor)


@label("adherence.{role}_encoder", roles=ENCODERS, features=per_role("encoder_name"))
def encoder(encoder_name: str) -> str:
    """Model and tag of the encoder behind the columns of that name."""
    return encoder_name


def _gain(source: Embedding, edited: Embedding, text: Embedding, blind_below: float) -> Result:
    before, after = cosine(source, text), cosine(edited, text)
    if isinstance(before, Missing) or isinstance(after, Missing):
        return undefined("zero_embedding")
    blind = image_shift(source, edited) < blind_below
    return with_cautions(after - before, ENCODER_BLIND if blind else "")
