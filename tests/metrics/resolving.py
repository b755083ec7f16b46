"""Features and metrics of one item on demand, bound as the engine binds them, so that a test need not run it."""

from __future__ import annotations

from typing import Any

import numpy as np

from edit_metrics.backends.stub import StubPerceptual
from edit_metrics.computation import Computation, to_columns
from edit_metrics.registering import on_grid
from edit_metrics.registry import BASE_INPUTS, all_metrics, get_feature, get_label, get_metric
from edit_metrics.types import RGB, Mask, Measurement, Missing, not_applicable, unavailable


class Resolver(dict[str, Any]):
    """An item's base inputs; features are computed, and kept, when they are first asked for."""

    def __init__(self, source: RGB, edited: RGB, mask: Mask | None = None, **base: Any) -> None:
        super().__init__(source=source, edited_native=edited, **base)
        if mask is not None:
            self["mask"] = mask

    def __missing__(self, name: str) -> Any:
        self[name] = not_applicable(f"no_{name}") if name in BASE_INPUTS else self._run(get_feature(name))
        return self[name]

    def measure(self, name: str) -> Measurement:
        spec = get_metric(name)
        return spec.measurement(self._run(spec), self)

    def label(self, name: str) -> str:
        return str(self._run(get_label(name)))

    def _run(self, spec: Computation) -> Any:
        bound = spec.bind(self)
        if isinstance(bound, Missing):
            return bound
        if spec.batched:
            if spec.backend != "perceptual":
                return unavailable("no_backend")
            return spec.function(**to_columns([bound]), backend=StubPerceptual())[0]
        return spec.function(**bound)


def measure(name: str, **features: Any) -> Measurement:
    """A metric of an item that has these features and no others, on whichever grid it reads them."""
    spec = get_metric(name)
    given = features | {on_grid(feature, spec.grid): value for feature, value in features.items()}
    values = {need: unavailable(f"no_{need}") for need in spec.needs} | given
    bound = spec.bind(values)
    return spec.measurement(bound if isinstance(bound, Missing) else spec.function(**bound), values)


def preservation_names() -> list[str]:
    return [
        spec.name
        for spec in all_metrics()
        if spec.dimension == "preservation" and not spec.name.endswith((".seam", ".judge"))
    ]


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
