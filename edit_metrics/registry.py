"""`@metric`, `@feature` and `@label`: what can be computed, from what.

A metric or a feature is a plain function; **its parameter names are the features it needs**. The engine reads them,
orders the work, computes each feature once an item, and calls the function with values. So a function is as easy to
call by hand (with arrays) as it is for the engine.

* A positional parameter without a default is required: when that feature is missing, the function is not called and
  the missing status and reason pass through. A condition that the function does not read is named in ``requires=``.
* A positional parameter with the default ``None`` is optional: the function gets ``None`` when it is missing.
* A keyword-only parameter is an option, settable in the config under ``metrics.<name>.<option>`` or
  ``features.<name>.<option>``; its default is in the signature.
* ``roles=("clip", "conse")`` registers the function once for each: ``{role}`` in the name, in ``features=`` and in the
  other names that the decorator is given stands for the role.

A metric returns a number, :class:`~edit_metrics.types.Noted` (a number with cautions or with evidence in words) or
:class:`~edit_metrics.types.Missing`. What holds of its values is declared beside it, and tested from there.

The decorators return the function unchanged. They may be called from any package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from edit_metrics import plugins
from edit_metrics.computation import Computation, Feature, Identity, Label, Metric, Option
from edit_metrics.errors import ConfigError, missing_extra
from edit_metrics.registering import NOWHERE, add, describe, each, filled, look_up, lying
from edit_metrics.types import DIMENSIONS, Direction, Grid, Missing

__all__ = [
    "BASE_INPUTS", "NOWHERE", "Computation", "Feature", "Identity", "Label", "Metric", "Option", "all_features",
    "all_metrics", "evidence_columns", "feature", "get_feature", "get_label", "get_metric", "label",
    "load_all", "metric", "per_role",
]  # fmt: skip

F = TypeVar("F", bound=Callable[..., Any])

BASE_INPUTS: Final = frozenset(
    {
        "source",  # RGB, S as decoded
        "edited_native",  # RGB, E as decoded, on its own grid
        "mask",  # Mask on S's grid, True = may change, decoded and with its polarity applied; not_applicable(no_mask)
        "references",  # tuple of RGB; not_applicable(no_references)
        "instruction",  # str; unavailable(no_instruction)
        "source_caption",  # str; unavailable(no_source_caption)
        "target_caption",  # str; unavailable(no_target_caption)
        "edit_type",  # str, the manifest's; unavailable(no_edit_type)
        "frame",  # str, the manifest's: same or reframed
        "decode_info",  # edit_metrics.io.images.DecodeInfo: formats, sizes, what was converted
    }
)
"""What the engine puts in before any feature is computed."""


_METRIC_PREFIXES: Final = tuple(f"{dimension}.{{}}." for dimension in DIMENSIONS)
"""How the names of a plug-in's metrics start; ``{}`` is its namespace."""
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
    requires: Sequence[str] = (),
    cautions: str | None = None,
    wants: Sequence[str] = (),
    roles: Sequence[str] = (),
    constants: Mapping[str, Any] | None = None,
    evidence: str | None = None,
    identity: float | Identity | Missing | str | None = None,
    symmetric: float | None = None,
    antisymmetric: float | None = None,
    flip_invariant: float | None = None,
    blind_inside: bool = False,
    grid: Grid = Grid.NATIVE,
    off_grid: Sequence[str] = (),
) -> Callable[[F], F]:
    """Register a metric under its column name.

    Args:
        name: ``<dimension>.<metric>``.
        direction: what a larger value means.
        bounds: inclusive lower and upper bound; None where there is none.
        unit: ``dB``, ``px``, ``share``, ``probability``, ``cosine`` … or an empty string for a plain number.
        version: to be raised with every change of definition; part of the score signature.
        on_request: computed only when the config names it, never by ``metrics: all``.
        features: parameter → feature, where they differ.
        requires: features that must be there although the function does not read them.
        cautions: feature that yields caution codes; they go onto every value.
        wants: what backends on the way to its inputs must compute for it, see :func:`feature`.
        roles: registers the function once for each, with ``{role}`` filled in.
        constants: parameter → value, where one function stands behind several columns.
        evidence: text column for the words that come with its values; several metrics may share one.
        identity: what it gives for E = S: the exact number, an :class:`Identity`, why there is none
            (``undefined("encoder_blind")``), or a string: why it is not known beforehand.
        symmetric: see :class:`Metric`, as the next three.
        antisymmetric: of differences E − S.
        flip_invariant: networks do not claim it.
        blind_inside: for metrics over U.
        grid: on which it reads pictures: ``source``, ``edited``, ``mask``, ``kept`` and their like are fed from there,
            unless ``features`` says otherwise.
        off_grid: parameters that lie on another grid all the same: the function does not lay them beside the others.
            Any other mix of grids is refused when a plan is made, see :mod:`edit_metrics.one_grid`.

    Raises:
        ConfigError: the name is taken, or its prefix is not a dimension.
    """
    if name.split(".", 1)[0] not in DIMENSIONS or "." not in name:
        raise ConfigError(f"a metric name '<dimension>.<metric>' with one of {', '.join(DIMENSIONS)}", repr(name))

    def register(function: F) -> F:
        for role in each(name, roles, function):
            shared = describe(function, role, name, features, requires, constants or (), grid, off_grid)
            spec = Metric(
                **shared, version=version, direction=direction, bounds=bounds, unit=unit, on_request=on_request,
                cautions=filled(cautions, role), wants=tuple(wants), constants=constants or {}, evidence=evidence,
                identity=Identity(identity) if isinstance(identity, int | float) else identity, symmetric=symmetric,
                antisymmetric=antisymmetric, flip_invariant=flip_invariant, blind_inside=blind_inside,
            )  # fmt: skip
            add(_METRICS, spec, "metric", *_METRIC_PREFIXES)
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
    requires: Sequence[str] = (),
    wants: Sequence[str] = (),
    roles: Sequence[str] = (),
    grid: Grid = Grid.NATIVE,
    lies_on: str | None = None,
    off_grid: Sequence[str] = (),
) -> Callable[[F], F]:
    """Register a feature; its name is the function's unless given.

    Args:
        name: the parameter name under which metrics and other features ask for it.
        version: to be raised with every change of definition.
        backend: role of the model it runs; passed as the parameter ``backend``.
        batched: see :class:`Feature`.
        cache: see :class:`Feature`.
        features: parameter → feature, where they differ.
        requires: features that must be there although the function does not read them.
        wants: what a backend computes only where somebody asks for it (``gram``). A backend's class names such keyword
            arguments in ``on_demand``; the engine sets each to whether a computation of the plan wants it.
        roles: registers the function once for each, with ``{role}`` filled in.
        grid: on which it reads pictures, see :func:`metric`, and on which those that it makes lie.
        lies_on: the grid of which its value has something for each pixel, or ``NOWHERE`` (numbers, boxes, embeddings,
            pictures and maps of a size of their own). Not said: ``grid`` where that has a cap, else nowhere.
        off_grid: see :func:`metric`.
    """

    def register(function: F) -> F:
        template = name or function.__name__
        for role in each(template, roles, function):
            skip = ("backend",) if backend else ()
            shared = describe(function, role, template, features, requires, skip, grid, off_grid)
            spec = Feature(
                **shared, version=version, backend=filled(backend, role), batched=batched, cache=cache,
                wants=tuple(wants), lies_on=lying(lies_on, role, grid, function),
            )  # fmt: skip
            if spec.name in BASE_INPUTS:
                raise ConfigError("a feature name that is not a base input", repr(spec.name), spec.place)
            add(_FEATURES, spec, "feature", "{}_")
        return function

    return register


