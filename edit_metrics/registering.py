"""What every decorator does that registers a function: read its signature, fill in roles, refuse a name twice."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, Final, TypeVar

from edit_metrics import plugins
from edit_metrics.computation import Computation, Option, place_of
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.types import Grid

_AREAS_AND_PICTURES: Final = frozenset(
    {"source", "edited", "edited_native", "mask", "kept", "covered", "compared", "geometry_region"}
)
REDUCED: Final[Mapping[Grid, frozenset[str]]] = {
    Grid.NATIVE: frozenset(),
    Grid.WORKING: _AREAS_AND_PICTURES,
    Grid.PERCEPTUAL: _AREAS_AND_PICTURES | {"derived_rest"},
}
"""Grid → what another grid holds and this one has a version of, ``<grid>_<name>`` (:mod:`edit_metrics.features.grids`).

A computation on that grid which names one of them is given that version. All else lies on one grid only.
"""

NOWHERE: Final = "nowhere"
"""``lies_on`` of a feature that has nothing for each pixel of a grid."""

C = TypeVar("C", bound=Computation)


def look_up(table: Mapping[str, C], name: str, kind: str) -> C:
    """The one of that name; an unknown one raises ConfigError with the nearest names."""
    try:
        return table[name]
    except KeyError:
        raise ConfigError(f"the name of a registered {kind}", repr(name), todo=suggest(name, table)) from None


def add(table: dict[str, C], spec: C, kind: str, *prefixes: str) -> None:
    """Put a computation in its table.

    Args:
        table: where it goes.
        spec: what is registered.
        kind: for messages.
        prefixes: how names of that kind start in a plug-in, see :func:`edit_metrics.plugins.check_name`.

    Raises:
        ConfigError: the name is taken, or a plug-in's name does not carry its namespace.
    """
    plugins.check_name(kind, spec.name, spec.module, *prefixes)
    first = table.get(spec.name)
    if first is not None:
        got = f"{spec.name!r}, which {first.module} has registered ({first.place})"
        raise ConfigError("a new name", got, f"{spec.module} ({spec.place})")
    table[spec.name] = spec


def each(name: str, roles: Sequence[str], function: Callable[..., Any]) -> Sequence[str | None]:
    """The roles to register for; one without a name where there are none."""
    if bool(roles) != ("{role}" in name):
        expected = "'{role}' in the name of what has roles, and only there"
        raise ConfigError(expected, f"{name!r} with roles={tuple(roles)!r}", place_of(function))
    return roles or (None,)


def filled(text: str | None, role: str | None) -> Any:
    """The text with ``{role}`` filled in."""
    return text if text is None or role is None else text.replace("{role}", role)


def describe(
    function: Callable[..., Any],
    role: str | None,
    name: str,
    features: Mapping[str, str] | None,
    requires: Sequence[str] = (),
    skip: Container[str] = (),
    grid: Grid = Grid.NATIVE,
    off_grid: Sequence[str] = (),
) -> dict[str, Any]:
    """What every computation has, read off the signature; parameters in ``skip`` are not fed by features.

    On a grid with a cap, parameters are fed by what lies there; those that ``features`` maps, by what it says.
    """
    inputs: dict[str, str] = {}
    optional: dict[str, str] = {}
    options: list[Option] = []
    renamed = features or {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in skip:
            continue
        fed_by = filled(renamed.get(parameter.name), role) or on_grid(parameter.name, grid)
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise ConfigError("a default for every option", repr(parameter.name), place_of(function))
            options.append(Option(parameter.name, parameter.default))
        elif parameter.default is parameter.empty:
            inputs[parameter.name] = fed_by
        elif parameter.default is None:
            optional[parameter.name] = fed_by
        else:
            raise ConfigError(
                "a positional parameter without a default, or with the default None",
                f"{parameter.name}={parameter.default!r}",
                place_of(function),
                "Make it keyword-only if it is an option.",
            )
    strange = [parameter for parameter in off_grid if parameter not in {**inputs, **optional}]
    if strange:
        raise ConfigError("parameters of the function in off_grid=", repr(strange[0]), place_of(function))
    return {
        "name": filled(name, role), "function": function, "module": function.__module__, "inputs": inputs,
        "optional": optional, "options": tuple(options), "requires": tuple(filled(r, role) for r in requires),
        "grid": grid, "off_grid": tuple(off_grid),
    }  # fmt: skip


def on_grid(name: str, grid: Grid) -> str:
    """The feature of that name as it lies on a grid."""
    return f"{grid}_{name}" if name in REDUCED[grid] else name


def lying(lies_on: str | None, role: str | None, grid: Grid, function: Callable[..., Any]) -> Grid | None:
    """Where a feature's value lies that says ``lies_on``; where it says nothing: on a capped grid that it reads.

    Raises:
        ConfigError: it says what is no grid.
    """
    if lies_on is None:
        return None if grid is Grid.NATIVE else grid
    said = filled(lies_on, role)
    if said == NOWHERE:
        return None
    try:
        return Grid(said)
    except ValueError:
        raise ConfigError("lies_on=Grid.… or NOWHERE", repr(said), place_of(function)) from None
