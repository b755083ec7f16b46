"""Do a run's own audit ratings contradict the calibration? What automatic decisions got wrong, and what is unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import binom

from edit_metrics.calibration.calibration import Calibration, Scores, text_column
from edit_metrics.calibration.evaluation import passes
from edit_metrics.ratings.design import sampling_design
from edit_metrics.ratings.gates import stopped_items
from edit_metrics.ratings.table import Ratings
from edit_metrics.stats import Share, cluster_t_test, fewest_to_reject, grouped_share
from edit_metrics.triage.risk import Side
from edit_metrics.types import Float64

DRIFT_LEVEL: Final = 0.01
"""Level of the test of the mean: any small difference of raters or sources is found in the end, and most do no harm."""
ERROR_LEVEL: Final = 0.05
"""Level of the test of the error itself, which is what was promised; an error as low as the calibration leaves it is
rarely taken for more (``benchmarks/simulate_promises.py --part audit``)."""
POWER: Final = 0.8
"""Chance of finding twice the promised error, for the number of ratings that is named."""
MIN_DRIFT_ITEMS: Final = 20


@dataclass(frozen=True, slots=True)
class AuditRatings:
    """Ratings of randomly drawn items of the run that is being triaged; arrays of one length.

    Attributes:
        rank: decision rank; held out where the item's rating was used to fit.
        p_pass: predicted probability to pass, likewise.
        passed: 1.0 where people pass the item.
        places: of the items in the table.
        groups: labels.
        judge: the judge's rank, likewise; None without one.
    """

    rank: Float64
    p_pass: Float64
    passed: Float64
    places: NDArray[np.intp]
    groups: Sequence[str]
    judge: Float64 | None = None

    @property
    def judge_rank(self) -> Float64:
        """NaN where there is none."""
        return np.full(len(self.rank), np.nan) if self.judge is None else self.judge


@dataclass(frozen=True, slots=True)
class ObservedError:
    """What the audit saw of the automatic decisions of one side.

    Attributes:
        share: wrong ones among the audited ones that would be decided, with a 95 % interval.
        p_value: of "the error is as promised or less" (exact binomial).
        n_for_double: audited decisions that find twice the promised error with ``POWER``.
        n_audit_for_double: audited items of all kinds that hold so many, at the share seen here.
    """

    side: Side
    share: Share
    p_value: float
    n_for_double: int
    n_audit_for_double: int


@dataclass(frozen=True, slots=True)
class Drift:
    """The audit's verdict.

    Attributes:
        n_items: audit ratings that it rests on.
        p_mean: of "the mean of passed − P(pass) is 0" (clustered t); None with one group.
        errors: of every side that decides something.
        reasons: what contradicts the calibration; empty when nothing does.
    """

    n_items: int
    p_mean: float | None
    errors: tuple[ObservedError, ...]
    reasons: tuple[str, ...]

    @property
    def drifted(self) -> bool:
        """Whether automatic decisions must stop."""
        return bool(self.reasons)


def audit_ratings(
    ratings: Ratings, calibration: Calibration, frame: pd.DataFrame, scores: Scores
) -> AuditRatings | None:
    """The run's random sample, without what the calibration's promise rests on; None when there is none.

    An item that was drawn now and rated in an earlier, prioritised batch belongs to it: without such items the rest
    would be what the earlier batch did not want. Where its rating was used to fit, its prediction is the held-out one.
    """
    if calibration.target not in ratings.dimensions:
        return None
    ids = frame["id"].astype(str).tolist()
    design = sampling_design(ids, ratings, calibration.target, declared=False, whole_table=False)
    rating: Float64 = np.array(frame["id"].map(ratings.item_means(calibration.target)["mean"]), dtype=np.float64)
    fitted = calibration.held_out.set_index("id")
    promised = set(fitted.index[fitted["inclusion_prob"].notna()])
    decidable = np.array([one is None for one in stopped_items(frame)], dtype=np.bool_)
    fresh = np.array([name not in promised for name in ids], dtype=np.bool_)
    scored = scores.prediction.complete | np.isfinite(scores.judge_rank)
    places = np.flatnonzero(design.drawn & np.isfinite(rating) & decidable & fresh & scored)
    if not len(places):
        return None
    names = np.asarray(ids, dtype=object)[places]
    held_out = fitted.reindex(names)
    seen = held_out["p_pass"].notna().to_numpy()
    judge = scores.judge_rank[places]
    if "judge_rank" in held_out:
        judge = np.where(seen, held_out["judge_rank"], judge)
    groups = text_column(frame, "group") if "group" in frame else np.asarray(ids, dtype=object)
    return AuditRatings(
        np.where(seen, held_out["rank"], scores.rank[places]),
        np.where(seen, held_out["p_pass"], scores.prediction.p_pass[places]),
        passes(rating[places], calibration.pass_at),
        places,
        groups[places].tolist(),
        judge,
    )


def drift_test(audit: AuditRatings, decided: dict[Side, NDArray[np.bool_]], max_error: float) -> Drift | None:
    """Test the run's own audit ratings against the calibration; None below ``MIN_DRIFT_ITEMS`` items.

    Args:
        audit: see there.
        decided: side → which of the audit's items would be decided.
        max_error: the promise.
    """
    if len(audit.passed) < MIN_DRIFT_ITEMS:
        return None
    p_mean = None
    if len(set(audit.groups)) > 1:
        p_mean = cluster_t_test(audit.passed - audit.p_pass, audit.groups, weighting="items").p_value
    errors = tuple(_observed(audit, side, rows, max_error) for side, rows in decided.items() if rows.any())
    reasons = [f"auto-{one.side} error above {max_error:.1%}, p = {one.p_value:.4f}" for one in errors
               if one.p_value < ERROR_LEVEL]  # fmt: skip
    if p_mean is not None and p_mean < DRIFT_LEVEL:
        reasons.append(f"mean of passed − P(pass) is not 0, p = {p_mean:.4f}")
    return Drift(len(audit.passed), p_mean, errors, tuple(reasons))


def _observed(audit: AuditRatings, side: Side, rows: NDArray[np.bool_], max_error: float) -> ObservedError:
    wrong = audit.passed[rows] if side is Side.FAIL else 1 - audit.passed[rows]
    share = grouped_share(wrong, [group for group, kept in zip(audit.groups, rows, strict=True) if kept])
    n = fewest_to_reject(max_error, min(2 * max_error, 0.99), ERROR_LEVEL, POWER)
    p_value = float(binom.sf(share.hits - 1, share.n, max_error))
    return ObservedError(side, share, p_value, n, int(np.ceil(n * len(audit.passed) / share.n)))
