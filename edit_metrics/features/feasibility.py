"""Whether the object that is to be edited is in the source, as a text-image encoder sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from edit_metrics.backends.base import ImageTextEncoder
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import EditType
from edit_metrics.metrics.embedding import ENCODERS
from edit_metrics.metrics.feasibility import share_of_distractors_beaten
from edit_metrics.registry import feature, per_role
from edit_metrics.types import Float32, Missing, not_applicable

EDITS_AN_OBJECT: Final = frozenset({EditType.REMOVE, EditType.REPLACE, EditType.RECOLOUR})
DISTRACTORS: Final = (
    "person", "dog", "cat", "horse", "bird", "cow", "elephant", "bear", "flower", "tree", "car", "bus", "bicycle",
    "train", "airplane", "boat", "traffic light", "bench", "chair", "sofa", "bed", "table", "lamp", "window", "door",
    "clock", "book", "phone", "laptop", "television", "cup", "bottle", "bowl", "pizza", "cake", "fruit", "hat", "shirt",
    "umbrella", "ball", "surfboard", "guitar", "bridge", "tower", "mountain", "beach", "snow", "street",
)  # fmt: skip
"""Everyday things, for a scale: how well does the named object fit S, against these?"""


@feature("{role}_object_rank", backend="{role}", batched=True, roles=ENCODERS, features=per_role("source_embedding"))
def object_rank(
    source_embedding: Sequence[Float32], parsed_instruction: Sequence[Instruction], backend: ImageTextEncoder
) -> list[float | Missing]:
    """Share of the distractors that fit S less well than the object that is to be removed, replaced or recoloured.

    Returns:
        ``not_applicable(no_object_to_find)`` for other edits, and where the instruction names none.
    """
    objects = [p.object if p.edit_type in EDITS_AN_OBJECT else None for p in parsed_instruction]
    named = list(dict.fromkeys(name for name in objects if name))
    if not named:
        return [not_applicable("no_object_to_find") for _ in objects]
    rows = np.asarray(backend.encode_texts([*named, *DISTRACTORS]))
    texts, distractors = dict(zip(named, rows, strict=False)), rows[len(named) :]
    return [
        share_of_distractors_beaten(picture, texts[name], distractors[_unrelated(name)])
        if name
        else not_applicable("no_object_to_find")
        for picture, name in zip(source_embedding, objects, strict=True)
    ]


def _unrelated(name: str) -> list[int]:
    """Places of the distractors that share no word with the object."""
    words = set(name.casefold().split())
    return [place for place, other in enumerate(DISTRACTORS) if not words & set(other.split())]
