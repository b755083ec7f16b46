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
from edit_metrics.instruction.people import turns_head
from edit_metrics.metrics.character import SAME_FROM, FaceMatches, box_overlap, match_faces
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


@feature(backend="faces", batched=True, version=2)
def edited_faces(
    edited_native: Sequence[RGB],
    backend: FaceAnalyzer,
    edited: Sequence[RGB | None] | None = None,
    source_faces: Sequence[Float32 | None] | None = None,
) -> list[Float32]:
    """Faces of E, N×(5 + D): on S's grid where E has been brought there, else on its own.

    Where fewer are found than S shows, E is also looked at turned by 90°, 180° and 270°: detectors are blind for faces
    that are not upright, and an edit may turn the picture.
    """
    on_grid = edited or [None] * len(edited_native)
    pictures = [native if fitted is None else fitted for native, fitted in zip(edited_native, on_grid, strict=True)]
    upright = [pack_faces(faces) for faces in backend.find_faces(pictures)]
    known = source_faces or [None] * len(pictures)
    return [
        found if faces is None or len(found) >= len(faces) else _turned_or(found, picture, faces, backend)
        for picture, found, faces in zip(pictures, upright, known, strict=True)
    ]


def _turned_or(upright: Float32, picture: RGB, known: Float32, backend: FaceAnalyzer) -> Float32:
    """The faces of the turn in which most known people are seen; where nobody is seen upright, any face counts."""
    turns = (1, 2, 3)
    found = backend.find_faces([np.ascontiguousarray(np.rot90(picture, turn)) for turn in turns])
    views = [upright] + [
        _turned_back(pack_faces(faces), turn, (picture.shape[0], picture.shape[1]))
        for turn, faces in zip(turns, found, strict=True)
    ]

    def worth(view: Float32) -> tuple[int, int]:
        same = (_similarity(backend, known, view) >= SAME_FROM).any(axis=1).sum() if len(view) else 0
        return int(same), 0 if len(upright) else len(view)

    return max(views, key=worth)


def _turned_back(faces: Float32, turn: int, size: tuple[int, int]) -> Float32:
    """Boxes on ``np.rot90(picture, turn)`` as boxes on the picture, whose height and width ``size`` are."""
    height, width = size
    left, top, right, bottom = faces[:, :4].T
    boxes = {
        1: (width - bottom, left, width - top, right),
        2: (width - right, height - bottom, width - left, height - top),
        3: (top, height - right, bottom, height - left),
    }[turn]
    return np.concatenate([np.stack(boxes, axis=1), faces[:, 4:]], axis=1).astype(np.float32)


@feature(backend="faces", batched=True, cache=True)
def reference_faces(references: Sequence[Sequence[RGB]], backend: FaceAnalyzer) -> list[Float32]:
    """Faces of all reference pictures of an item, N×(5 + D)."""
    found = iter(backend.find_faces([picture for pictures in references for picture in pictures]))
    return [pack_faces([face for _ in pictures for face in next(found)]) for pictures in references]


@feature(version=2)
def identity_edit(parsed_instruction: Instruction | None = None) -> bool:
    """Whether the instruction asks for another person in the place of one that is there, or for none."""
    if parsed_instruction is None:
        return False
    return parsed_instruction.takes_person or _SWAP.search(parsed_instruction.text) is not None


@feature(version=2)
def head_turn(parsed_instruction: Instruction | None = None) -> bool:
    """Whether the instruction lets a head turn, hide or leave the frame, so that a detector may lose it.

    A face that is found all the same is compared: the person is to stay the same one.
    """
    if parsed_instruction is None:
        return False
    return parsed_instruction.loses_person or turns_head(parsed_instruction.text)


@feature(backend="faces", version=2)
def face_matches(
    source_faces: Float32,
    edited_faces: Float32,
    identity_edit: bool,
    backend: FaceAnalyzer,
    edited: RGB | None = None,
    mask: Mask | None = None,
    head_turn: bool | None = None,
    *,
    overlap_weight: float = 0.1,
    sure_score: float = 0.0,
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
        head_turn: the instruction lets a head turn.
        overlap_weight: of the box overlap beside the similarity; a tenth of its range decides between twins only.
        sure_score: detector score, in the backend's unit, under which a face may be none.
    """
    known, found = np.arange(len(source_faces)), np.arange(len(edited_faces))
    if identity_edit:
        region = mask if edited is not None else None
        known, found = np.flatnonzero(~_inside(source_faces, region)), np.flatnonzero(~_inside(edited_faces, region))
    similarities: tuple[float, ...] = ()
    pairs: tuple[tuple[int, int], ...] = ()
    if len(known) and len(found):
        first, second = source_faces[known], edited_faces[found]
        similarity = _similarity(backend, first, second)
        # Boxes are compared where both pictures are on one grid.
        overlap = box_overlap(first[:, :4], second[:, :4]) if edited is not None else None
        matched_places = match_faces(similarity, overlap, overlap_weight=overlap_weight)
        similarities = tuple(float(similarity[place]) for place in matched_places)
        pairs = tuple((int(known[s]), int(found[e])) for s, e in matched_places)
    same = {s for (s, _), similarity in zip(pairs, similarities, strict=True) if similarity >= SAME_FROM}
    matched = {s for s, _ in pairs}
    unsure = {int(s) for s in known if source_faces[s, 4] < sure_score and int(s) not in same}
    away = {int(s) for s in known if head_turn and int(s) not in matched}
    if unsure or away:
        kept = [i for i, (s, _) in enumerate(pairs) if s not in unsure]
        partners = {e for s, e in pairs if s in unsure}
        pairs, similarities = tuple(pairs[i] for i in kept), tuple(similarities[i] for i in kept)
        known = np.array([s for s in known if int(s) not in unsure | away], np.intp)
        found = np.array([e for e in found if int(e) not in partners], np.intp)
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
