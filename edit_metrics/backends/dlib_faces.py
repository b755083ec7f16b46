"""Faces by dlib: HOG detector, 5-point landmarks, ResNet embedding (King 2009, 2017). No GPU and no hub."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from edit_metrics.backends.base import Fingerprint, require_package
from edit_metrics.backends.dlib_resnet import DlibResNet
from edit_metrics.backends.dlib_search import Box, FaceSearch
from edit_metrics.backends.preprocess import map_in_threads
from edit_metrics.backends.registry import backend
from edit_metrics.backends.torch_runtime import set_threads
from edit_metrics.perceived import Face
from edit_metrics.pixels.reducing import capped_size, reduced
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

THRESHOLD: Final = 0.6
"""Euclidean distance of raw embeddings up to which dlib's author takes two faces for one person (99.38 % on LFW).

Not a cosine: different people reach .80–.82 there.
"""


@backend("dlib", "faces", packages=("dlib-bin", "dlib"), extra="embedded")
class DlibFaces:
    """Role ``faces``. Frontal faces of about 30 px and more (one upsampling; 80 px without).

    Args:
        landmarks: reference of the 5-point landmark model.
        embedder: reference of the ResNet.
        upsample: times that the picture is doubled before detection; each halves the smallest face. Once costs little
            more than not at all (see :mod:`edit_metrics.backends.dlib_search`), each further time four times the time.
        max_side: pictures with a longer side are shrunk to it, by area, before they are doubled: their smallest face is
            that much larger. Landmarks and embedding are taken from the full picture. None = nothing is shrunk.
        min_score: detector score from which a box is a face; 0 is the detector's own threshold.
        min_side: shorter side of a box, in px of the picture, from which it is a face.
        threads: of one torch operation on the CPU.
    """

    reentrant: Final = True

    def __init__(
        self,
        *,
        landmarks: str = "dlib.landmarks5",
        embedder: str = "dlib.face_resnet",
        upsample: int = 1,
        max_side: int | None = None,
        min_score: float = 0.0,
        min_side: float = 20.0,
        threads: int | None = None,
    ) -> None:
        dlib = require_package("dlib", "embedded", "face detection and embedding by dlib")
        options = {"landmarks": landmarks, "embedder": embedder, "upsample": upsample}
        gates = {"max_side": max_side, "min_score": min_score, "min_side": min_side}
        self._fingerprint = self.describe({**options, **gates})
        self._rectangle, self._max_side = dlib.rectangle, max_side
        self._upsample, self._min_score, self._min_side = upsample, min_score, min_side
        self._detector = FaceSearch.state_of_dlib()
        self._idle = [FaceSearch(self._detector)]
        self._landmarks = dlib.shape_predictor(str(store.locate(landmarks)))
        set_threads(threads)
        self._embedder = DlibResNet(store.locate(embedder))
        self._to_chip = dlib.get_face_chip

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["landmarks"], options["embedder"])

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        gates = f"score >= {options['min_score']}, side >= {options['min_side']} px"
        longest = options["max_side"]
        cap = "" if longest is None else f" of a longer side of at most {longest} px"
        return Fingerprint(
            name="dlib/resnet",
            weights={role: store.digest(options[role]) for role in ("landmarks", "embedder")},
            preprocessing=f"HOG on RGB{cap}, upsampled {options['upsample']} times, coarse to fine, {gates}; "
            "5-point chip of 150 px",
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def find_faces(self, images: Sequence[RGB]) -> list[tuple[Face, ...]]:
        """See :class:`~edit_metrics.backends.base.FaceAnalyzer`."""
        # The detector releases the interpreter's lock, and takes most of the time.
        return map_in_threads(lambda image: self._faces_of(np.ascontiguousarray(image)), images)

    def similarity(self, first: Float32, second: Float32) -> Float32:
        """1 − d/1.2 clipped to [0, 1], d the Euclidean distance: .5 at d = .6. N×D and M×D → N×M."""
        difference = first[:, None].astype(np.float64) - second[None].astype(np.float64)
        distance = np.linalg.norm(difference, axis=-1)
        mapped: Float32 = np.clip(1 - distance / (2 * THRESHOLD), 0.0, 1.0).astype(np.float32)
        return mapped

    def _faces_of(self, image: RGB) -> tuple[Face, ...]:
        size = capped_size(image.shape[1], image.shape[0], self._max_side)
        faces = self._searched(reduced(image, size))
        factor = image.shape[1] / size[0], image.shape[0] / size[1]
        found = [
            (box, score)
            for box, score in ((self._enlarged(self._rectangle(*box), factor), score) for box, score in faces)
            if min(box.width(), box.height()) >= self._min_side
        ]
        found.sort(key=lambda face: face[0].area(), reverse=True)
        return tuple(self._embedded(image, box, score) for box, score in found)

    def _enlarged(self, box: Any, factor: tuple[float, float]) -> Any:
        """A box on the reduced picture, on the picture itself; dlib's boxes hold their last row and column."""
        if factor == (1.0, 1.0):
            return box
        across, down = factor
        left, top = round(box.left() * across), round(box.top() * down)
        return self._rectangle(left, top, round((box.right() + 1) * across) - 1, round((box.bottom() + 1) * down) - 1)

    def _searched(self, image: RGB) -> list[tuple[Box, float]]:
        try:
            search = self._idle.pop()
        except IndexError:
            search = FaceSearch(self._detector)
        try:
            if self._upsample == 1:
                return search.doubled(image, self._min_score)
            return search.everywhere(image, self._upsample, self._min_score)
        finally:
            self._idle.append(search)

    def _embedded(self, image: RGB, box: Any, score: float) -> Face:
        """The chip is cut with padding, so a box that reaches over the frame is no special case."""
        embedding = self._embedder.embed(self._to_chip(image, self._landmarks(image, box)))
        return Face((box.left(), box.top(), box.right() + 1, box.bottom() + 1), float(score), embedding)
