"""Names to an order of work: dimensions name metrics, metrics name features, features name backends.

A plan is pure data made from a config: it can be built, shown and hashed without loading any model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from edit_metrics.backends.base import Fingerprint
from edit_metrics.config import Config
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.registry import (
    BASE_INPUTS,
    Computation,
    Feature,
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
        early: needed by feasibility, which decides before any costly metric whether the rest runs.
        always: runs for infeasible items too (safety: an unsafe picture is unsafe in a broken row as well).
    """

    spec: Computation
    options: Mapping[str, Any]
    early: bool
    always: bool

    @property
    def is_batched(self) -> bool:
        """Whether it takes one list per input."""
        return isinstance(self.spec, Feature) and self.spec.batched


@dataclass(frozen=True, slots=True)
class Plan:
    """What to compute, in order.

    Attributes:
        steps: features, metrics and labels, each after everything it needs.
        metrics: the metrics' columns in table order: by dimension, then as the config lists them.
        labels: names of the text columns.
        evidence_columns: those of them in which metrics' words stand → the metrics, in the order of the words.
        roles: backend roles that some step runs.
    """

    config: Config
    steps: tuple[Step, ...]
    metrics: tuple[Metric, ...]
    labels: tuple[str, ...]
    roles: tuple[str, ...]
    evidence_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def wants(self) -> frozenset[str]:
        """What backends compute on demand and some step reads: Gram matrices are a third of LPIPS's time."""
        return frozenset(want for step in self.steps for want in step.spec.wants)


def build_plan(config: Config) -> Plan:
    """Resolve every name of a config and put the work in order.

    Raises:
        ConfigError: a metric, feature, label or option that does not exist; features that need each other.
    """
    metrics = [get_metric(f"{d}.{name}") for d in DIMENSIONS for name in config.dimension(d).metrics]
    columns = evidence_columns()
    evidence = {name: tuple(spec.name for spec in columns[name]) for name in config.labels if name in columns}
    labels = [get_label(name) for name in config.labels if name not in evidence]
    _check_option_sections(config)
    early = _closure([m for m in metrics if m.dimension == "feasibility"])
    always = _closure([m for m in metrics if m.dimension in config.run_if_infeasible])
    steps = [
        Step(spec, _options(spec, config), early=spec.name in early, always=spec.name in always or spec.name in early)
        for spec in _sorted_specs(metrics, labels)
    ]
    needed = {s.spec.backend for s in steps if isinstance(s.spec, Feature) and s.spec.backend}
    roles = sorted(role for role in needed if role in config.backends)
    return Plan(config, tuple(steps), tuple(metrics), tuple(config.labels), tuple(roles), evidence)


@dataclass(frozen=True, slots=True)
class CacheRule:
    """How the value of a cacheable feature is keyed.

    Attributes:
        definition: hash of every computation on the way from the base inputs, the backend and the decoding.
        inputs: base inputs that it depends on; an item's key holds their content.
    """

    definition: str
    inputs: tuple[str, ...]


def cache_rules(plan: Plan, fingerprints: Mapping[str, Fingerprint]) -> dict[str, CacheRule]:
    """Feature → rule, for every feature of the plan that is declared worth keeping."""
    by_name = {step.spec.name: step for step in plan.steps}
    rules = {}
    for step in plan.steps:
        spec = step.spec
        if isinstance(spec, Feature) and spec.cache and (spec.backend is None or spec.backend in fingerprints):
            parts = _definition([by_name[name] for name in sorted(_closure([spec]))], fingerprints)
            parts["decode"] = plan.config.decode.model_dump(mode="json")
            inputs = _base_inputs(spec)
            rules[spec.name] = CacheRule(canonical_json_sha256(parts), inputs)
    return rules


def _base_inputs(spec: Computation) -> tuple[str, ...]:
    needs = {need for name in _closure([spec]) for need in (spec if name == spec.name else get_feature(name)).needs}
    return tuple(sorted(needs & BASE_INPUTS))


def _definition(steps: Sequence[Step], fingerprints: Mapping[str, Fingerprint]) -> dict[str, Any]:
    roles = {s.spec.backend for s in steps if isinstance(s.spec, Feature) and s.spec.backend}
    return {
        "computations": {s.spec.name: {"version": s.spec.version, "options": dict(s.options)} for s in steps},
        "backends": {role: asdict(fingerprints[role]) for role in sorted(roles) if role in fingerprints},
    }


def score_signatures(plan: Plan, fingerprints: Mapping[str, Fingerprint]) -> dict[str, dict[str, Any]]:
    """Per dimension everything its scores depend on, and the hash of it.

    Args:
        plan: the plan.
        fingerprints: role → fingerprint of each configured role.

    Returns:
        Dimension → ``{"sha256": …, "parts": …}``; parts are kept so that a mismatch can be shown in words.
    """
    return {name: _signature(plan, fingerprints, name) for name in DIMENSIONS}


def _signature(plan: Plan, fingerprints: Mapping[str, Fingerprint], dimension: str) -> dict[str, Any]:
    config = plan.config
    section = config.dimension(dimension)
    names = _closure([m for m in plan.metrics if m.dimension == dimension])
    parts = _definition([s for s in plan.steps if s.spec.name in names], fingerprints) | {
        "decode": config.decode.model_dump(mode="json"),
        "section": section.model_dump(mode="json"),
        "confidence": config.confidence.model_dump(mode="json"),
    }
    return {"sha256": canonical_json_sha256(parts), "parts": parts}


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
        free = [s for s in ready if not (isinstance(s, Feature) and s.batched)]
        chosen = free or ready[:1]
        result.extend(chosen)
        done.update(s.name for s in chosen)
        names = {s.name for s in chosen}
        waiting = [s for s in waiting if s.name not in names]
    return result


def _closure(roots: Sequence[Computation]) -> set[str]:
    names: set[str] = set()
    stack: list[Computation] = list(roots)
    while stack:
        spec = stack.pop()
        if spec.name not in names:
            names.add(spec.name)
            stack.extend(get_feature(need) for need in spec.needs if need not in BASE_INPUTS)
    return names


def _options(spec: Computation, config: Config) -> dict[str, Any]:
    section = config.metrics if isinstance(spec, Metric) else config.features
    given = section.get(spec.name, {})
    known = {option.name: option.default for option in spec.options}
    for name in given:
        if name not in known:
            kind = "metrics" if isinstance(spec, Metric) else "features"
            raise ConfigError(f"an option of {spec.name!r}", repr(name), f"{kind}.{spec.name}", suggest(name, known))
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
