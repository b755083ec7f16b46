"""`@evidence`: what can be drawn, from which features.

A picture is a plain function, as a metric is: **its parameter names are the features it is drawn from**, and a
parameter with the default ``None`` is optional. It is drawn where the profile computes what it needs; no feature
is computed for it. It returns an H×W×3 picture, or None where there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from edit_metrics import plugins
from edit_metrics.computation import Computation, Values
from edit_metrics.evidence.drawing import Marks
from edit_metrics.registering import add, describe
from edit_metrics.types import RGB, Grid, Missing, unavailable

F = TypeVar("F", bound=Callable[..., RGB | None])

_NOT_COMPUTED = unavailable("not_in_profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence(Computation):
    """A registered picture; ``name`` is its kind, the ending of its files.

    Attributes:
        caption: under the picture.
        wide: it shows two pictures side by side.
        marks: what it draws as numbers, of the same features; None for a picture that is more than boxes.
    """

    caption: str
    wide: bool = False
    marks: Callable[..., Marks | None] | None = None

    def can_be_drawn(self, computed: Collection[str]) -> bool:
        """Whether all that it requires is among those names."""
        return set(self.required) <= set(computed)

    def draw(self, values: Values) -> RGB | None:
        """The picture of one item; None where there is none.

        Args:
            values: what has been computed for the item; names that are absent count as missing.
        """
        arguments = self.bind({name: values.get(name, _NOT_COMPUTED) for name in self.needs})
        picture: RGB | None = None if isinstance(arguments, Missing) else self.function(**arguments)
        return picture

    def mark(self, values: Values) -> Marks | None:
        """The boxes of one item, for a viewer that draws them itself; None where there are none."""
        arguments = self.bind({name: values.get(name, _NOT_COMPUTED) for name in self.needs})
        return None if self.marks is None or isinstance(arguments, Missing) else self.marks(**arguments)


_EVIDENCE: dict[str, Evidence] = {}


def evidence(
    name: str,
    *,
    caption: str,
    wide: bool = False,
    marks: Callable[..., Marks | None] | None = None,
    features: Mapping[str, str] | None = None,
    requires: Sequence[str] = (),
    grid: Grid = Grid.NATIVE,
    off_grid: Sequence[str] = (),
) -> Callable[[F], F]:
    """Register a picture; the function is returned unchanged.

    Args:
        name: its kind; a plug-in's starts with its namespace and a dot.
        caption: under the picture.
        wide: it shows two pictures side by side.
        marks: a function of the same parameters that returns the boxes alone.
        features: parameter → feature, where they differ.
        requires: features that must be there although the function does not read them.
        grid: on which it reads pictures; whatever its size, it is shown over the whole frame.
        off_grid: parameters that lie on another grid, see :func:`edit_metrics.registry.metric`.

    Raises:
        ConfigError: the name is taken.
    """

    def register(function: F) -> F:
        shared: dict[str, Any] = describe(function, None, name, features, requires, grid=grid, off_grid=off_grid)
        add(_EVIDENCE, Evidence(**shared, caption=caption, wide=wide, marks=marks), "picture", "{}.")
        return function

    return register


def own_evidence() -> Mapping[str, Evidence]:
    """Kind → picture, of this package alone and in the order of showing: what a report knows of without plug-ins."""
    plugins.import_modules("edit_metrics.evidence")
    return {name: spec for name, spec in _EVIDENCE.items() if plugins.owner_of(spec.module) is None}


def all_evidence() -> Mapping[str, Evidence]:
    """Kind → picture, with those of plug-ins last.

    Raises:
        ConfigError: a plug-in cannot be imported.
    """
    plugins.import_modules("edit_metrics.evidence")
    plugins.load()
    return _EVIDENCE
