"""The statistics of benchmarks/validity.py against scipy and scikit-learn, and what confidence may claim."""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from edit_metrics.claims import MIN_GROUPS, MIN_ITEMS, UNVALIDATED, supported_confidence
from edit_metrics.config import load_config, profile_names

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"
ONCE = np.ones((1, 60))


@pytest.fixture(scope="module")
def ordering() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ordering", BENCHMARKS / "ordering.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["ordering"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rated(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    rating = rng.integers(0, 6, 60).astype(float)
    return np.round(rating + rng.normal(0, 2, 60)), rating


def test_the_rank_correlation_is_scipys_with_ties(ordering: ModuleType, rated: tuple[np.ndarray, np.ndarray]) -> None:
    assert ordering.spearman(*rated)(ONCE)[0] == pytest.approx(stats.spearmanr(*rated).statistic, abs=1e-12)


def test_the_auroc_is_scikit_learns(ordering: ModuleType, rated: tuple[np.ndarray, np.ndarray]) -> None:
    score, rating = rated
    assert ordering.auroc(score, rating < 2)(ONCE)[0] == pytest.approx(roc_auc_score(rating < 2, -score), abs=1e-12)


def test_concordance_is_somers_d_mapped_to_a_share(ordering: ModuleType, rated: tuple[np.ndarray, np.ndarray]) -> None:
    score, rating = rated
    expected = (stats.somersd(rating, score).statistic + 1) / 2
    assert ordering.concordance(score, rating)(ONCE)[0] == pytest.approx(expected, abs=1e-12)


def test_multiplicities_are_repeated_items(
    ordering: ModuleType, rated: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> None:
    score, rating = rated
    counts = rng.integers(0, 4, 60)
    repeated = (np.repeat(score, counts), np.repeat(rating, counts))
    for make in (ordering.spearman, ordering.concordance):
        found = make(*rated)(counts[None].astype(float))[0]
        assert found == pytest.approx(make(*repeated)(np.ones((1, counts.sum())))[0], abs=1e-12)


def test_within_origins_a_difference_of_levels_is_no_order(ordering: ModuleType, rng: np.random.Generator) -> None:
    origin = np.repeat([0, 1], 30)
    score, rating = 10 * origin + rng.normal(size=60), 10 * origin + rng.normal(size=60)
    assert ordering.spearman(score, rating)(ONCE)[0] > 0.7
    assert abs(ordering.spearman_within(score, rating, origin)(ONCE)[0]) < 0.3


def test_a_queue_with_all_bad_edits_at_its_front_finds_them_all(ordering: ModuleType) -> None:
    order = np.arange(60.0)
    bad = order < 12
    assert ordering.found_in_queue(order, bad, 0.2)(ONCE)[0] == pytest.approx(1.0)
    assert ordering.found_in_queue(-order, bad, 0.2)(ONCE)[0] == 0
    assert ordering.found_in_queue(np.zeros(60), bad, 0.2)(ONCE)[0] == pytest.approx(0.2)


def test_what_one_order_finds_more_than_another_is_the_difference_on_the_same_items(ordering: ModuleType) -> None:
    order, bad = np.arange(60.0), np.arange(60) < 12
    assert ordering.found_more(order, -order, bad, 0.2)(ONCE)[0] == pytest.approx(1.0)
    assert ordering.found_more(order, order, bad, 0.4)(np.arange(60.0)[None])[0] == 0


def test_an_estimate_holds_its_value_between_its_bounds(
    ordering: ModuleType, rated: tuple[np.ndarray, np.ndarray]
) -> None:
    found = ordering.estimate(ordering.concordance(*rated), [str(i // 2) for i in range(60)])
    assert (found.n, found.groups) == (60, 30)
    assert found.low < found.lower_tenth < found.value < found.high


def test_confidence_is_twice_the_bound_above_chance() -> None:
    assert supported_confidence(0.5, 100, 50) == 0
    assert supported_confidence(0.3, 100, 50) == 0
    assert supported_confidence(0.7, 100, 50) == pytest.approx(0.4)
    assert supported_confidence(1.0, 100, 50) == 1


@pytest.mark.parametrize(("items", "groups"), [(MIN_ITEMS - 1, 100), (100, MIN_GROUPS - 1)])
def test_few_items_or_sources_support_little(items: int, groups: int) -> None:
    assert supported_confidence(0.95, items, groups) == UNVALIDATED == 0.2


@pytest.mark.parametrize("profile", [name for name in profile_names() if name != "pie_compat"])
def test_no_shipped_claim_exceeds_what_the_table_supports(monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    rows = importlib.import_module("validity_table")
    table = json.loads((BENCHMARKS / "validity_now.json").read_text(encoding="utf-8"))["rows"]
    supported = rows.supported_claims([rows.row_from_json(row) for row in table])
    for dimension, section in load_config(profile).dimensions.items():
        for kind, claim in section.claims.items():
            found = supported[dimension][kind]
            assert claim.confidence <= found.confidence, (dimension, kind)
            assert (claim.items, claim.groups, claim.rated) == (found.items, found.groups, found.rated)
        for name, curve in section.curves.items():
            # Without a kind a curve claims its trust: documented with the judge (docs/judge.md), or a fact.
            assert curve.kind or name in ("judge", "judge_natural", "judge_clean", "verdict"), (dimension, name)


def test_what_clip_says_is_unvalidated_until_somebody_has_run_it() -> None:
    section = load_config("clip").dimension("adherence")
    assert section.curves["clip_directional"].kind == "clip"
    assert "clip" not in section.claims
