"""Holm and McNemar against statsmodels."""

from __future__ import annotations

import gc

import numpy as np
import pytest
from scipy.stats import binomtest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

from edit_metrics.stats import holm, mcnemar_exact


@pytest.mark.parametrize("size", [1, 2, 8, 40])
def test_holm_equals_statsmodels(rng, size, monkeypatch) -> None:
    # statsmodels collects garbage at every call, which takes long where a process holds torch.
    monkeypatch.setattr(gc, "collect", lambda: 0)
    for _ in range(20):
        p = rng.beta(0.4, 2.0, size)
        assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-15)


def test_holm_on_a_hand_worked_example() -> None:
    # Sorted .01 .03 .04 times 3 2 1 = .03 .06 .04, made monotone.
    assert holm([0.04, 0.01, 0.03]).tolist() == pytest.approx([0.06, 0.03, 0.06])


def test_holm_of_no_test_is_empty() -> None:
    assert holm([]).shape == (0,)


@pytest.mark.parametrize("bad", [[0.1, np.nan], [1.2], [-0.1]])
def test_holm_refuses_what_is_no_p_value(bad) -> None:
    with pytest.raises(ValueError, match="p-values"):
        holm(bad)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 9), (9, 3), (1, 0), (12, 12)])
def test_mcnemar_equals_statsmodels(first, second) -> None:
    reference = mcnemar([[5, first], [second, 7]], exact=True).pvalue
    assert mcnemar_exact(first, second).p_value == pytest.approx(min(1.0, reference))


@pytest.mark.parametrize("alternative", ["less", "greater", "two-sided"])
def test_mcnemar_is_scipys_binomial_test(alternative) -> None:
    for first in range(12):
        for second in range(12 - first):
            reference = binomtest(second, first + second, 0.5, alternative).pvalue if first + second else 1.0
            assert mcnemar_exact(first, second, alternative).p_value == pytest.approx(reference)


def test_one_sided_mcnemar_asks_whether_the_second_side_has_more() -> None:
    assert mcnemar_exact(0, 5, "greater").p_value == pytest.approx(0.5**5)
    assert mcnemar_exact(5, 0, "greater").p_value == 1.0


def test_mcnemar_refuses_negative_counts() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        mcnemar_exact(-1, 2)
