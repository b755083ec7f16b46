"""Text by RapidOCR (PP-OCR through ONNX Runtime). Its wheel carries the models: nothing is downloaded.

The reader is loaded with the first picture that is to be read: few edits ask for text, and it takes most of a second.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np

from edit_metrics.backends.base import Fingerprint, require_package
from edit_metrics.backends.rapid_ocr_parts import LEAST_SIDE, MOST_SIDE, MULTIPLE, PartView, may_be_parted
from edit_metrics.backends.registry import backend
from edit_metrics.errors import MissingExtraError, WeightsError
from edit_metrics.perceived import TextLine
from edit_metrics.pixels.crops import Crop, overlap
from edit_metrics.pixels.remembered import Remembered, key_of
from edit_metrics.types import RGB
from edit_metrics.weights import store

_STAGES: Final = {"Det": "*_det_*.onnx", "Cls": "*_cls_*.onnx", "Rec": "*_rec_*.onnx"}
"""Detection, upside-down or not, recognition → the model's file in the package."""
_REMEMBERED: Final = 4096
"""Pictures whose lines are kept: a few hundred bytes each."""


@backend("rapidocr", "ocr", packages=("rapidocr",), extra="ocr")
class RapidOcr:
    """Role ``ocr``. Reads Latin letters, digits and Chinese; printed rather than handwritten text, from about 12 px up.

    Args:
        min_score: of the recogniser, from which a line counts as read.
        threads: of ONNX Runtime; None leaves its default.
    """

    def __init__(self, *, min_score: float = 0.5, threads: int | None = None) -> None:
        self._fingerprint = self.describe({"min_score": min_score})
        count = -1 if threads is None else threads
        settings: dict[str, Any] = {
            "Global.log_level": "error",
            "Global.text_score": min_score,
            "Global.max_side_len": MOST_SIDE,
            "Det.limit_side_len": LEAST_SIDE,
            "Det.limit_type": "min",
            "EngineConfig.onnxruntime.intra_op_num_threads": count,
            "EngineConfig.onnxruntime.inter_op_num_threads": count,
        }
        paths = {f"{stage}.model_path": str(path) for stage, path in _model_files().items()}
        self._settings = settings | paths
        self._reader: Any = None
        # A source comes again with each model's edit of it.
        self._read_before = Remembered[tuple[TextLine, ...]](_REMEMBERED)
        self._lock = threading.Lock()

    @classmethod
    def weights(cls, options: Mapping[str, Any]) -> tuple[str, ...]:
        """None: the models lie in the package itself."""
        return ()

    @classmethod
    def describe(cls, options: Mapping[str, Any]) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Describable`."""
        return Fingerprint(
            name="rapidocr",
            weights={stage: store.sha256_of(path) for stage, path in _model_files().items()},
            preprocessing=f"package defaults, BGR, score >= {options['min_score']}",
        )

    @property
    def fingerprint(self) -> Fingerprint:
        """See :class:`~edit_metrics.backends.base.Fingerprint`."""
        return self._fingerprint

    def read_text(self, images: Sequence[RGB]) -> list[tuple[TextLine, ...]]:
        """See :class:`~edit_metrics.backends.base.TextReader`."""
        with self._lock:
            return [self._read_before.of(key_of(image), partial(self._read, image)) for image in images]

    def read_parts(self, image: RGB, parts: Sequence[Crop]) -> list[tuple[TextLine, ...]]:
        """See :class:`~edit_metrics.backends.base.PartReader`."""
        with self._lock:
            return [self._read_part(image, part) for part in parts]

    def _read(self, image: RGB) -> tuple[TextLine, ...]:
        if self._reader is None:
            rapidocr = require_package("rapidocr", "ocr", "reading text off pictures")
            self._reader = rapidocr.RapidOCR(params=self._settings)
        found = self._reader(np.ascontiguousarray(image[..., ::-1]))
        if found.txts is None:
            return ()
        return tuple(
            TextLine(text, (*box.min(axis=0).tolist(), *box.max(axis=0).tolist()), float(score))
            for text, box, score in zip(found.txts, found.boxes, found.scores, strict=True)
        )

    def _read_part(self, image: RGB, part: Crop) -> tuple[TextLine, ...]:
        size = (image.shape[1], image.shape[0])
        lines = self._read_view(image, PartView.of(size, part)) if may_be_parted(size) else self._read(image)
        return tuple(line for line in lines if overlap(line.box, part) > 0)

    def _read_view(self, image: RGB, view: PartView) -> tuple[TextLine, ...]:
        if self._reader is None:
            self._read(np.zeros((MULTIPLE, MULTIPLE, 3), np.uint8))  # its detector comes with the first picture
        detector = self._reader.text_det
        detector.limit_side_len = view.limit
        try:
            found = self._read(view.cut(image))
        finally:
            detector.limit_side_len = LEAST_SIDE
        return tuple(TextLine(line.text, view.back(line.box), line.score) for line in found)


def _model_files() -> dict[str, Path]:
    spec = importlib.util.find_spec("rapidocr")
    if spec is None or spec.origin is None:
        raise MissingExtraError("rapidocr", "ocr", "reading text off pictures")
    folder = Path(spec.origin).parent / "models"
    files: dict[str, Path] = {}
    for stage, pattern in _STAGES.items():
        found = sorted(folder.glob(pattern))
        if not found:
            raise WeightsError(
                f"a model file {pattern} in the package rapidocr",
                "none",
                str(folder),
                "Install a version of rapidocr whose wheel carries its models (3.1 or newer).",
            )
        files[stage] = found[0]
    return files
