"""What style is compared with: the named style's prompt, the references, and E with only what must stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from edit_metrics.backends.base import ImageTextEncoder, PerceptualBackbone
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.instruction.kinds import EditType
from edit_metrics.metrics.style import GRAM
from edit_metrics.registry import NOWHERE, feature
from edit_metrics.types import RGB, Float32, Grid, Missing, not_applicable, unavailable

PROMPT: Final = "a picture in the style of {}"


@feature("clip_style_embedding", backend="clip", batched=True)
def style_embedding(parsed_instruction: Sequence[Instruction], backend: ImageTextEncoder) -> list[Float32 | Missing]:
    """t("a picture in the style of X") of each style edit, D, unit norm.

    Returns:
        ``not_applicable(not_a_style_edit)``; ``unavailable(no_style_named)``.
    """
    prompts = {i: PROMPT.format(p.new_object) for i, p in enumerate(parsed_instruction) if _style_gap(p) is None}
    rows = iter(backend.encode_texts(list(prompts.values()))) if prompts else iter(())
    return [_style_gap(parsed) or next(rows) for parsed in parsed_instruction]


def _style_gap(parsed: Instruction) -> Missing | None:
    if parsed.edit_type != EditType.STYLE:
        return not_applicable("not_a_style_edit")
    return None if parsed.new_object else unavailable("no_style_named")


@feature("clip_kept_embedding", backend="clip", batched=True)
def kept_embedding(filled: Sequence[RGB], backend: ImageTextEncoder) -> list[Float32]:
    """f(E with S's pixels inside the mask), D, unit norm."""
    return list(backend.encode_images(filled))


@feature(backend="perceptual", batched=True, wants=(GRAM,), grid=Grid.PERCEPTUAL, lies_on=NOWHERE)
def reference_gram_distances(
    edited_native: Sequence[RGB],
    references: Sequence[tuple[RGB, ...]],
    backend: PerceptualBackbone,
    parsed_instruction: Sequence[Instruction | None] | None = None,
) -> list[tuple[float, ...] | Missing]:
    """Gram distance of E to each of its style references, mean over layers.

    A reference is scaled to cover E's frame and cropped in the middle: texture has a size.
    """
    parsed = parsed_instruction or [None] * len(references)
    wanted = [p is None or p.edit_type == EditType.STYLE for p in parsed]
    pairs = [
        (cover(reference, edited.shape[1], edited.shape[0]), edited)
        for asked, edited, mine in zip(wanted, edited_native, references, strict=True)
        if asked
        for reference in mine
    ]
    compared = backend.compare([a for a, _ in pairs], [b for _, b in pairs], [None] * len(pairs)) if pairs else []
    distances = iter([float(np.mean(pair.gram_distances)) for pair in compared])
    return [
        tuple(next(distances) for _ in mine) if asked else not_applicable("not_a_style_edit")
        for asked, mine in zip(wanted, references, strict=True)
    ]


def cover(image: RGB, width: int, height: int) -> RGB:
    """The picture scaled, aspect kept, until it covers width × height, and its middle cut out."""
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    scaled = np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    return np.ascontiguousarray(scaled[top : top + height, left : left + width])
