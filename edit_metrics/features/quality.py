"""Readings of visual quality, once a picture: S for every model on a benchmark, E for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from edit_metrics.backends.base import ImageTextEncoder
from edit_metrics.backends.pyiqa_quality import LearnedQuality, QualityAssessor
from edit_metrics.metrics.no_reference import read_quality
from edit_metrics.metrics.quality import antonym_probability
from edit_metrics.metrics.readings import QualityReadings
from edit_metrics.pixels.edges import LumaEdges
from edit_metrics.registry import NOWHERE, feature
from edit_metrics.types import RGB, Float32, Grid

ANTONYMS: Final = ("Good photo.", "Bad photo.")
"""The prompt pair of CLIP-IQA (Wang et al. 2023)."""


@feature("source_edges", grid=Grid.WORKING, features={"picture": "working_source"})
@feature("edited_edges", grid=Grid.WORKING, features={"picture": "working_edited"})
def luma_edges(picture: RGB) -> LumaEdges:
    """Luma and edges of S, or of E on S's grid."""
    return LumaEdges.of(picture)


@feature(off_grid=("working_source", "source_edges"))
def source_readings(
    source: RGB, working_source: RGB | None = None, source_edges: LumaEdges | None = None
) -> QualityReadings:
    """All readings of S."""
    return read_quality(source, working_source, source_edges)


@feature(off_grid=("working_edited", "edited_edges"))
def edited_readings(
    edited_native: RGB,
    edited: RGB | None = None,
    pixel_cautions: tuple[str, ...] | None = None,
    working_edited: RGB | None = None,
    working_edited_native: RGB | None = None,
    edited_edges: LumaEdges | None = None,
) -> QualityReadings:
    """All readings of E on S's grid; on its own grid, with the caution ``other_grid``, where it has no place there.

    Args:
        edited_native: E as decoded.
        edited: E on S's grid.
        pixel_cautions: how E came onto that grid.
        working_edited: E on the working grid.
        working_edited_native: E on its own grid under the working grid's cap.
        edited_edges: of E on the working grid.
    """
    if edited is None:
        return read_quality(edited_native, working_edited_native, cautions=("other_grid",))
    codes = tuple(code for code in pixel_cautions or () if code != "empty_mask")
    return read_quality(edited, working_edited, edited_edges, cautions=codes)


@feature("source_clip_iqa", backend="clip", batched=True, cache=True, features={"embedding": "clip_source_embedding"})
@feature("edited_clip_iqa", backend="clip", batched=True, features={"embedding": "clip_edited_embedding"})
def clip_iqa(embedding: Sequence[Float32], backend: ImageTextEncoder) -> list[float]:
    """Probability of "Good photo." against "Bad photo." of each picture; the prompts are encoded once a batch.

    Args:
        embedding: f(picture), each D, unit norm.
        backend: the encoder that made them.
    """
    antonyms = np.asarray(backend.encode_texts(ANTONYMS))
    return [antonym_probability(picture, antonyms) for picture in embedding]


@feature(backend="iqa", batched=True, cache=True, grid=Grid.WORKING, lies_on=NOWHERE)
def source_iqa(source: Sequence[RGB], backend: QualityAssessor) -> list[LearnedQuality]:
    """MUSIQ and TOPIQ of S."""
    return backend.assess(source)


@feature(backend="iqa", batched=True, grid=Grid.WORKING, lies_on=NOWHERE)
def edited_iqa(
    edited_native: Sequence[RGB], backend: QualityAssessor, edited: Sequence[RGB | None] | None = None
) -> list[LearnedQuality]:
    """MUSIQ and TOPIQ of E on S's grid; on its own grid where it has no place there."""
    on_grid = edited or [None] * len(edited_native)
    return backend.assess([n if e is None else e for e, n in zip(on_grid, edited_native, strict=True)])
