"""Clustered intervals and tests, shared by ratings, calibration, triage and compare. NumPy and SciPy only."""

from __future__ import annotations

from edit_metrics.stats.bootstrap import BootstrapEstimate, bootstrap_sums, cluster_bootstrap
from edit_metrics.stats.clusters import (
    Alternative,
    ClusterMean,
    ClusterTTest,
    EquivalenceTest,
    Estimate,
    Interval,
    Weighting,
    cluster_mean_interval,
    cluster_t_test,
    equivalence_test,
    group_codes,
    one_sided_bound,
    tost,
    two_sided_interval,
)
from edit_metrics.stats.columns import ColumnTests, pairwise_t_tests
from edit_metrics.stats.counts import McNemarTest, holm, mcnemar_exact
from edit_metrics.stats.shares import Share, exact_interval, fewest_to_reject, grouped_share
from edit_metrics.stats.slope import cluster_slope

__all__ = [
    "Alternative",
    "BootstrapEstimate",
    "ClusterMean",
    "ClusterTTest",
    "ColumnTests",
    "EquivalenceTest",
    "Estimate",
    "Interval",
    "McNemarTest",
    "Share",
    "Weighting",
    "bootstrap_sums",
    "cluster_bootstrap",
    "cluster_mean_interval",
    "cluster_slope",
    "cluster_t_test",
    "equivalence_test",
    "exact_interval",
    "fewest_to_reject",
    "group_codes",
    "grouped_share",
    "holm",
    "mcnemar_exact",
    "one_sided_bound",
    "pairwise_t_tests",
    "tost",
    "two_sided_interval",
]
