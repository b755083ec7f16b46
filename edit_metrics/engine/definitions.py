"""What values depend on, to the last option: score signatures, and the keys of the feature cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from edit_metrics.backends.base import Fingerprint
from edit_metrics.backends.factory import owner_of_backend
from edit_metrics.computation import Computation
from edit_metrics.config import Config
from edit_metrics.engine.plan import Plan, Step, closure, roles_of
from edit_metrics.io.hashing import canonical_json_sha256
from edit_metrics.io.images import DECODE_VERSION
from edit_metrics.plugins import owner_of
from edit_metrics.registry import BASE_INPUTS, get_feature
from edit_metrics.scores.signatures import Signature
from edit_metrics.types import DIMENSIONS, Grid


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
        if spec.cache and (spec.backend is None or spec.backend in fingerprints):
            parts = _definition(plan.config, [by_name[name] for name in sorted(closure([spec]))], fingerprints)
            parts["decode"] = _decoding(plan.config)
            inputs = _base_inputs(spec)
            rules[spec.name] = CacheRule(canonical_json_sha256(parts), inputs)
    return rules


def _decoding(config: Config) -> dict[str, Any]:
    return {"version": DECODE_VERSION, **config.decode.model_dump(mode="json")}


def _base_inputs(spec: Computation) -> tuple[str, ...]:
    needs = {need for name in closure([spec]) for need in (spec if name == spec.name else get_feature(name)).needs}
    return tuple(sorted(needs & BASE_INPUTS))


def _definition(config: Config, steps: Sequence[Step], fingerprints: Mapping[str, Fingerprint]) -> dict[str, Any]:
    roles = [role for role in roles_of(steps) if role in fingerprints]
    parts: dict[str, Any] = {
        "computations": {s.spec.name: _computation(s) for s in steps},
        "backends": {role: asdict(fingerprints[role]) for role in roles},
    }
    owners = [owner_of(step.spec.module, step.spec.name) for step in steps]
    owners += [owner_of_backend(role, config.backends[role]) for role in roles]
    found = {plugin.name: plugin.definition() for plugin in owners if plugin is not None}
    # Only where there are any: a plug-in that is installed and has no part in a score does not move its signature.
    return parts | ({"plugins": dict(sorted(found.items()))} if found else {})


def _computation(step: Step) -> dict[str, Any]:
    on = {} if step.spec.grid is Grid.NATIVE else {"grid": step.spec.grid.value}
    return {"version": step.spec.version, "options": dict(step.options), **on}


def score_signatures(plan: Plan, fingerprints: Mapping[str, Fingerprint]) -> dict[str, Signature]:
    """Per dimension everything its scores depend on, and the hash of it.

    Args:
        plan: the plan.
        fingerprints: role → fingerprint of each configured role.

    Returns:
        Dimension → signature.
    """
    return {name: _signature(plan, fingerprints, name) for name in DIMENSIONS}


def _signature(plan: Plan, fingerprints: Mapping[str, Fingerprint], dimension: str) -> Signature:
    config = plan.config
    section = config.dimension(dimension)
    names = closure([m for m in plan.metrics if m.dimension == dimension])
    parts = _definition(config, [s for s in plan.steps if s.spec.name in names], fingerprints) | {
        "decode": _decoding(config),
        "section": section.model_dump(mode="json"),
        "confidence": config.confidence.model_dump(mode="json"),
    }
    return Signature.of(parts)
