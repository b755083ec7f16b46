"""How unmasked preservation is put together, and what a choice among curves is worth on origins left out of it.

    python benchmarks/choose_outside_curve.py RUNS

RUNS holds a scored run of each rated set (``validity.py --runs``). Curves of ``preservation.lpips_outside`` and ways to
combine it with the extent of the edit and the shift of colour are held against the ratings of unmasked edits in
``multi_method`` and ``triples``, beside plain LPIPS. Then each origin is left out in turn: the best on the others gives
the scores of the origin left out, pooled ("held out"). ``range`` takes no rating: the range of LPIPS itself.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ordering import concordance, estimate, spearman, spearman_within
from rated_sets import plain_metrics, read_sets, shared_folder
from validity_rows import join

from edit_metrics.config import Anchors, load_config
from edit_metrics.dimensions.prescores import apply_curve

CURVES: Final[dict[str, Anchors]] = {
    "range": [(0, 1), (0.7, 0)],
    "as LPIPS": [(0, 1), (0.03, 0.9), (0.12, 0.5), (0.4, 0)],
    "chosen before": [(0, 1), (0.1, 0.9), (0.2, 0.6), (0.45, 0.1), (0.6, 0)],
    "softer": [(0, 1), (0.15, 0.9), (0.25, 0.6), (0.5, 0.1), (0.6, 0)],
}
WAYS: Final = {"weakest": 0.0, "weakest and a tenth": 0.1, "weakest and a half": 0.5, "product": 1.0, "mean": None}
"""Weight of the product of all beside the weakest; None = the mean."""
SHIPPED: Final = ("range", "weakest and a tenth")
SETS: Final = {"multi_method": "untouched", "triples": "preservation"}
Choice = tuple[str, str]
FORMER: Final[tuple[Choice, ...]] = tuple(product(["as LPIPS", "chosen before", "softer"], ["weakest", "mean"]))
CHOICES: Final[tuple[Choice, ...]] = tuple(product(CURVES, WAYS))


def main() -> None:
    runs, cache = Path(sys.argv[1]), Path(sys.argv[-1])
    frames = {}
    for rated in read_sets(shared_folder()):
        if rated.name in SETS:
            scored = join(rated, runs / rated.name, plain_metrics(rated, cache))
            frame = scored.frame.copy().assign(LPIPS=scored.scores["LPIPS"], rating=scored.frame[SETS[rated.name]])
            unmasked = frame[(frame["mask_source"] != "given") & frame["rating"].notna()]
            frames[rated.name] = unmasked[unmasked["preservation.over_edit_share"].notna()]
    for name, frame in frames.items():
        print(f"{name}, {len(frame)} edits")
        print(_told("plain LPIPS", frame["LPIPS"], frame))
        for choice in CHOICES:
            told = f"{choice[0]}, {choice[1]}" + (" (shipped)" if choice == SHIPPED else "")
            print(_told(told, score(frame, choice), frame))
        for told, choices in (("held out, of the six before", FORMER), ("held out, of all", CHOICES)):
            print(_told(told, held_out(frames, name, choices), frame))


def held_out(frames: dict[str, pd.DataFrame], name: str, choices: tuple[Choice, ...]) -> pd.Series[float]:
    """Scores of each origin of a set, by the choice that orders all others best (sum of ρ over the sets)."""
    frame = frames[name]
    held = pd.Series(np.nan, frame.index)
    for origin in frame["origin"].unique():
        others = {n: f if n != name else f[f["origin"] != origin] for n, f in frames.items()}
        best = max(choices, key=lambda choice: sum(_rho(score(f, choice), f) for f in others.values()))
        out = frame["origin"] == origin
        held[out] = score(frame[out], best)
    return held


def score(frame: pd.DataFrame, choice: Choice) -> pd.Series[float]:
    """Preservation of unmasked edits."""
    shipped = load_config("embedded").dimension("preservation").curves
    curve, way = choice
    anchors = {
        "lpips_outside": CURVES[curve],
        "over_edit_share": shipped["over_edit_share"].anchors,
        "colour_shift": shipped["colour_shift"].anchors,
    }
    parts = pd.DataFrame(
        {
            name: frame[f"preservation.{name}"].map(lambda value, a=a: apply_curve(a, value), na_action="ignore")
            for name, a in anchors.items()
        }
    )
    others = WAYS[way]
    if others is None:
        return parts.mean(axis=1)
    return (1 - others) * parts.min(axis=1) + others * parts.prod(axis=1)


def _rho(values: pd.Series[float], frame: pd.DataFrame) -> float:
    ones = np.ones((1, len(frame)))
    return float(spearman(values.to_numpy(float), frame["rating"].to_numpy(float))(ones)[0])


def _told(name: str, values: pd.Series[float], frame: pd.DataFrame) -> str:
    own, rating = values.to_numpy(float), frame["rating"].to_numpy(float)
    origin = pd.factorize(frame["origin"])[0]
    within = float(spearman_within(own, rating, origin)(np.ones((1, len(frame))))[0])
    c = estimate(concordance(own, rating), frame["group"].to_numpy(object))
    return (
        f"  {name:36s} ρ {_rho(values, frame):.3f}, within origin {within:.3f}, C {c.value:.3f}, "
        f"lower 90 % bound {c.lower_tenth:.3f}"
    )


if __name__ == "__main__":
    main()
