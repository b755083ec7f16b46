"""What is claimed of metrics, where they are registered and by the doctor, against the registry and the cases."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest_doctor import Doctor

from edit_metrics import registry
from edit_metrics.doctor import claims
from edit_metrics.doctor.cases import IDENTICAL, ladders, single_cases, typed_cases
from edit_metrics.registry import Identity, all_metrics, get_metric


def silent_metrics() -> list[str]:
    """Metrics of this package that do not say what they give for a pair of equal pictures."""
    return [m.name for m in all_metrics() if m.module.startswith("edit_metrics.") and m.identity is None]


def test_every_metric_has_an_identity_value_or_a_reason_why_not() -> None:
    assert silent_metrics() == [], "say in the decorator what these give for a pair of equal pictures: identity=…"


def test_a_new_metric_that_does_not_say_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(get_metric("preservation.psnr"), name="preservation.new", identity=None)
    monkeypatch.setitem(registry._METRICS, "preservation.new", new)
    assert silent_metrics() == ["preservation.new"]


def test_a_metric_without_a_declared_value_is_named_by_the_doctor(
    monkeypatch: pytest.MonkeyPatch, doctor: Doctor
) -> None:
    silent = replace(get_metric("preservation.mae"), identity=None)
    monkeypatch.setitem(registry._METRICS, "preservation.mae", silent)
    code, checks = doctor({"dimensions": {"preservation": {"metrics": ["mae", "mse"]}}})
    assert code == 0
    assert "nothing is known of preservation.mae" in checks["identity_values"]["detail"]


@pytest.mark.parametrize(
    "table",
    [claims.DONE.values(), *claims.MONOTONE.values(), {metric for _, metric in claims.TYPED}],
    ids=["DONE", *claims.MONOTONE, "TYPED"],
)
def test_the_tables_name_registered_metrics_only(table: object) -> None:
    assert set(table) <= {spec.name for spec in all_metrics()}  # type: ignore[call-overload]


def test_the_tables_name_cases_that_exist() -> None:
    cases = {case.name for case in single_cases()}
    assert {case for case, _ in claims.TYPED} <= cases
    assert set(IDENTICAL) <= cases | {case.name for case in typed_cases()}
    assert set(claims.DONE) <= {case.name for case in typed_cases()}
    assert {ladder.name for ladder in ladders()} == set(claims.MONOTONE)


def test_case_names_are_unique() -> None:
    names = [
        case.name
        for case in (*single_cases(), *typed_cases(), *(case for ladder in ladders() for case in ladder.cases))
    ]
    assert len(names) == len(set(names))


def test_identity_values_agree_with_declared_bounds() -> None:
    for spec in all_metrics():
        if isinstance(spec.identity, Identity):
            low, high = spec.bounds
            assert low is None or low <= spec.identity.value, spec.name
            assert high is None or spec.identity.value <= high, spec.name


def test_no_metric_is_both_symmetric_and_antisymmetric() -> None:
    assert [m.name for m in all_metrics() if m.symmetric is not None and m.antisymmetric is not None] == []


def test_a_difference_that_changes_its_sign_is_0_for_equal_pictures() -> None:
    differences = [spec for spec in all_metrics() if spec.antisymmetric is not None]
    assert differences
    for spec in differences:
        assert isinstance(spec.identity, Identity), spec.name
        assert spec.identity.value == 0, spec.name
