"""Faces by OpenCV: YuNet detector (Wu 2023) and SFace embedding (Zhong 2021)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edit_metrics.backends.base import Fingerprint
from edit_metrics.backends.registry import backend
from edit_metrics.perceived import Face
from edit_metrics.types import RGB, Float32, Float64
from edit_metrics.weights import store

THRESHOLD: Final = 0.363
"""Cosine from which OpenCV's documentation takes two SFace embeddings for one person."""
_TOP_K: Final = 5000


@backend("yunet_sface", "faces")
class YunetSface:
    """Role ``faces``. Faces from about 10 px, also turned ones.

    Args:
        detector: reference of YuNet's ONNX file.
        embedder: reference of SFace's ONNX file.
        min_score: detector score in [0, 1] from which a box is a face.
        min_side: shorter side of a box, in px of the picture, from which it is a face.
        max_side: pictures with a longer side are shrunk for detection; the face is cut from the full picture.
        nms: overlap from which two boxes are one face.
    """

    def __init__(
        self,
        *,
        detector: str = "yunet",
        embedder: str = "sface",
        min_score: float = 0.7,
        min_side: float = 24.0,
        max_side: int = 1280,
        nms: float = 0.3,
    ) -> None:
        import cv2

        options = {"detector": detector, "embedder": embedder, "min_score": min_score, "min_side": min_side}
        self._fingerprint = self.describe({**options, "max_side": max_side, "nms": nms})
        self._min_side, self._max_side = min_side, max_side
        path = str(store.locate(detector))
        self._detector = cv2.FaceDetectorYN.create(path, "", (320, 320), min_score, nms, _TOP_K)
        self._embedder = cv2.FaceRecognizerSF.create(str(store.locate(embedder)), "")

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["detector"], options["embedder"])

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        gates = f"score >= {options['min_score']}, side >= {options['min_side']} px, nms {options['nms']}"
        return Fingerprint(
            name="yunet/sface",
            weights={role: store.digest(options[role]) for role in ("detector", "embedder")},
            preprocessing=f"YuNet on BGR, longer side <= {options['max_side']}, {gates}; 5-point chip of 112 px",
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def find_faces(self, images: Sequence[RGB]) -> list[tuple[Face, ...]]:
        """See :class:`~edit_metrics.backends.base.FaceAnalyzer`."""
        return [self._faces_of(image) for image in images]

    def similarity(self, first: Float32, second: Float32) -> Float32:
        """Cosine c, piecewise linear: −1 → 0, .363 → .5, 1 → 1. N×D and M×D → N×M."""
        cosine = _unit(first) @ _unit(second).T
        mapped: Float32 = np.interp(cosine, (-1.0, THRESHOLD, 1.0), (0.0, 0.5, 1.0)).astype(np.float32)
        return mapped

    def _faces_of(self, image: RGB) -> tuple[Face, ...]:
        import cv2

        bgr = np.ascontiguousarray(image[..., ::-1])
        height, width = image.shape[:2]
        scale = min(1.0, self._max_side / max(height, width))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = bgr if scale == 1.0 else cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
        self._detector.setInputSize(size)
        _, rows = self._detector.detect(small)
        faces = np.zeros((0, 15), np.float32) if rows is None else np.array(rows, np.float32)
        # x, y, width, height and five landmarks scale with the picture; the last column is the score.
        faces[:, 0:14:2] *= width / size[0]
        faces[:, 1:14:2] *= height / size[1]
        kept = faces[faces[:, 2:4].min(axis=1) >= self._min_side]
        largest_first = kept[np.argsort(-kept[:, 2] * kept[:, 3], kind="stable")]
        return tuple(self._embedded(bgr, row) for row in largest_first)

    def _embedded(self, bgr: RGB, row: Float32) -> Face:
        chip = self._embedder.alignCrop(bgr, row)
        embedding = np.array(self._embedder.feature(chip), dtype=np.float32).reshape(-1)
        left, top, width, height = (float(value) for value in row[:4])
        return Face((left, top, left + width, top + height), float(row[14]), embedding)


def _unit(vectors: Float32) -> Float64:
    wide = vectors.astype(np.float64)
    norms = np.linalg.norm(wide, axis=1, keepdims=True)
    unit: Float64 = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0)
    return unit