def label(
    name: str,
    *,
    version: int = 1,
    features: Mapping[str, str] | None = None,
    roles: Sequence[str] = (),
    off_grid: Sequence[str] = (),
) -> Callable[[F], F]:
    """Register a text column: the function returns a string, or None for "nothing to say"."""

    def register(function: F) -> F:
        for role in each(name, roles, function):
            shared = describe(function, role, name, features, off_grid=off_grid)
            add(_LABELS, Label(**shared, version=version), "label", "{}.")
        return function

    return register


def per_role(*parameters: str) -> dict[str, str]:
    """For ``features=``: each parameter is fed by the role's own feature, ``{role}_<parameter>``."""
    return {parameter: f"{{role}}_{parameter}" for parameter in parameters}


def get_metric(name: str) -> Metric:
    """The metric of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return look_up(_METRICS, name, "metric")


def get_feature(name: str) -> Feature:
    """The feature of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return look_up(_FEATURES, name, "feature")


def get_label(name: str) -> Label:
    """The label of that name; an unknown one raises ConfigError with the nearest names."""
    load_all()
    return look_up(_LABELS, name, "label")


def all_metrics() -> list[Metric]:
    """Every registered metric, by dimension in the rubric's order, then in order of registration."""
    load_all()
    return sorted(_METRICS.values(), key=lambda spec: DIMENSIONS.index(spec.dimension))


def registered_metrics() -> list[Metric]:
    """Metrics that this process has registered so far; nothing is imported for it."""
    return list(_METRICS.values())


def all_features() -> list[Feature]:
    """Every registered feature, in order of registration."""
    load_all()
    return list(_FEATURES.values())


def evidence_columns() -> dict[str, list[Metric]]:
    """Text column → the metrics whose evidence in words stands in it, in order of registration.

    Raises:
        ConfigError: a label has the name of such a column.
    """
    load_all()
    columns: dict[str, list[Metric]] = {}
    for spec in _METRICS.values():
        if spec.evidence is not None:
            columns.setdefault(spec.evidence, []).append(spec)
    for name in columns.keys() & _LABELS.keys():
        label_spec = _LABELS[name]
        raise ConfigError(
            "a name that no column of evidence has", repr(name), f"{label_spec.module} ({label_spec.place})"
        )
    return columns


_loaded = False


def load_all() -> None:
    """Import every module of ``edit_metrics.metrics``, ``.instruction`` and ``.features``, and every plug-in.

    An import error in one of them is an error, never a metric that is silently absent.
    """
    global _loaded  # noqa: PLW0603 - importing is process-wide, and so is this flag
    if _loaded:
        return
    try:
        for package in ("edit_metrics.metrics", "edit_metrics.instruction", "edit_metrics.features"):
            plugins.import_modules(package)
    except ModuleNotFoundError as error:
        raise missing_extra(error, "scoring") or error from error
    plugins.load()
    # Only now: after a failed import the next call fails too, instead of finding half of the metrics.
    _loaded = True
