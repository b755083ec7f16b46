"""Faces of the source, of the edited picture and of the references, and who is matched with whom.

Faces travel as one array a picture, N×(5 + D): box (left, top, right, bottom in px), detector score, embedding; largest
face first. Arrays can be kept on disk, so that a benchmark's source faces are embedded once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from edit_metrics.backends.base import FaceAnalyzer
from edit_metrics.instruction.instruction import Instruction
from edit_metrics.metrics.character import FaceMatches, box_overlap
from edit_metrics.perceived import Face
from edit_metrics.registry import feature
from edit_metrics.types import RGB, Float32, Mask

_SWAP: Final = re.compile(
    r"\bface[-\s]?swap|\bswap\w*\s+(?:the\s+|his\s+|her\s+|their\s+)?(?:\w+\s+)?(?:faces?|heads?)\b"
    r"|\bgive\s+(?:him|her|them|the\s+\w+)\s+.*?'?s\s+face\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class FacePairs(FaceMatches):
    """Faces of S against those of E, and who is whom: for the picture, not for the metrics.

    Attributes:
        pairs: of each similarity, the index in S's faces and that in E's.
        left_out_source: indices of S's faces that the instruction takes out of the comparison.
    """

    pairs: tuple[tuple[int, int], ...] = ()
    left_out_source: frozenset[int] = frozenset()


@feature(backend="faces", batched=True, cache=True)
def source_faces(source: Sequence[RGB], backend: FaceAnalyzer) -> list[Float32]:
    """Faces of S, N×(5 + D)."""
    return [pack_faces(faces) for faces in backend.find_faces(source)]


@feature(backend="faces", batched=True)
def edited_faces(
    edited_native: Sequence[RGB], backend: FaceAnalyzer, edited: Sequence[RGB | None] | None = None
) -> list[Float32]:
    """Faces of E, N×(5 + D): on S's grid where E has been brought there, else on its own."""
    on_grid = edited or [None] * len(edited_native)
    pictures = [native if fitted is None else fitted for native, fitted in zip(edited_native, on_grid, strict=True)]
    return [pack_faces(faces) for faces in backend.find_faces(pictures)]


@feature(backend="faces", batched=True, cache=True)
def reference_faces(references: Sequence[Sequence[RGB]], backend: FaceAnalyzer) -> list[Float32]:
    """Faces of all reference pictures of an item, N×(5 + D)."""
    found = iter(backend.find_faces([picture for pictures in references for picture in pictures]))
    return [pack_faces([face for _ in pictures for face in next(found)]) for pictures in references]


@feature()
def identity_edit(parsed_instruction: Instruction | None = None) -> bool:
    """Whether the instruction asks for another person in the place of one that is there, or for none."""
    if parsed_instruction is None:
        return False
    return parsed_instruction.loses_person or _SWAP.search(parsed_instruction.text) is not None


@feature(backend="faces")
def face_matches(
    source_faces: Float32,
    edited_faces: Float32,
    identity_edit: bool,
    backend: FaceAnalyzer,
    edited: RGB | None = None,
    mask: Mask | None = None,
    *,
    overlap_weight: float = 0.1,
) -> FacePairs:
    """Faces of S against those of E.

    An identity edit takes the faces inside M out of the comparison; without a mask, or without E on its grid, nobody
    knows which face was meant, and all are taken out.

    Args:
        source_faces: N×(5 + D).
        edited_faces: M×(5 + D).
        identity_edit: the instruction asks for another person.
        backend: gives the similarity.
        edited: E on S's grid; without it boxes of S and E are not compared.
        mask: True where the picture may change, H×W.
        overlap_weight: of the box overlap beside the similarity; a tenth of its range decides between twins only.
    """
    from scipy.optimize import linear_sum_assignment

    known, found = np.arange(len(source_faces)), np.arange(len(edited_faces))
    if identity_edit:
        region = mask if edited is not None else None
        known, found = np.flatnonzero(~_inside(source_faces, region)), np.flatnonzero(~_inside(edited_faces, region))
    similarities: tuple[float, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    if len(known) and len(found):
        first, second = source_faces[known], edited_faces[found]
        similarity = _similarity(backend, first, second)
        # Boxes settle what similarity leaves open, where both pictures are on one grid; they cannot outvote it.
        helped = overlap_weight * box_overlap(first[:, :4], second[:, :4]) if edited is not None else 0.0
        rows, columns = linear_sum_assignment(similarity + helped, maximize=True)
        similarities = tuple(float(value) for value in similarity[rows, columns])
        pairs = tuple((int(s), int(e)) for s, e in zip(known[rows], found[columns], strict=True))
    return FacePairs(
        similarities=similarities,
        known=len(known),
        found=len(found),
        excused_known=len(source_faces) - len(known),
        excused_found=len(edited_faces) - len(found),
        pairs=pairs,
        left_out_source=frozenset(range(len(source_faces))) - frozenset(known.tolist()),
    )


@feature(backend="faces")
def compared_faces(
    face_matches: FaceMatches, edited_faces: Float32, backend: FaceAnalyzer, reference_faces: Float32 | None = None
) -> FaceMatches:
    """Whom E is compared with: the references' faces where references are given and show some, else those of S.

    Several references may show one person: each of their faces is compared with the face of E that is nearest to it.
    """
    if reference_faces is None or not len(reference_faces):
        return face_matches
    nearest: tuple[float, ...] = ()
    if len(edited_faces):
        nearest = tuple(float(best) for best in _similarity(backend, reference_faces, edited_faces).max(axis=1))
    return FaceMatches(nearest, known=len(reference_faces), found=len(edited_faces), known_from="references")


def pack_faces(faces: Sequence[Face]) -> Float32:
    """Faces to N×(5 + D); 0×5 when there is none."""
    if not faces:
        return np.zeros((0, 5), dtype=np.float32)
    return np.stack([np.concatenate([face.box, [face.detection_score], face.embedding]) for face in faces]).astype(
        np.float32
    )


def _similarity(
    backend: FaceAnalyzer, first: Float32, second: Float32
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return backend.similarity(first[:, 5:], second[:, 5:]).astype(np.float64)


def _inside(faces: Float32, mask: Mask | None) -> Mask:
    """N: whether at least half of each face's box, cut at the frame, may change; all of them without a mask."""
    if mask is None:
        return np.ones(len(faces), dtype=bool)
    height, width = mask.shape
    shares = []
    for left, top, right, bottom in faces[:, :4]:
        rows = slice(int(np.clip(top, 0, height)), int(np.clip(np.ceil(bottom), 0, height)))
        columns = slice(int(np.clip(left, 0, width)), int(np.clip(np.ceil(right), 0, width)))
        box = mask[rows, columns]
        shares.append(float(box.mean()) if box.size else 0.0)
    return np.array(shares) >= 0.5
