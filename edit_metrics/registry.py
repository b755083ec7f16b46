"""`@metric`, `@feature` and `@label`: what can be computed, from what.

A metric or a feature is a plain function; **its parameter names are the features it needs**. The engine reads them,
orders the work, computes each feature once an item, and calls the function with values. So a function is as easy to
call by hand (with arrays) as it is for the engine.

* A positional parameter without a default is required: when that feature is missing, the function is not called and
  the missing status and reason pass through.
* A positional parameter with the default ``None`` is optional: the function gets ``None`` when it is missing.
* A keyword-only parameter is an option, settable in the config under ``metrics.<name>.<option>`` or
  ``features.<name>.<option>``; its default is in the signature.

The decorators return the function unchanged.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from edit_metrics.errors import ConfigError, suggest
from edit_metrics.types import DIMENSIONS, Direction

F = TypeVar("F", bound=Callable[..., Any])

BASE_INPUTS: Final = frozenset(
    {
        "source",  # RGB, S as decoded
        "edited_native",  # RGB, E as decoded, on its own grid
        "mask_file",  # Mask, True = may change, as decoded and with the polarity applied; not_applicable(no_mask)
        "references",  # tuple of RGB; not_applicable(no_references)
        "instruction",  # str; unavailable(no_instruction)
        "source_caption",  # str; unavailable(no_source_caption)
        "target_caption",  # str; unavailable(no_target_caption)
        "edit_type",  # str, the manifest's; unavailable(no_edit_type)
        "decode_info",  # edit_metrics.io.images.DecodeInfo: formats, sizes, what was converted
    }
)
"""What the engine puts in before any feature is computed."""


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword-only parameter: its name and its default."""

    name: str
    default: Any


@dataclass(frozen=True, slots=True)
class Computation:
    """What metrics, features and labels have in common.

    Attributes:
        inputs: parameter → feature, required ones.
        optional: parameter → feature, those that may be missing.
    """

    name: str
    function: Callable[..., Any]
    version: int
    inputs: Mapping[str, str]
    optional: Mapping[str, str]
    options: tuple[Option, ...]

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of all features that the function reads, required ones first."""
        return (*self.inputs.values(), *self.optional.values())


@dataclass(frozen=True, slots=True)
class Metric(Computation):
    """A registered metric; ``name`` is its column, ``<dimension>.<metric>``."""

    direction: Direction
    bounds: tuple[float | None, float | None]
    unit: str
    on_request: bool

    @property
    def dimension(self) -> str:
        """The dimension whose section of the table it stands in."""
        return self.name.split(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Feature(Computation):
    """A registered feature.

    Attributes:
        backend: role of the backend that the function takes as its parameter ``backend``; None for model-free ones.
        batched: the function takes one list per input, items of one micro-batch, and returns a list.
        cache: worth keeping on disk between runs.
    """

    backend: str | None
    batched: bool
    cache: bool


@dataclass(frozen=True, slots=True)
class Label(Computation):
    """A text column of the score table, for example ``mask_source``."""


_METRICS: dict[str, Metric] = {}
_FEATURES: dict[str, Feature] = {}
_LABELS: dict[str, Label] = {}


def metric(
    name: str,
    *,
    direction: Direction,
    bounds: tuple[float | None, float | None],
    unit: str,
    version: int = 1,
    on_request: bool = False,
    features: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Register a metric under its column name.

    Args:
        name: ``<dimension>.<metric>``.
        direction: what a larger value means.
        bounds: inclusive lower and upper bound; None where there is none.
        unit: ``dB``, ``px``, ``share``, ``probability``, ``cosine`` … or an empty string for a plain number.
        version: to be raised with every change of definition; part of the score signature.
        on_request: computed only when the config names it, never by ``metrics: all``.
        features: parameter → feature, where they differ (one function, two encoders).

    Raises:
        ConfigError: the name is taken, or its prefix is not a dimension.
    """
    if name.split(".", 1)[0] not in DIMENSIONS or "." not in name:
        raise ConfigError(f"a metric name '<dimension>.<metric>' with one of {', '.join(DIMENSIONS)}", repr(name))

    def register(function: F) -> F:
        parts = _read_signature(function, features or {}, skip=())
        _add(_METRICS, Metric(name, function, version, *parts, direction, bounds, unit, on_request))
        return function

    return register


