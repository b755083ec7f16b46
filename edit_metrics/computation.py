"""What a metric, a feature or a label is: what it needs, what it declares, and how its inputs are bound.

Plain data, made by the decorators of :mod:`edit_metrics.registry` from a function and its signature.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeAlias

from edit_metrics.types import Direction, Grid, Measurement, Missing, Result, Status

Values: TypeAlias = Mapping[str, Any]
"""Name of a base input or a feature → what one item has there: a value, or :class:`Missing`."""


OUT_OF_BOUNDS: Final = "out_of_bounds"
"""Why a value that no metric of its kind can have is none: ``failed``, with the value behind it."""
_ROUNDING: Final = 2.0**-8
"""Of a network in bfloat16, relative to a bound."""


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword-only parameter: its name and its default."""

    name: str
    default: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Computation:
    """What metrics, features and labels have in common.

    Attributes:
        module: where it was registered, as an import path.
        inputs: parameter → feature, required ones.
        optional: parameter → feature, those that may be missing.
        options: what a config may set.
        requires: features that must be there although the function does not read them.
        constants: parameter → value, where one function stands behind several names.
        wants: what backends on the way to its inputs compute only where somebody asks for it (``gram``).
        backend: of a feature: role of the backend that the function takes as its parameter ``backend``; else None.
        batched: of a feature: the function takes one list per input, items of one micro-batch, and returns a list.
        cache: of a feature: worth keeping on disk between runs.
        grid: on which it reads pictures and areas, and on which those that it makes lie.
        off_grid: parameters that lie on another grid than the others; the function does not lay them beside each other.
    """

    section: ClassVar[str] = "features"
    """Of a config: where its options are set."""

    name: str
    function: Callable[..., Any]
    module: str = ""
    version: int = 1
    inputs: Mapping[str, str] = field(default_factory=dict)
    optional: Mapping[str, str] = field(default_factory=dict)
    options: tuple[Option, ...] = ()
    requires: tuple[str, ...] = ()
    constants: Mapping[str, Any] = field(default_factory=dict)
    wants: tuple[str, ...] = ()
    backend: str | None = None
    batched: bool = False
    cache: bool = False
    grid: Grid = Grid.NATIVE
    off_grid: tuple[str, ...] = ()

    @property
    def stage(self) -> str:
        """What its time is counted under."""
        return self.name

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the features without which the function is not called, in the order in which they are looked at."""
        return (*self.inputs.values(), *self.requires)

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of all features that must have been computed before, required ones first."""
        return (*self.required, *self.optional.values())

    def bind(self, values: Values) -> dict[str, Any] | Missing:
        """The function's arguments for one item, apart from options and the backend.

        Args:
            values: everything that has been computed for the item; at least :attr:`needs`.

        Returns:
            Parameter → value, None for an optional feature that is missing; or the first required value that is
            missing, with its status and reason: then the function is not to be called.
        """
        arguments = dict(self.constants)
        for parameter, name in self.inputs.items():
            if isinstance(value := values[name], Missing):
                return value
            arguments[parameter] = value
        for name in self.requires:
            if isinstance(value := values[name], Missing):
                return value
        for parameter, name in self.optional.items():
            value = values[name]
            arguments[parameter] = None if isinstance(value, Missing) else value
        return arguments

    @property
    def place(self) -> str:
        """File and line of the function, for messages."""
        return place_of(self.function)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a metric gives for E = S, wherever it applies.

    Attributes:
        value: of the metric.
        within: how far a value may be from it, for float32 and for networks.
        moved: E is S moved by two whole pixels: for metrics that have no value where nothing moved.
    """

    value: float
    within: float = 0.0
    moved: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(Computation):
    """A registered metric; ``name`` is its column, ``<dimension>.<metric>``.

    Attributes:
        cautions: feature that yields caution codes, which go onto every value of this metric.
        evidence: text column in which the words stand that come with its values; None where none come.
        on_request: computed only when a config names it.
        identity: what it gives for E = S: a value, why it has none, or (a string) why the value is not known
            beforehand; None where nothing is declared.
        symmetric: how much the value may move when S and E change places; None where they may not.
        antisymmetric: how far from 0 the sum of both values may be when S and E change places; None likewise.
        flip_invariant: how much the value may move when S, E and mask are mirrored, at an even width; None likewise.
        blind_inside: pixels inside the mask do not exist for it: the value is equal to the last bit, whatever is there.
    """

    section: ClassVar[str] = "metrics"

    direction: Direction
    bounds: tuple[float | None, float | None]
    unit: str
    on_request: bool = False
    cautions: str | None = None
    evidence: str | None = None
    identity: Identity | Missing | str | None = None
    symmetric: float | None = None
    antisymmetric: float | None = None
    flip_invariant: float | None = None
    blind_inside: bool = False

    @property
    def dimension(self) -> str:
        """The dimension whose section of the table it stands in."""
        return self.name.split(".", 1)[0]

    @property
    def stage(self) -> str:
        """By dimension: metrics are many and cheap."""
        return f"metrics.{self.dimension}"

    @property
    def needs(self) -> tuple[str, ...]:
        """As of any computation, and the feature with the caution codes."""
        read = (*self.required, *self.optional.values())
        return read if self.cautions is None else (*read, self.cautions)

    def measurement(self, result: Result, values: Values) -> Measurement:
        """What the function returned, or why it was not called, as a measurement with the declared cautions."""
        codes = () if self.cautions is None else values[self.cautions]
        found = Measurement.of(result, () if isinstance(codes, Missing) else codes)
        if found.value is None or self.holds(found.value):
            return found
        low, high = self.bounds
        return Measurement(None, Status.FAILED, f"{OUT_OF_BOUNDS}: {found.value:.6g}, declared {low} to {high}")

    def holds(self, value: float) -> bool:
        """Whether a value lies within the declared bounds, give or take what a network of few bits rounds away."""
        low, high = self.bounds
        above = low is None or value >= low - _ROUNDING * max(1.0, abs(low))
        return above and (high is None or value <= high + _ROUNDING * max(1.0, abs(high)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature(Computation):
    """A registered feature; ``name`` is what metrics and other features ask for.

    Attributes:
        lies_on: the grid of which its value has something for each pixel; None: it has none (numbers, words, boxes,
            embeddings, maps and pictures of a size of their own).
    """

    lies_on: Grid | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Label(Computation):
    """A text column of the score table, for example ``mask_source``."""


def place_of(function: Callable[..., Any]) -> str:
    """File and line of a function; its name alone where it was not written in Python."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return repr(function) if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def to_columns(bound: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Arguments of several items (at least one) as one list a parameter, for a batched feature."""
    return {parameter: [arguments[parameter] for arguments in bound] for parameter in bound[0]}
