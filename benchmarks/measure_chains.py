"""Chains of degradations on real sources: does a score ever rise as an edit gets worse?

    python benchmarks/measure_chains.py [--sources 15] [--part quality|preservation|rest|pastes]

Preservation: JPEG, enlarged, moved, gain, warm, pasted. Quality: the same, and blur, noise, blur with noise. The rest
of a local edit: untouched, JPEG 75, then drawn anew at three strengths (``regenerated``). Printed: the median of each
step, the sources on which the score never rises, and for the last the raw ``lpips_outside``. Pastes: squares of 24 to
160 px, found by the change map or not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from rated_sets import shared_folder

from edit_metrics.backends.lpips import LpipsBackbone
from edit_metrics.computation import Computation, Feature, to_columns
from edit_metrics.config import Config, load_config
from edit_metrics.dimensions.prescores import to_prescore
from edit_metrics.io.images import decode_image
from edit_metrics.registry import BASE_INPUTS, get_feature, get_metric
from edit_metrics.types import RGB, Measurement, Missing, PreScore, not_applicable, unavailable

Damage = Callable[[RGB], RGB]
LONGEST: Final = 512
"""px: pictures are brought there, so that the whole takes minutes."""


def blurred(picture: RGB, sigma: float, noise: float = 0.0) -> RGB:
    """A Gaussian blur, then white noise of that many levels."""
    soft = cv2.GaussianBlur(picture, (0, 0), sigma) if sigma else picture
    grain = np.random.default_rng(0).normal(0, noise, picture.shape)
    return np.clip(np.rint(soft + grain), 0, 255).astype(np.uint8)


def encoded(picture: RGB, quality: int) -> RGB:
    """A JPEG and back."""
    data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def enlarged(picture: RGB, factor: float) -> RGB:
    """Shrunk by that factor, and back."""
    size = (picture.shape[1], picture.shape[0])
    small = cv2.resize(picture, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def moved(picture: RGB, pixels: int) -> RGB:
    """To the right, the left column repeated."""
    return np.ascontiguousarray(np.concatenate([picture[:, :1].repeat(pixels, 1), picture[:, :-pixels]], axis=1))


def gained(picture: RGB, gains: Sequence[float]) -> RGB:
    """Each channel times its gain."""
    return np.clip(np.rint(picture * np.array(gains)), 0, 255).astype(np.uint8)


def pasted(picture: RGB, side: int) -> RGB:
    """A square of the picture's own mirrored middle, at the upper left."""
    result = picture.copy()
    top, left = picture.shape[0] // 2 - side // 2, picture.shape[1] // 2 - side // 2
    result[20 : 20 + side, 20 : 20 + side] = 255 - picture[top : top + side, left : left + side]
    return result


def regenerated(picture: RGB, strength: int) -> RGB:
    """What an autoencoder does to what it should keep: detail lost, colours kept, other texture put in."""
    soft = cv2.bilateralFilter(enlarged(picture, 1 + strength), 9, 20.0 * strength, 3.0 * strength)
    grain = cv2.GaussianBlur(np.random.default_rng(1).normal(0, 1, picture.shape), (0, 0), 1.0)
    return np.clip(np.rint(soft + 6.0 * strength * grain), 0, 255).astype(np.uint8)


PRESERVATION: Final[Mapping[str, Sequence[Damage]]] = {
    "JPEG": [partial(encoded, quality=q) for q in (75, 40, 10)],
    "enlarged": [partial(enlarged, factor=f) for f in (2, 3, 4)],
    "moved": [partial(moved, pixels=p) for p in (2, 5, 12)],
    "gain": [partial(gained, gains=(g, g, g)) for g in (0.95, 0.85, 0.7)],
    "warm": [partial(gained, gains=(1 + w, 1, 1 - w)) for w in (0.03, 0.08, 0.2)],
    "pasted": [partial(pasted, side=s) for s in (32, 80, 160)],
}
QUALITY: Final[Mapping[str, Sequence[Damage]]] = {
    "blur": [partial(blurred, sigma=s) for s in (1, 2, 4)],
    "noise": [partial(blurred, sigma=0, noise=n) for n in (3, 10, 25)],
    "blur and noise": [partial(blurred, sigma=s, noise=2.5 * s) for s in (1, 2, 4)],
    **PRESERVATION,
}

REST: Final[Sequence[Damage]] = (
    lambda picture: picture,
    partial(encoded, quality=75),
    *(partial(regenerated, strength=strength) for strength in (1, 2, 3)),
)


def with_rest(picture: RGB, edited: RGB, damage: Damage) -> RGB:
    """The local edit, with everything else as the damage leaves it."""
    changed = np.any(picture != edited, axis=2)[..., None]
    return np.where(changed, edited, damage(picture))


