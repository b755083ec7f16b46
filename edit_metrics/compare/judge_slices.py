"""Slices on plain arrays: does one kind of edit drop while the mean stays?

Every dimension on every value of a column, one-sided cluster-t of "it dropped by the margin at most", Holm over all of
them: a slice is worse when it is *shown* to have dropped by more than the margin. Against "it did not drop", sixty-four
small slices with a long tail of gains would call 7 to 11 % of equal checkpoints worse (500 simulated pairs a row).

A slice can only speak against a candidate: to *pass*, each would need the benchmark's own size.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from edit_metrics.compare.differences import n_groups
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.verdict import PairedDimension, PairedSlices, SliceVerdict
from edit_metrics.stats import ClusterTTest, cluster_t_test, holm

SLICES_SHARE: Final = 0.2
"""Their share of α; the dimensions keep the rest when slices decide. Chosen: a slice that matters is a large drop, the
dimensions' own power hardly changes (docs/compare.md)."""
FEWEST_GROUPS = 5
"""Groups from which a slice is tested; chosen with `python benchmarks/simulate_gate.py --part slices`."""


def judge_slices(
    pairs: Sequence[PairedDimension], slices: Sequence[PairedSlices], config: GateConfig
) -> tuple[SliceVerdict, ...]:
    """Every slice that is large enough, in the order of columns, values and dimensions."""
    tested: list[tuple[PairedSlices, int, PairedDimension, int, ClusterTTest]] = []
    for one in slices:
        for code in range(len(one.values)):
            chosen = np.flatnonzero(one.codes == code)
            for pair in pairs:
                difference = pair.candidate[chosen] - pair.baseline[chosen]
                there = np.isfinite(difference)
                groups = pair.groups[chosen][there]
                if n_groups(groups) >= FEWEST_GROUPS:
                    margin = config.rule(pair.name).margin
                    test = cluster_t_test(difference[there], groups, "less", -margin)
                    tested.append((one, code, pair, len(groups), test))
    adjusted = np.minimum(1.0, holm([test.p_value for *_, test in tested]) / SLICES_SHARE)
    return tuple(
        SliceVerdict(
            one.column,
            one.values[code],
            pair.name,
            n_items,
            test.df + 1,
            test.mean,
            test.p_value,
            float(p),
            bool(p <= config.alpha),
        )
        for (one, code, pair, n_items, test), p in zip(tested, adjusted, strict=True)
    )
