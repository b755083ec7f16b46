"""Is it still the same person? Faces of both pictures, matched one to one (docs/metrics.md, character).

Similarity is the backend's own measure mapped to [0, 1] so that .5 is that backend's verification threshold (dlib:
1 − d/1.2 with d ≤ .6; SFace: piecewise linear with cosine ≥ .363): thresholds do not transfer between backends, a .5
of one means what a .5 of another does. A face that is gone is a count, never a similarity of 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from edit_metrics.registry import Identity, label, metric
from edit_metrics.types import Direction, Float64, Missing, Result, not_applicable, undefined, with_cautions

Boxes = NDArray[np.floating[Any]]
"""N×4: left, top, right, bottom in px."""

SAME_FROM: Final = 0.5
"""Of the published similarity: every backend maps its own threshold there."""
FACE_LOST: Final = undefined("face_lost")
_faces = partial(metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0, 1), unit="similarity")
_count = partial(metric, direction=Direction.LOWER_IS_BETTER, bounds=(0, None), unit="faces")


@dataclass(frozen=True, slots=True)
class FaceMatches:
    """Known faces against those of E.

    Attributes:
        similarities: of each matched pair, in [0, 1].
        known: faces that were looked for.
        found: faces in E.
        excused_known: faces left out since the instruction asks for another person there.
        excused_found: faces of E left out for the same reason.
        known_from: where the known faces stand.
    """

    similarities: tuple[float, ...]
    known: int
    found: int
    excused_known: int = 0
    excused_found: int = 0
    known_from: Literal["source", "references"] = "source"

    @property
    def lost(self) -> int:
        """Known faces without a partner in E."""
        return self.known - len(self.similarities)


def match_faces(
    similarity: Float64, overlap: Float64 | None = None, *, overlap_weight: float = 0.1
) -> list[tuple[int, int]]:
    """The one-to-one assignment with the largest sum of similarities (Hungarian method).

    Args:
        similarity: N×M, published similarity of each known face with each found one.
        overlap: N×M, intersection over union of their boxes, where both pictures are on one grid; it settles what
            similarity leaves open (twins, blurred faces) and cannot outvote a clear difference.
        overlap_weight: of the overlap beside the similarity.

    Returns:
        min(N, M) pairs (known, found), in the order of the known faces.
    """
    gain = similarity if overlap is None else similarity + overlap_weight * overlap
    if not gain.size:
        return []
    if 1 in gain.shape:
        row, column = np.unravel_index(np.argmax(gain), gain.shape)
        return [(int(row), int(column))]
    from scipy.optimize import linear_sum_assignment  # slow to import, and most pictures show one face or none

    rows, columns = linear_sum_assignment(gain, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def box_overlap(first: Boxes, second: Boxes) -> Float64:
    """Intersection over union, N×M in [0, 1]."""
    a, b = first[:, None].astype(np.float64), second[None].astype(np.float64)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    shared = np.clip(sides, 0, None).prod(axis=-1)
    areas = [np.clip(box[..., 2:] - box[..., :2], 0, None).prod(axis=-1) for box in (a, b)]
    union = areas[0] + areas[1] - shared
    ratio: Float64 = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


@_faces("character.face_similarity_min", identity=Identity(1.0, 1e-4))
def face_similarity_min(compared_faces: FaceMatches) -> Result:
    """Similarity of the least similar matched face; .5 is the backend's threshold.

    ``not_applicable`` without a face to look for, ``undefined(face_lost)`` when E shows none. The caution
    ``face_lost`` says that some known faces have no partner.
    """
    return _over_matches(compared_faces, min)


@_faces("character.face_similarity_mean", identity=Identity(1.0, 1e-4))
def face_similarity_mean(compared_faces: FaceMatches) -> Result:
    """Mean similarity of the matched faces. Missing and cautious as :func:`face_similarity_min`."""
    return _over_matches(compared_faces, lambda values: float(np.mean(values)))


@_faces("character.face_same", unit="flag", identity=1.0)
def face_same(compared_faces: FaceMatches) -> Result:
    """1 when every matched face is the same person at the backend's own threshold, else 0.

    Missing and cautious as :func:`face_similarity_min`.
    """
    return _over_matches(compared_faces, lambda values: float(min(values) >= SAME_FROM))


@_count("character.faces_source", direction=Direction.NEITHER, identity="a count")
def faces_source(face_matches: FaceMatches) -> float:
    """Faces in S over the size and score gates."""
    return float(face_matches.known + face_matches.excused_known)


@_count("character.faces_edited", direction=Direction.NEITHER, identity="a count")
def faces_edited(face_matches: FaceMatches) -> float:
    """Faces in E over the size and score gates."""
    return float(face_matches.found + face_matches.excused_found)


@_count("character.faces_lost", identity=0.0)
def faces_lost(face_matches: FaceMatches) -> float | Missing:
    """Faces of S that have no partner in E; ``not_applicable`` when S shows none."""
    return _nothing_known(face_matches) or float(face_matches.lost)


@_count("character.faces_gained", identity=0.0)
def faces_gained(face_matches: FaceMatches) -> float | Missing:
    """Faces of E that have no partner in S; those that the instruction asked for are not counted."""
    if face_matches.known == 0 and face_matches.excused_known > 0 and face_matches.found == 0:
        return not_applicable("identity_edit")
    return float(face_matches.found - len(face_matches.similarities))


@label("character.face_compared_with")
def face_compared_with(compared_faces: FaceMatches) -> str | None:
    """Where the known faces stand: ``source`` or ``references``; nothing when there are none."""
    return compared_faces.known_from if compared_faces.known else None


@metric(
    "character.subject_similarity", direction=Direction.HIGHER_IS_BETTER, bounds=(-1, 1), unit="cosine",
    identity=Identity(1.0, 1e-5),
)  # fmt: skip
def subject_similarity(
    subject_source: NDArray[np.floating[Any]], subject_edited: NDArray[np.floating[Any]]
) -> float | Missing:
    """Cosine of the mean patch descriptors of the subject in S and in E, for subjects without a human face.

    Args:
        subject_source: D, mean last-layer key over the crop of S around M (without a mask: the whole picture).
        subject_edited: D, the same of E.
    """
    a, b = subject_source.astype(np.float64), subject_edited.astype(np.float64)
    scale = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.clip(a @ b / scale, -1.0, 1.0)) if scale > 0 else undefined("zero_embedding")


def _nothing_known(matches: FaceMatches) -> Missing | None:
    if matches.known > 0:
        return None
    return not_applicable("identity_edit" if matches.excused_known else "no_face_in_source")


def _over_matches(matches: FaceMatches, formula: Any) -> Result:
    missing = _nothing_known(matches)
    if missing is not None:
        return missing
    if not matches.similarities:
        return FACE_LOST
    return with_cautions(formula(matches.similarities), "face_lost" if matches.lost else "")