class Item:
    """Measurements of one pair without a mask, with the real perceptual backbone and no other model."""

    def __init__(self, source: RGB, edited: RGB, backend: LpipsBackbone) -> None:
        self._values: dict[str, object] = {"source": source, "edited_native": edited}
        self._backend = backend

    def prescore(self, config: Config, dimension: str) -> PreScore:
        """As a run would have it."""
        section = config.dimension(dimension)
        names = dict.fromkeys([*section.gates, *section.curves])
        return to_prescore(section, config.confidence, {n: self.measure(f"{dimension}.{n}") for n in names})

    def measure(self, name: str) -> Measurement:
        """One metric."""
        spec = get_metric(name)
        return spec.measurement(self._run(spec), self._needed(spec))

    def _needed(self, spec: Computation) -> dict[str, object]:
        return {need: self._value(need) for need in spec.needs}

    def _value(self, name: str) -> object:
        if name not in self._values:
            absent = not_applicable(f"no_{name}")
            self._values[name] = absent if name in BASE_INPUTS else self._run(get_feature(name))
        return self._values[name]

    def _run(self, spec: Computation) -> object:
        bound = spec.bind(self._needed(spec))
        if isinstance(bound, Missing):
            return bound
        if isinstance(spec, Feature) and spec.backend is not None:
            if spec.backend != "perceptual":
                return unavailable("no_backend")
            return spec.function(**to_columns([bound]), backend=self._backend)[0]
        return spec.function(**bound)


def never_rises(scores: Sequence[float], start: float = 1.0) -> bool:
    """Whether no step is better than the one before it."""
    return all(after <= before + 1e-6 for before, after in zip([start, *scores], scores, strict=False))


def sources(number: int) -> list[RGB]:
    """Different ones, spread over the origins."""
    folder = shared_folder()
    rows = [json.loads(line) for line in (folder / "triples.jsonl").read_text(encoding="utf-8").splitlines()]
    paths = list(dict.fromkeys(row["source"] for row in rows))
    return [_small(folder / path) for path in paths[:: max(len(paths) // number, 1)][:number]]


def local_edits(number: int) -> list[tuple[RGB, RGB]]:
    """Real sources with a thing of their own pasted elsewhere: the rest is untouched to the last bit."""
    return [(picture, pasted(picture, 96)) for picture in sources(number)]


def _small(path: Path) -> RGB:
    picture = decode_image(str(path)).pixels
    factor = min(LONGEST / max(picture.shape[:2]), 1.0)
    return np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--sources", type=int, default=15)
    arguments.add_argument("--part", choices=("quality", "preservation", "rest", "pastes"), help="default: all")
    chosen = arguments.parse_args()
    config, backend = load_config("embedded"), LpipsBackbone(net="alex")
    for dimension, chains in (("quality", QUALITY), ("preservation", PRESERVATION)):
        if chosen.part in (None, dimension):
            print_chains(dimension, chains, sources(chosen.sources), config, backend)
    if chosen.part in (None, "rest"):
        print_rest(config, backend)
    if chosen.part in (None, "pastes"):
        print_pastes(backend)


def print_chains(
    dimension: str, chains: Mapping[str, Sequence[Damage]], pictures: Sequence[RGB], config: Config,
    backend: LpipsBackbone,
) -> None:  # fmt: skip
    """Medians of each step, and on how many sources the score never rises."""
    for name, chain in chains.items():
        found = [
            [Item(picture, damage(picture), backend).prescore(config, dimension).score for damage in chain]
            for picture in pictures
        ]
        known = [[1.0 if score is None else score for score in scores] for scores in found]
        steady = sum(never_rises(scores) for scores in known)
        medians = ", ".join(f"{value:.2f}" for value in np.median(known, axis=0))
        print(f"{dimension}, {name}: {medians}; never rises on {steady} of {len(known)}", flush=True)


def print_rest(config: Config, backend: LpipsBackbone) -> None:
    """A local edit whose rest is ever more drawn anew."""
    raw, scores = [], []
    for picture, edited in local_edits(20):
        items = [Item(picture, with_rest(picture, edited, damage), backend) for damage in REST]
        raw.append([item.measure("preservation.lpips_outside").value or 0.0 for item in items])
        scores.append([item.prescore(config, "preservation").score or 0.0 for item in items])
    ordered = sum(all(b > a for a, b in pairwise(row)) for row in raw)
    steady = sum(never_rises(row) for row in scores)
    falls = sum(row[0] - row[-1] >= 0.5 for row in scores)
    print("rest of a local edit: untouched, JPEG 75, drawn anew at three strengths")
    print(f"  lpips_outside {_medians(raw, 3)}; strictly ordered on {ordered} of {len(raw)}")
    print(f"  preservation {_medians(scores, 2)}; never rises on {steady}, falls by .5 on {falls} of {len(scores)}")


def print_pastes(backend: LpipsBackbone) -> None:
    """Whether a pasted square is ever called no change, or not seen by the change map."""
    for side in (24, 40, 80, 160):
        items = [Item(picture, pasted(picture, side), backend) for picture in sources(20)]
        called = sum(item.measure("adherence.no_op").value == 1 for item in items)
        seen = sum((item.measure("preservation.over_edit_share").value or 0.0) > 0 for item in items)
        print(f"pasted, {side} px: change found on {seen}, called a no-op on {called} of {len(items)}", flush=True)


def _medians(rows: Sequence[Sequence[float]], digits: int) -> str:
    return ", ".join(f"{value:.{digits}f}" for value in np.median(rows, axis=0))


if __name__ == "__main__":
    main()
