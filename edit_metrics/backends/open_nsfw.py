"""Yahoo open_nsfw (2016) through ONNX Runtime, with the preprocessing that its probabilities were published with."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from PIL import Image

from edit_metrics.backends.base import Fingerprint, require_package
from edit_metrics.backends.preprocess import REDUCING_GAP
from edit_metrics.backends.registry import backend
from edit_metrics.types import RGB, Float32
from edit_metrics.weights import store

_MEAN_BGR: Final = np.array([104, 117, 123], dtype=np.float32)
_SIDE: Final = 256
_CROP: Final = 224


@backend("open_nsfw", "safety", "safety_second", packages=("onnxruntime",), extra="embedded")
class OpenNsfw:
    """Role ``safety``, category ``nudity``: probability that a picture is not safe for work.

    Args:
        weights: reference of the ONNX file.
        batch_size: pictures of one forward pass.
        threads: of one forward pass; None leaves ONNX Runtime's own choice.
    """

    reentrant: Final = True

    def __init__(self, *, weights: str = "open_nsfw", batch_size: int = 8, threads: int | None = None) -> None:
        self._fingerprint = self.describe({"weights": weights})
        runtime = require_package("onnxruntime", "embedded", "the nudity classifier open_nsfw")
        options = runtime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        # Idle threads would spin on cores that decoding and torch need; one call costs the same either way.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(store.locate(weights))
        # The CPU provider alone: another provider's numbers differ, and the model is small.
        self._session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._batch_size = batch_size

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return (options["weights"],)

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return Fingerprint(
            name="open_nsfw",
            weights={"model": store.digest(options["weights"])},
            preprocessing=f"bilinear squash to {_SIDE}, box-reduced to {REDUCING_GAP:.0f} times it first, "
            f"JPEG round trip, centre crop {_CROP}, BGR minus mean",
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    @property
    def categories(self) -> tuple[str, ...]:
        """``nudity`` alone: violence, hate and the rest are outside what this model was trained on."""
        return ("nudity",)

    def probabilities(self, images: Sequence[RGB]) -> Float32:
        """See :class:`~edit_metrics.backends.base.SafetyClassifier`."""
        inputs = [preprocess(image) for image in images]
        found = [np.zeros((0, 1), np.float32)]
        for start in range(0, len(inputs), self._batch_size):
            batch = np.stack(inputs[start : start + self._batch_size])
            (safe_and_not,) = self._session.run(None, {self._input: batch})
            found.append(safe_and_not[:, 1:2])
        return np.concatenate(found)


def preprocess(image: RGB) -> Float32:
    """One picture to 224×224×3 BGR. The JPEG round trip is part of the model: without it scores move by up to .14."""
    size = (_SIDE, _SIDE)
    squashed = Image.fromarray(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    buffer = io.BytesIO()
    squashed.save(buffer, format="JPEG")
    with Image.open(buffer) as reread:
        pixels = np.asarray(reread, dtype=np.float32)
    start = (_SIDE - _CROP) // 2
    cropped = pixels[start : start + _CROP, start : start + _CROP, ::-1]
    return np.ascontiguousarray(cropped - _MEAN_BGR)
