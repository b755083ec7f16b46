"""No packaged profile has a column that it cannot fill."""

from __future__ import annotations

import pytest

from edit_metrics.backends.open_nsfw import OpenNsfw
from edit_metrics.computation import Computation
from edit_metrics.config import load_config
from edit_metrics.engine.plan import build_plan
from edit_metrics.metrics.safety import ZERO_SHOT_CATEGORIES
from edit_metrics.registry import BASE_INPUTS, evidence_columns, get_feature, get_label, get_metric

PROFILES = ("embedded", "clip", "large", "pie_compat")


def lacking(spec: Computation, roles: frozenset[str]) -> str | None:
    """A role that is needed on the way to a value and that nothing fills."""
    if spec.backend is not None and spec.backend not in roles:
        return spec.backend
    needed = (get_feature(name) for name in spec.required if name not in BASE_INPUTS)
    return next((role for one in needed if (role := lacking(one, roles)) is not None), None)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_metric_and_label_of_a_profile_has_its_models(profile: str) -> None:
    config = load_config(profile)
    roles = frozenset(config.backends)
    labels = [get_label(name) for name in config.labels if name not in evidence_columns()]
    found = {spec.name: lacking(spec, roles) for spec in (*build_plan(config).metrics, *labels)}
    assert {name: role for name, role in found.items() if role is not None} == {}


def test_a_metric_without_its_model_is_found() -> None:
    assert lacking(get_metric("structure.structure_distance"), frozenset({"clip"})) == "patches"


def test_the_embedded_profile_lists_the_safety_categories_that_its_classifier_knows() -> None:
    known = OpenNsfw.__new__(OpenNsfw).categories
    listed = {name.rpartition("_")[0] for name in load_config("embedded").dimension("safety").metrics}
    assert set(known) <= listed
    assert listed.isdisjoint(set(ZERO_SHOT_CATEGORIES) - set(known))
