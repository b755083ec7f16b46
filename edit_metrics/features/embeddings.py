"""Pictures and texts in the shared space of a text-image encoder, computed once an item.

What has ``{role}`` in its name is registered twice, as ``clip_<name>`` for the encoder in the role ``clip`` and as
``conse_<name>`` for the one in the role ``conse``. What depends on the source or on the texts alone is kept on disk,
so that the second model on a benchmark pays for its edited pictures only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, Literal

import numpy as np

from edit_metrics.backends.base import ImageTextEncoder
from edit_metrics.metrics.embedding import ENCODERS
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Float32, Mask, Missing, undefined

DEPICTS: Final = "A photo depicts "
"""The prefix of CLIPScore (Hessel 2021)."""


_encoder_feature = partial(feature, backend="{role}", roles=ENCODERS)


@_encoder_feature("{role}_encoder_name")
def encoder_name(backend: ImageTextEncoder) -> str:
    """Model and tag."""
    return backend.traits.name


@_encoder_feature("{role}_blind_below")
def blind_below(backend: ImageTextEncoder) -> float:
    """‖ΔI‖ under which the encoder does not tell a change from a re-encode."""
    return backend.traits.blind_below


@_encoder_feature("{role}_crop")
def crop(backend: ImageTextEncoder) -> Literal["center", "squash"]:
    """Which part of the picture the encoder sees."""
    return backend.traits.crop


@_encoder_feature("{role}_source_embedding", batched=True, cache=True)
def source_embedding(source: Sequence[RGB], backend: ImageTextEncoder) -> list[Float32]:
    """f(S), D, unit norm."""
    return list(backend.encode_images(source))


@_encoder_feature("{role}_edited_embedding", batched=True)
def edited_embedding(edited_native: Sequence[RGB], backend: ImageTextEncoder) -> list[Float32]:
    """f(E), D, unit norm, of E on its own grid: it needs no alignment with S."""
    return list(backend.encode_images(edited_native))


@_encoder_feature("{role}_region_embedding", batched=True)
def region_embedding(edited_region: Sequence[RGB], backend: ImageTextEncoder) -> list[Float32]:
    """f(crop of E around M), D, unit norm."""
    return list(backend.encode_images(edited_region))


@_encoder_feature("{role}_instruction_embedding", batched=True, cache=True)
def instruction_embedding(instruction: Sequence[str], backend: ImageTextEncoder) -> list[Float32]:
    """t(I), D, unit norm."""
    return list(backend.encode_texts(instruction))


@_encoder_feature("{role}_source_caption_embedding", batched=True, cache=True)
def source_caption_embedding(source_caption: Sequence[str], backend: ImageTextEncoder) -> list[Float32]:
    """t(T0), D, unit norm."""
    return list(backend.encode_texts(source_caption))


@_encoder_feature("{role}_target_caption_embedding", batched=True, cache=True)
def target_caption_embedding(target_caption: Sequence[str], backend: ImageTextEncoder) -> list[Float32]:
    """t(T1), D, unit norm."""
    return list(backend.encode_texts(target_caption))


@feature("clip_depicts_target_embedding", backend="clip", batched=True, cache=True)
def depicts_target_embedding(target_caption: Sequence[str], backend: ImageTextEncoder) -> list[Float32]:
    """t("A photo depicts " + T1), D, unit norm: the prompt of CLIPScore."""
    return list(backend.encode_texts([DEPICTS + caption for caption in target_caption]))


@_encoder_feature("{role}_truncated_texts", batched=True)
def truncated_texts(
    backend: ImageTextEncoder,
    instruction: Sequence[str | None] | None = None,
    source_caption: Sequence[str | None] | None = None,
    target_caption: Sequence[str | None] | None = None,
) -> list[frozenset[str]]:
    """Per item the names of the texts of which the encoder reads only the beginning; None stands for a missing text."""
    columns = {"instruction": instruction, "source_caption": source_caption, "target_caption": target_caption}
    present = {name: texts for name, texts in columns.items() if texts is not None}
    rows = zip(*present.values(), strict=True)
    return [_truncated(backend, dict(zip(present, row, strict=True))) for row in rows]


def _truncated(backend: ImageTextEncoder, texts: Mapping[str, str | None]) -> frozenset[str]:
    given = {name: text for name, text in texts.items() if text is not None}
    if "target_caption" in given:
        given["depicts_target"] = DEPICTS + given["target_caption"]
    counts = backend.count_tokens(list(given.values()))
    limit = backend.traits.context_length
    return frozenset(name for name, tokens in zip(given, counts, strict=True) if tokens > limit)


@feature()
def edited_region(edited: RGB, mask: Mask, *, context: float = 0.2, min_context_px: int = 16) -> RGB | Missing:
    """E around what may change: the bounding box of M plus context, letter-boxed to a square.

    Args:
        edited: E on S's grid, H×W×3.
        mask: True where the picture may change, H×W.
        context: added on each side, as a share of the box's longer side; chosen, not measured, as the next.
        min_context_px: added at least.
    """
    return region_crop(edited, mask, context=context, min_context_px=min_context_px)


def region_crop(image: RGB, region: Mask, *, context: float = 0.2, min_context_px: int = 16) -> RGB | Missing:
    """Bounding box of the region plus context, inside the frame, padded to a square with its own mean colour.

    The mean colour of the crop's rim stands on both sides, never black, so that the encoder is not shown an object
    that is not there. ``undefined(empty_mask)`` when the region has no pixel.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if rows.size == 0:
        return undefined("empty_mask")
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    margin = max(min_context_px, round(context * max(bottom - top, right - left)))
    crop = image[max(top - margin, 0) : bottom + margin, max(left - margin, 0) : right + margin]
    return letter_box(crop)


def letter_box(image: RGB) -> RGB:
    """The picture in the middle of a square of its longer side, the rest filled with the mean colour of its rim."""
    height, width = image.shape[:2]
    side = max(height, width)
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    square = np.empty((side, side, 3), dtype=np.uint8)
    square[:] = np.rint(rim.mean(axis=0)).astype(np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = image
    return square
