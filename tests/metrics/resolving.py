"""A bare resolver of features and metrics, so that the tests of one metric do not run the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from edit_metrics.backends.stub import StubPerceptual
from edit_metrics.registry import BASE_INPUTS, Computation, Feature, all_metrics, get_feature, get_label, get_metric
from edit_metrics.types import RGB, Mask, Measurement, Missing, not_applicable, unavailable


class Resolver:
    """Computes features on demand from base inputs, as the engine does for one item."""

    def __init__(self, source: RGB, edited: RGB, mask: Mask | None = None, **base: Any) -> None:
        self.values: dict[str, Any] = {"source": source, "edited_native": edited, **base}
        if mask is not None:
            self.values["mask_file"] = mask

    def feature(self, name: str) -> Any:
        if name not in self.values:
            absent = not_applicable("no_mask" if name == "mask_file" else f"no_{name}")
            self.values[name] = absent if name in BASE_INPUTS else self._call(get_feature(name))
        return self.values[name]

    def measure(self, name: str) -> Measurement:
        return Measurement.of(self._call(get_metric(name)))

    def label(self, name: str) -> str:
        return str(self._call(get_label(name)))

    def _call(self, spec: Computation) -> Any:
        arguments: dict[str, Any] = {}
        for parameter, name in spec.inputs.items():
            value = self.feature(name)
            if isinstance(value, Missing):
                return value
            arguments[parameter] = value
        for parameter, name in spec.optional.items():
            value = self.feature(name)
            arguments[parameter] = None if isinstance(value, Missing) else value
        if isinstance(spec, Feature) and spec.batched:
            if spec.backend != "perceptual":
                return unavailable("no_backend")
            batch = {parameter: [value] for parameter, value in arguments.items()}
            return spec.function(**batch, backend=StubPerceptual())[0]
        return spec.function(**arguments)


def preservation_names() -> list[str]:
    return [spec.name for spec in all_metrics() if spec.dimension == "preservation" and "seam" not in spec.name]


def measure_all(resolver: Resolver) -> dict[str, Measurement]:
    return {name: resolver.measure(name) for name in preservation_names()}


def blob_mask(rng: np.random.Generator, shape: tuple[int, int], share: float = 0.2) -> Mask:
    """A few random rectangles that cover about ``share``."""
    mask = np.zeros(shape, np.bool_)
    while mask.mean() < share:
        height, width = (int(rng.integers(8, n // 3)) for n in shape)
        y, x = (int(rng.integers(0, n - side)) for n, side in zip(shape, (height, width), strict=True))
        mask[y : y + height, x : x + width] = True
    return mask
