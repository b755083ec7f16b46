"""What really reaches a network: pictures of one colour go through the engine, and its first layer is listened to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from edit_metrics.doctor import pictures as draw
from edit_metrics.doctor.cases import Case, write_case
from edit_metrics.doctor.trial import Trial, score_items
from edit_metrics.types import Float64

COLOURS: Final = (
    (0, 0, 0), (64, 64, 64), (128, 128, 128), (192, 192, 192), (255, 255, 255), (255, 0, 0), (0, 0, 255),
)  # fmt: skip
PUBLISHED: Final[Mapping[str, tuple[tuple[float, float, float], tuple[float, float, float]]]] = {
    "CLIP's": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "ImageNet's": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "Inception's": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
}
"""Mean and deviation of pictures in [0, 1] that the pretrained encoders in use were trained with."""

Inputs = Mapping[str, Mapping[tuple[int, int, int], Float64]]
"""Role → colour of the picture → what the network saw of it, one number a channel."""


def network_inputs(trial: Trial) -> Inputs:
    """Send one picture of each colour through the engine and record what each network's first layer was given."""
    seen: dict[str, dict[tuple[int, int, int], Float64]] = {}
    for colour in COLOURS:
        name = "colour_{}_{}_{}".format(*colour)
        picture = draw.flat(colour, 96)
        item = write_case(Case(name, picture, picture), trial.folder)
        with _listening(trial.backends) as heard:
            score_items(trial.plan, trial.backends, [item], workers=1)
        for role, inputs in heard.items():
            seen.setdefault(role, {})[colour] = inputs[0].mean(axis=(0, 2, 3))
    return seen


def expected_inputs(colour: tuple[int, int, int], normalisation: str) -> Float64:
    """(v / 255 − mean) / deviation of each channel."""
    mean, deviation = (np.array(numbers) for numbers in PUBLISHED[normalisation])
    result: Float64 = (np.array(colour) / 255 - mean) / deviation
    return result


@contextmanager
def _listening(backends: Mapping[str, Any]) -> Iterator[dict[str, list[Float64]]]:
    """Record the inputs of the first convolution of every torch network that a backend holds."""
    heard: dict[str, list[Float64]] = {}
    handles = []
    for role, backend in backends.items():
        layer = _first_convolution(backend)
        if layer is None:
            continue

        def keep(module: Any, arguments: Any, *, role: str = role) -> None:
            del module
            heard.setdefault(role, []).append(arguments[0].detach().float().cpu().numpy().astype(np.float64))

        handles.append(layer.register_forward_pre_hook(keep))
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _first_convolution(backend: Any) -> Any:
    """The layer that pictures enter, found without importing torch; None for a backend that is no torch network."""
    for held in vars(backend).values() if hasattr(backend, "__dict__") else ():
        for module in held.modules() if hasattr(held, "register_forward_pre_hook") else ():
            if type(module).__name__.startswith("Conv2d"):
                return module
    return None
