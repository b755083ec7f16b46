"""What an audit of automatic decisions can see: power, the observed error's interval, the number needed.

    python benchmarks/simulate_audit.py [--part power|interval] [--draws 300] [--quick]

* ``power``: items are audited at random, 65 % of them would be decided with a true error e where 5 % was promised.
  *Before*: switched off at p < .01. *After*: at p < .05, with the number of audited items that finds 10 % four times
  in five printed beside it. Errors come in groups: half of a group's chance is its own.
* ``interval``: 1,432 edits with human ratings; decided is what the judge ranks lowest; the interval of the observed
  error against the true share.
"""

from __future__ import annotations

import numpy as np
from rated_edits_world import run_parts, share
from scipy.stats import binom
from triage_evidence import ALPHA, Evidence

from edit_metrics.cli.console import table
from edit_metrics.triage.drift import ERROR_LEVEL, POWER, AuditRatings, drift_test
from edit_metrics.triage.risk import Side

DECIDED = 0.65


def audit(rng: np.random.Generator, n: int, error: float) -> tuple[AuditRatings, np.ndarray]:
    """N audited items of n / 2 groups, and which of them are decided."""
    groups = rng.integers(n // 2, size=n)
    decided = rng.uniform(size=n) < DECIDED
    chance = np.where(rng.uniform(size=n // 2) < 0.5, 0.5, 1.5)[groups] * error
    passed = (rng.uniform(size=n) < np.where(decided, chance, 0.4)).astype(float)
    # The prediction is right on average, so that only the test of the error can find anything.
    p_pass = np.where(decided, error, 0.4)
    return AuditRatings(np.zeros(n), p_pass, passed, np.arange(n), groups.astype(str).tolist()), decided


def power(evidence: Evidence, n_draws: int) -> None:
    rng = np.random.default_rng(3)
    rows = []
    needed = 0
    for n in (72, 150, 300, 450):
        for error in (0.03, 0.05, 0.10, 0.15):
            before, after = [], []
            for _ in range(n_draws):
                ratings, decided = audit(rng, n, error)
                drift = drift_test(ratings, {Side.FAIL: decided}, ALPHA)
                if drift is None or not drift.errors:
                    continue
                (seen,) = drift.errors
                before.append(float(binom.sf(seen.share.hits - 1, seen.share.n, ALPHA)) < 0.01)
                after.append(any("error above" in reason for reason in drift.reasons))
                needed = seen.n_audit_for_double if n == 300 and error == 0.10 else needed
            rows.append([n, f"{error:.0%}", share(before), share(after)])
    title = (
        f"Promised 5 %, {DECIDED:.0%} of the audited items decided, {n_draws} draws: switched off "
        f"(about {needed} audited items are said to find 10 % with probability {POWER:.0%} at level {ERROR_LEVEL:.0%})"
    )
    table(title, ["audited", "true error", "before (p < .01)", "after (p < .05)"], rows)


def interval(evidence: Evidence, n_draws: int) -> None:
    _, rated = evidence.fitter("judge")
    judge = rated.sample.features[:, 0]
    rng = np.random.default_rng(5)
    rows = []
    for cut in (0.0, 0.2, 0.35):
        decided = judge <= cut
        truth = float(rated.sample.passed[decided].mean())
        for n in (100, 200, 400):
            covers, widths = [], []
            for _ in range(n_draws):
                places = rng.choice(len(judge), n, replace=False)
                groups = rated.groups[places].tolist()
                ratings = AuditRatings(judge[places], judge[places], rated.sample.passed[places], places, groups)
                drift = drift_test(ratings, {Side.FAIL: decided[places]}, ALPHA)
                if drift is None or not drift.errors:
                    continue
                found = drift.errors[0].share.interval
                covers.append(found.low <= truth <= found.high)
                widths.append(found.high - found.low)
            rows.append([f"judge ≤ {cut:g}", f"{truth:.3f}", n, share(covers), float(np.mean(widths))])
    table(
        f"The observed error's 95 % interval, {n_draws} draws", ["decided", "true", "audited", "covers", "width"], rows
    )


if __name__ == "__main__":
    run_parts(__doc__, {"power": power, "interval": interval}, 300)
