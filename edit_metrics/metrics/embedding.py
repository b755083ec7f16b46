"""Vectors of a shared text-image space: what the cosine metrics have in common."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.types import Float64, Missing, Result, undefined, with_cautions

Embedding = NDArray[np.floating[Any]]
"""D, any scale; metrics use its direction only."""
ENCODERS: Final = ("clip", "conse")
"""Roles of the text-image encoders: what reads their embeddings exists once for each."""
TRUNCATED: Final = "truncated_text"


def cosine(first: Embedding, second: Embedding) -> float | Missing:
    """Cosine of the angle between two vectors, in [−1, 1]; undefined when one of them is zero."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    if scale == 0.0:
        return undefined("zero_embedding")
    return float(np.clip(np.dot(a, b) / scale, -1.0, 1.0))


def image_shift(source_embedding: Embedding, edited_embedding: Embedding) -> float:
    """‖ΔI‖ in [0, 2], of the unit vectors."""
    return float(np.linalg.norm(unit_vector(edited_embedding) - unit_vector(source_embedding)))


def unit_vector(vector: Embedding) -> Float64:
    """The vector at length 1; a zero vector stays zero."""
    wide = vector.astype(np.float64)
    norm = float(np.linalg.norm(wide))
    return wide / norm if norm > 0 else wide


def with_truncation(result: Result, truncated: Collection[str] | None, *texts: str) -> Result:
    """The result, with the caution ``truncated_text`` when one of the texts that it read was cut off."""
    return with_cautions(result, TRUNCATED if any(text in (truncated or ()) for text in texts) else "")
