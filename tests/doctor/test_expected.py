"""The doctor's tables against the registry: no metric can be added without saying what it must give."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edit_metrics import registry
from edit_metrics.doctor import claims, expected
from edit_metrics.doctor.cases import IDENTICAL, ladders, single_cases, typed_cases
from edit_metrics.registry import all_metrics, get_metric

TABLES = {
    "IDENTITY": expected.IDENTITY,
    "ABSENT_AT_IDENTITY": expected.ABSENT_AT_IDENTITY,
    "AFTER_SHIFT": expected.AFTER_SHIFT,
    "NO_IDENTITY": expected.NO_IDENTITY,
}


def test_every_registered_metric_has_an_identity_value_or_a_reason_why_not() -> None:
    missing = expected.undeclared_metrics()
    assert missing == [], "say in edit_metrics/doctor/expected.py what these give for a pair of equal pictures"


def test_a_new_metric_that_is_in_no_table_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    new = replace(get_metric("preservation.psnr"), name="preservation.new")
    monkeypatch.setitem(registry._METRICS, "preservation.new", new)
    assert expected.undeclared_metrics() == ["preservation.new"]


def test_no_metric_is_in_two_identity_tables() -> None:
    names = [name for table in TABLES.values() for name in table]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "table",
    [
        *TABLES.values(),
        claims.SYMMETRIC,
        claims.ANTISYMMETRIC,
        claims.FLIP_INVARIANT,
        claims.BLIND_INSIDE,
        claims.DONE.values(),
        *claims.MONOTONE.values(),
        {metric for _, metric in claims.TYPED},
    ],
    ids=[*TABLES, "SYMMETRIC", "ANTISYMMETRIC", "FLIP_INVARIANT", "BLIND_INSIDE", "DONE", *claims.MONOTONE, "TYPED"],
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
    for name, near in {**expected.IDENTITY, **expected.AFTER_SHIFT}.items():
        low, high = get_metric(name).bounds
        assert low is None or low <= near.value, name
        assert high is None or near.value <= high, name
