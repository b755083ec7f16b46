"""What really reaches a network: pictures of one colour go through the engine, and its first layer is listened to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from edit_metrics.doctor import pictures as draw
from edit_metrics.doctor.cases import Case, write_case
from edit_metrics.doctor.trial import Trial, score_items
from edit_metrics.types import Float64

Colour = tuple[int, int, int]
COLOURS: Final[tuple[Colour, ...]] = (
    (0, 0, 0), (64, 64, 64), (128, 128, 128), (192, 192, 192), (255, 255, 255), (255, 0, 0), (0, 0, 255),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Normalisation:
    """(v / 255 − mean) / deviation, per channel."""

    name: str
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def of(self, colour: Colour) -> Float64:
        """What a network should see of a colour."""
        result: Float64 = (np.array(colour) / 255 - np.array(self.mean)) / np.array(self.deviation)
        return result


PUBLISHED: Final = (
    Normalisation("CLIP's", (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    Normalisation("ImageNet's", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    Normalisation("Inception's", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
)
"""What the pretrained encoders of the shipped profiles were trained with."""


@dataclass(frozen=True, slots=True)
class NetworkInputs:
    """What one network saw.

    Attributes:
        seen: colour of the picture → one number a channel.
        normalisations: any of which is right: the published ones, and what the model's own files declare.
    """

    seen: Mapping[Colour, Float64]
    normalisations: tuple[Normalisation, ...]


def network_inputs(trial: Trial) -> dict[str, NetworkInputs]:
    """Send one picture of each colour through the engine and record what each role's network was given first."""
    seen: dict[str, dict[Colour, Float64]] = {}
    for colour in COLOURS:
        picture = draw.flat(colour, 96)
        item = write_case(Case("colour_{}_{}_{}".format(*colour), picture, picture), trial.folder)
        with _listening(trial.backends) as heard:
            score_items(trial.plan, trial.backends, [item], workers=1)
        for role, inputs in heard.items():
            seen.setdefault(role, {})[colour] = inputs[0].mean(axis=(0, 2, 3))
    return {
        role: NetworkInputs(colours, (*PUBLISHED, *_declared(trial.backends[role]))) for role, colours in seen.items()
    }


@contextmanager
def _listening(backends: Mapping[str, Any]) -> Iterator[dict[str, list[Float64]]]:
    """Record the inputs of the first convolution of every torch network that a backend holds."""
    heard: dict[str, list[Float64]] = {}
    handles = []
    for role, backend in backends.items():
        layer = next((m for m in _modules(backend) if type(m).__name__.startswith("Conv2d")), None)
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


def _modules(backend: Any) -> Iterator[Any]:
    """Every torch module that a backend holds, found without importing torch."""
    for held in vars(backend).values() if hasattr(backend, "__dict__") else ():
        if hasattr(held, "register_forward_pre_hook"):
            yield from held.modules()


def _declared(backend: Any) -> Iterator[Normalisation]:
    """The normalisation that a model's own files ask for, where the backend keeps it."""
    asked = [getattr(module, "preprocess_cfg", None) for module in _modules(backend)]  # open_clip's networks
    asked += [{"mean": held.mean, "std": held.std} for held in vars(backend).values() if _is_recipe(held)]
    for recipe in asked:
        if isinstance(recipe, Mapping) and "mean" in recipe and "std" in recipe:
            yield Normalisation("the model's own", tuple(recipe["mean"]), tuple(recipe["std"]))


def _is_recipe(held: Any) -> bool:
    return isinstance(getattr(held, "mean", None), tuple) and isinstance(getattr(held, "std", None), tuple)
