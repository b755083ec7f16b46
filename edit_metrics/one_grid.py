"""What a computation lays beside each other lies on one grid: read off the declarations, before any picture is.

``labs`` lies on the working grid, ``source`` on the source's own pixels. A function that is given both has arrays of
two sizes as soon as a picture is over the cap, and fails on that picture, late in a run. So whoever makes a plan asks
here. Where a feature's value lies is said by its decorator (``grid=``, ``lies_on=``); what is to stay on another grid
than the rest, by that of the computation (``off_grid=``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from edit_metrics.computation import Computation
from edit_metrics.errors import ConfigError
from edit_metrics.registering import REDUCED
from edit_metrics.registry import all_features
from edit_metrics.types import Grid

_BASE_INPUTS: Final[Mapping[str, Grid | None]] = {"source": Grid.NATIVE, "mask": Grid.NATIVE}
"""The others have nothing for each pixel of S: ``edited_native`` and ``references`` have sizes of their own."""


def check_grids(specs: Iterable[Computation]) -> None:
    """Refuse what lays pictures, areas or maps of several grids beside each other.

    Raises:
        ConfigError: a computation whose parameters lie on several grids, those in its ``off_grid`` apart.
    """
    lies_on = {**_BASE_INPUTS, **{feature.name: feature.lies_on for feature in all_features()}}
    for spec in specs:
        found: dict[Grid, dict[str, str]] = {}
        for parameter, name in {**spec.inputs, **spec.optional}.items():
            grid = None if parameter in spec.off_grid else lies_on.get(name)
            if grid is not None:
                found.setdefault(grid, {})[parameter] = name
        if len(found) > 1:
            raise _mixed(spec, found)


def _mixed(spec: Computation, found: Mapping[Grid, Mapping[str, str]]) -> ConfigError:
    got = " beside ".join(f"{', '.join(found[grid].values())} on the {grid} grid" for grid in Grid if grid in found)
    apart = next(iter(found.get(Grid.NATIVE) or found[Grid.PERCEPTUAL]))
    return ConfigError(
        f"parameters of {spec.name!r} that lie on one grid",
        f"{got}, which are two sizes on pictures over a cap",
        f"{spec.module}, {spec.place}",
        f"{_remedy(spec, found)} A parameter that the function never lays beside the others: off_grid=({apart!r},).",
    )


def _remedy(spec: Computation, found: Mapping[Grid, Mapping[str, str]]) -> str:
    """What brings the parameters onto one grid."""
    capped = [grid for grid in found if grid is not Grid.NATIVE]
    if len(capped) > 1:
        return "Bring them onto one grid in a feature of your own."
    (grid,) = capped
    native = found[Grid.NATIVE]
    without = [name for name in native.values() if name not in REDUCED[grid]]
    if without:
        return f"There is no {' and no '.join(without)} on the {grid} grid: read another feature, or make one."
    # What features= maps by hand is left alone by grid=.
    by_hand = {parameter: name for parameter, name in native.items() if parameter != name or spec.grid is grid}
    fed = [name for parameter, name in native.items() if parameter not in by_hand]
    todo = [f"Declare grid=Grid.{grid.name}, which feeds {', '.join(fed)} from there."] if fed else []
    mapped = ", ".join(f'"{parameter}": "{grid}_{name}"' for parameter, name in by_hand.items())
    return " ".join([*todo, f"Map features={{{mapped}}}."] if mapped else todo)