def feature(
    name: str | None = None,
    *,
    version: int = 1,
    backend: str | None = None,
    batched: bool = False,
    cache: bool = False,
    features: Mapping[str, str] | None = None,
) -> Callable[[F], F]:
    """Register a feature; its name is the function's unless given.

    Args:
        name: the parameter name under which metrics and other features ask for it.
        version: to be raised with every change of definition.
        backend: role of the model it runs; passed as the parameter ``backend``.
        batched: see :class:`Feature`.
        cache: see :class:`Feature`.
        features: parameter → feature, where they differ.
    """

    def register(function: F) -> F:
        skip = ("backend",) if backend else ()
        parts = _read_signature(function, features or {}, skip=skip)
        own_name = name or function.__name__
        if own_name in BASE_INPUTS:
            raise ConfigError("a feature name that is not a base input", repr(own_name), _place(function))
        _add(_FEATURES, Feature(own_name, function, version, *parts, backend, batched, cache))
        return function

    return register


def label(name: str, *, version: int = 1, features: Mapping[str, str] | None = None) -> Callable[[F], F]:
    """Register a text column: the function returns a string, or None for "nothing to say"."""

    def register(function: F) -> F:
        _add(_LABELS, Label(name, function, version, *_read_signature(function, features or {}, skip=())))
        return function

    return register


def get_metric(name: str) -> Metric:
    """The metric of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return _look_up(_METRICS, name, "metric")


def get_feature(name: str) -> Feature:
    """The feature of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return _look_up(_FEATURES, name, "feature")


def get_label(name: str) -> Label:
    """The label of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return _look_up(_LABELS, name, "label")


def all_metrics() -> list[Metric]:
    """Every registered metric, by dimension in the rubric's order, then in order of registration."""
    load_all()
    return sorted(_METRICS.values(), key=lambda spec: DIMENSIONS.index(spec.dimension))


def all_features() -> list[Feature]:
    """Every registered feature, in order of registration."""
    load_all()
    return list(_FEATURES.values())


def all_labels() -> list[Label]:
    """Every registered label, in order of registration."""
    load_all()
    return list(_LABELS.values())


_loaded = False


def load_all() -> None:
    """Import every module of ``edit_metrics.metrics``, ``.instruction`` and ``.features``, so that they register.

    An import error in one of them is an error, never a metric that is silently absent.
    """
    global _loaded  # noqa: PLW0603 - importing is process-wide, and so is this flag
    if _loaded:
        return
    _loaded = True
    for package_name in ("edit_metrics.metrics", "edit_metrics.instruction", "edit_metrics.features"):
        package = importlib.import_module(package_name)
        for module in pkgutil.iter_modules(package.__path__, f"{package_name}."):
            importlib.import_module(module.name)


C = TypeVar("C", bound=Computation)


def _look_up(table: Mapping[str, C], name: str, kind: str) -> C:
    try:
        return table[name]
    except KeyError:
        raise ConfigError(f"the name of a registered {kind}", repr(name), todo=suggest(name, table)) from None


def _add(table: dict[str, C], spec: C) -> None:
    first = table.get(spec.name)
    if first is not None:
        raise ConfigError(
            "a new name",
            f"{spec.name!r}, which {_place(first.function)} has registered",
            _place(spec.function),
        )
    table[spec.name] = spec


def _place(function: Callable[..., Any]) -> str:
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _read_signature(
    function: Callable[..., Any], renamed: Mapping[str, str], skip: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str], tuple[Option, ...]]:
    inputs: dict[str, str] = {}
    optional: dict[str, str] = {}
    options: list[Option] = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in skip:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY:
            if parameter.default is parameter.empty:
                raise ConfigError("a default for every option", repr(parameter.name), _place(function))
            options.append(Option(parameter.name, parameter.default))
        elif parameter.default is parameter.empty:
            inputs[parameter.name] = renamed.get(parameter.name, parameter.name)
        elif parameter.default is None:
            optional[parameter.name] = renamed.get(parameter.name, parameter.name)
        else:
            raise ConfigError(
                "a positional parameter without a default, or with the default None",
                f"{parameter.name}={parameter.default!r}",
                _place(function),
                "Make it keyword-only if it is an option.",
            )
    return inputs, optional, tuple(options)
