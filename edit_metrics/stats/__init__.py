"""Clustered intervals and tests, shared by `human` and `compare`. NumPy and SciPy only."""

from __future__ import annotations

from edit_metrics.stats.bootstrap import BootstrapEstimate, cluster_bootstrap
from edit_metrics.stats.clusters import (
    Alternative,
    ClusterMean,
    ClusterTTest,
    EquivalenceTest,
    Interval,
    Weighting,
    cluster_mean_interval,
    cluster_t_test,
    group_codes,
    one_sided_bound,
    tost,
)
from edit_metrics.stats.counts import McNemarTest, holm, mcnemar_exact

__all__ = [
    "Alternative",
    "BootstrapEstimate",
    "ClusterMean",
    "ClusterTTest",
    "EquivalenceTest",
    "Interval",
    "McNemarTest",
    "Weighting",
    "cluster_bootstrap",
    "cluster_mean_interval",
    "cluster_t_test",
    "group_codes",
    "holm",
    "mcnemar_exact",
    "one_sided_bound",
    "tost",
]
