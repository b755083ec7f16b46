"""Names to an order of work, and what a score's signature depends on."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest

from edit_metrics import registry
from edit_metrics.backends.base import Fingerprint
from edit_metrics.config import Config, validate_config
from edit_metrics.engine.definitions import score_signatures
from edit_metrics.engine.plan import build_plan, closure
from edit_metrics.errors import ConfigError
from edit_metrics.registry import BASE_INPUTS, feature, metric
from edit_metrics.types import Direction


@pytest.fixture
def scratch_registry() -> Iterator[None]:
    """What a test registers is gone afterwards."""
    registry.load_all()
    tables = (registry._METRICS, registry._FEATURES, registry._LABELS)
    saved = [dict(table) for table in tables]
    yield
    for table, before in zip(tables, saved, strict=True):
        table.clear()
        table.update(before)  # type: ignore[arg-type]


def fingerprints(config: Config, weight: str = "a") -> dict[str, Fingerprint]:
    return {role: Fingerprint(role, {"w": weight}, "none") for role in config.backends}


def test_every_step_stands_after_everything_it_needs(stub_config: Config) -> None:
    done = set(BASE_INPUTS)
    for step in build_plan(stub_config).steps:
        assert set(step.spec.needs) <= done, step.spec.name
        done.add(step.spec.name)


def test_each_computation_stands_in_the_plan_once(stub_config: Config) -> None:
    names = [step.spec.name for step in build_plan(stub_config).steps]
    assert len(names) == len(set(names))


def test_only_roles_that_a_requested_metric_needs_are_loaded(stub_config: Config) -> None:
    assert build_plan(stub_config).roles == ("conse", "perceptual", "safety")
    without = validate_config({**stub_config.model_dump(), "dimensions": {}, "labels": ()}, "test")
    assert build_plan(without).roles == ()


def test_an_unknown_metric_suggests_the_nearest(stub_config: Config) -> None:
    data = stub_config.model_dump()
    data["dimensions"]["preservation"]["metrics"] = ["psmr"]
    data["dimensions"]["preservation"]["curves"] = {}
    with pytest.raises(ConfigError, match=r"Did you mean 'preservation\.psnr'"):
        build_plan(validate_config(data, "test"))


def test_an_unknown_option_of_a_known_feature_is_refused(stub_config: Config) -> None:
    data = stub_config.model_dump() | {"features": {"kept_core": {"pixles": 3}}}
    with pytest.raises(ConfigError, match="option of 'kept_core'"):
        build_plan(validate_config(data, "test"))


def test_options_for_a_name_that_nobody_registered_are_refused(stub_config: Config) -> None:
    with pytest.raises(ConfigError, match="registered name under 'features'"):
        build_plan(validate_config(stub_config.model_dump() | {"features": {"kept_cor": {}}}, "test"))


@pytest.mark.usefixtures("scratch_registry")
def test_features_that_need_each_other_are_refused(stub_config: Config) -> None:
    feature("ring_a")(lambda ring_b: ring_b)
    feature("ring_b")(lambda ring_a: ring_a)
    metric("quality.ring", direction=Direction.NEITHER, bounds=(None, None), unit="")(lambda ring_a: ring_a)
    data = stub_config.model_dump()
    data["dimensions"]["quality"] = {"metrics": ["ring"]}
    with pytest.raises(ConfigError, match="ring_a → ring_b → ring_a"):
        build_plan(validate_config(data, "test"))


@pytest.mark.usefixtures("scratch_registry")
def test_a_name_is_registered_once_and_the_error_says_where_the_first_is() -> None:
    feature("twice")(lambda source: source)
    with pytest.raises(ConfigError, match=r"test_plan\.py"):
        feature("twice")(lambda source: source)


@pytest.mark.usefixtures("scratch_registry")
@pytest.mark.parametrize("name", ["psnr", "taste.psnr"])
def test_a_metric_name_starts_with_a_dimension(name: str) -> None:
    with pytest.raises(ConfigError, match="metric name"):
        metric(name, direction=Direction.NEITHER, bounds=(None, None), unit="")


def test_a_signature_changes_with_what_its_dimension_depends_on_and_with_nothing_else(stub_config: Config) -> None:
    plan = build_plan(stub_config)
    before = score_signatures(plan, fingerprints(stub_config))
    other_weight = fingerprints(stub_config) | {"perceptual": Fingerprint("perceptual", {"w": "b"}, "none")}
    after = score_signatures(plan, other_weight)
    changed = {name for name in before if before[name].sha256 != after[name].sha256}
    assert changed == {"preservation"}


def test_a_signature_does_not_depend_on_how_fast_the_run_is(stub_config: Config) -> None:
    faster = validate_config(stub_config.model_dump() | {"engine": {"batch_size": 32, "workers": 7}}, "test")
    first = score_signatures(build_plan(stub_config), fingerprints(stub_config))
    assert score_signatures(build_plan(faster), fingerprints(faster)) == first


def test_options_are_part_of_the_signature(stub_config: Config) -> None:
    other = validate_config(stub_config.model_dump() | {"decode": {"alpha_background": (0, 0, 0)}}, "test")
    first = score_signatures(build_plan(stub_config), fingerprints(stub_config))
    second = score_signatures(build_plan(other), fingerprints(other))
    assert all(first[name].sha256 != second[name].sha256 for name in first)


def test_the_first_stage_is_what_feasibility_needs_and_nothing_more(stub_config: Config) -> None:
    first, second = build_plan(stub_config).stages
    feasibility = [m for m in build_plan(stub_config).metrics if m.dimension == "feasibility"]
    assert {step.spec.name for step in first.steps} == closure(feasibility)
    assert all(step.always for step in first.steps)
    assert not {step.spec.name for step in first.steps} & {step.spec.name for step in second.steps}


def test_a_step_releases_what_it_is_the_last_to_read(stub_config: Config) -> None:
    plan = build_plan(stub_config)
    gone: set[str] = set()
    for step in plan.steps:
        assert not gone & set(step.spec.needs), step.spec.name
        gone |= set(step.releases)
    read = {name for step in plan.steps for name in (*step.spec.needs, step.spec.name)}
    assert gone == read <= plan.computed
    assert sum(len(step.releases) for step in plan.steps) == len(gone)


def test_a_batched_step_stands_alone_and_the_others_go_side_by_side(stub_config: Config) -> None:
    for stage in build_plan(stub_config).stages:
        assert tuple(step for stretch in stage.stretches for step in stretch) == stage.steps
        batched = [stretch[0].spec.batched for stretch in stage.stretches]
        assert all(len(s) == 1 for s, together in zip(stage.stretches, batched, strict=True) if together)
        assert not any(a is False and b is False for a, b in pairwise(batched))
        assert not any(step.spec.batched for stretch in stage.stretches[1:] for step in stretch[1:])
