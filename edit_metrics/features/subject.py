"""The edited subject as one descriptor of a patch encoder, for subjects that have no human face."""

from __future__ import annotations

from collections.abc import Sequence

from edit_metrics.backends.base import PatchEncoder
from edit_metrics.features.embeddings import region_crop
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Float32, Mask, Missing


@feature(backend="patches", batched=True)
def subject_source(
    source: Sequence[RGB], backend: PatchEncoder, mask: Sequence[Mask | None] | None = None, *, context: float = 0.1
) -> list[Float32]:
    """Mean patch key, D, of S around M; of the whole picture without a mask. The context is chosen, not measured."""
    return _describe(source, mask, backend, context)


@feature(backend="patches", batched=True)
def subject_edited(
    edited: Sequence[RGB], backend: PatchEncoder, mask: Sequence[Mask | None] | None = None, *, context: float = 0.1
) -> list[Float32]:
    """Mean patch key, D, of E, on S's grid, around M; of the whole picture without a mask."""
    return _describe(edited, mask, backend, context)


def _describe(
    pictures: Sequence[RGB], masks: Sequence[Mask | None] | None, backend: PatchEncoder, context: float
) -> list[Float32]:
    regions = masks or [None] * len(pictures)
    crops = [_subject(picture, region, context) for picture, region in zip(pictures, regions, strict=True)]
    return [keys.mean(axis=0) for keys in backend.encode_patches(crops)]


def _subject(picture: RGB, region: Mask | None, context: float) -> RGB:
    if region is None:
        return picture
    crop = region_crop(picture, region, context=context)
    return picture if isinstance(crop, Missing) else crop
