"""Names to an order of work: dimensions name metrics, metrics name features, features name backends.

A plan is pure data made from a config: it can be built, shown and hashed without loading any model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from edit_metrics.config import Config
from edit_metrics.engine.names import check_names
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.one_grid import check_grids
from edit_metrics.registry import (
    BASE_INPUTS,
    Computation,
    Label,
    Metric,
    all_features,
    all_metrics,
    evidence_columns,
    get_feature,
    get_label,
    get_metric,
)
from edit_metrics.types import DIMENSIONS


@dataclass(frozen=True, slots=True)
class Step:
    """One computation with its options resolved.

    Attributes:
        always: runs for infeasible items too (safety: an unsafe picture is unsafe in a broken row as well).
        releases: values that no later step reads: memory is bounded by what is still needed.
    """

    spec: Computation
    options: Mapping[str, Any]
    always: bool
    releases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps between two decisions: whether an item is feasible is known before the second stage begins."""

    steps: tuple[Step, ...]

    @property
    def stretches(self) -> tuple[tuple[Step, ...], ...]:
        """Steps that items go through side by side; a batched step, which takes them together, stands alone."""
        found: list[tuple[Step, ...]] = []
        for step in self.steps:
            if found and not step.spec.batched and not found[-1][0].spec.batched:
                found[-1] = (*found[-1], step)
            else:
                found.append((step,))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute, in order.

    Attributes:
        stages: what feasibility needs, which decides before any costly metric whether the rest runs; then the rest.
        metrics: the metrics' columns in table order: by dimension, then as the config lists them.
        labels: names of the text columns.
        roles: backend roles that some step runs.
        evidence_columns: text columns in which metrics' words stand → the metrics, in the order of the words.
    """

    config: Config
    stages: tuple[Stage, ...]
    metrics: tuple[Metric, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    evidence_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Features, metrics and labels, each after everything it needs."""
        return tuple(step for stage in self.stages for step in stage.steps)

    @property
    def computed(self) -> frozenset[str]:
        """Names of all values that an item has at some time: base inputs, and results of steps."""
        return BASE_INPUTS | {step.spec.name for step in self.steps}

    @property
    def wants(self) -> frozenset[str]:
        """What backends compute on demand and some step reads: Gram matrices are a third of LPIPS's time."""
        return frozenset(want for step in self.steps for want in step.spec.wants)


def build_plan(config: Config) -> Plan:
    """Resolve every name of a config and put the work in order.

    Raises:
        ConfigError: a metric, feature, label or option that does not exist; features that need each other; one that
            lays pictures of several grids beside each other.
    """
    metrics = [get_metric(f"{d}.{name}") for d in DIMENSIONS for name in config.dimension(d).metrics]
    columns = evidence_columns()
    evidence = {name: tuple(spec.name for spec in columns[name]) for name in config.labels if name in columns}
    labels = [get_label(name) for name in config.labels if name not in evidence]
    _check_option_sections(config)
    check_names(config)
    early = closure([m for m in metrics if m.dimension == "feasibility"])
    always = early | closure([m for m in metrics if m.dimension in config.run_if_infeasible])
    steps = [Step(spec, _options(spec, config), spec.name in always) for spec in _sorted_specs(metrics, labels)]
    check_grids(step.spec for step in steps)
    first, second = ([step for step in steps if (step.spec.name in early) is now] for now in (True, False))
    released = _with_releases([*first, *second])
    stages = (Stage(tuple(released[: len(first)])), Stage(tuple(released[len(first) :])))
    roles = tuple(role for role in roles_of(steps) if role in config.backends)
    return Plan(config, stages, tuple(metrics), tuple(config.labels), roles, evidence)


def roles_of(steps: Iterable[Step]) -> list[str]:
    """Roles of the backends that steps run, sorted."""
    return sorted({step.spec.backend for step in steps if step.spec.backend is not None})


def _with_releases(steps: Sequence[Step]) -> list[Step]:
    """The steps in the order in which they run, each with what it is the last one to read."""
    last = {name: number for number, step in enumerate(steps) for name in (*step.spec.needs, step.spec.name)}
    return [
        replace(step, releases=tuple(name for name, number in last.items() if number == position))
        for position, step in enumerate(steps)
    ]


def _sorted_specs(metrics: list[Metric], labels: list[Label]) -> list[Computation]:
    """Topological order; among the ready ones, what feasibility needs comes first, then model-free work."""
    ordered: dict[str, Computation] = {}
    visiting: list[str] = []

    def visit(spec: Computation) -> None:
        if spec.name in ordered:
            return
        if spec.name in visiting:
            raise ConfigError("features without a cycle", " → ".join([*visiting, spec.name]))
        visiting.append(spec.name)
        for need in spec.needs:
            if need not in BASE_INPUTS:
                visit(get_feature(need))
        visiting.pop()
        ordered[spec.name] = spec

    for root in (*sorted(metrics, key=lambda m: m.dimension != "feasibility"), *labels):
        visit(root)
    return _batched_together(list(ordered.values()))


def _batched_together(specs: list[Computation]) -> list[Computation]:
    """Keep the order valid, but take every model-free step that is ready before the next batched one.

    Each batched step is a barrier for the items of a micro-batch; fewer alternations mean longer stretches in which
    items are worked on side by side.
    """
    done = set(BASE_INPUTS)
    waiting, result = list(specs), []
    while waiting:
        ready = [s for s in waiting if all(n in done for n in s.needs)]
        free = [s for s in ready if not s.batched]
        chosen = free or ready[:1]
        result.extend(chosen)
        done.update(s.name for s in chosen)
        names = {s.name for s in chosen}
        waiting = [s for s in waiting if s.name not in names]
    return result


def closure(roots: Sequence[Computation]) -> set[str]:
    """Names of those computations and of every feature on the way to them."""
    names: set[str] = set()
    stack: list[Computation] = list(roots)
    while stack:
        spec = stack.pop()
        if spec.name not in names:
            names.add(spec.name)
            stack.extend(get_feature(need) for need in spec.needs if need not in BASE_INPUTS)
    return names


def _options(spec: Computation, config: Config) -> dict[str, Any]:
    given = getattr(config, spec.section).get(spec.name, {})
    known = {option.name: option.default for option in spec.options}
    for name in given:
        if name not in known:
            where = f"{spec.section}.{spec.name}"
            raise ConfigError(f"an option of {spec.name!r}", repr(name), where, suggest(name, known))
    return {**known, **given}


def _check_option_sections(config: Config) -> None:
    known: list[tuple[str, Mapping[str, Any], Callable[[], list[Any]]]] = [
        ("metrics", config.metrics, all_metrics),
        ("features", config.features, all_features),
    ]
    for section, given, specs in known:
        names = [spec.name for spec in specs()]
        for name in given:
            if name not in names:
                raise ConfigError(f"a registered name under '{section}'", repr(name), todo=suggest(name, names))
