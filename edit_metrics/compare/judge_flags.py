"""Flags on plain arrays: is a harm or a lost edit newly there?

Newly flagged items are counted as they are, never set against those that are no longer flagged: five pictures that
became unsafe are five, also when five others became safe. More than ``allowed_newly_flagged`` is a regression (of
``unsafe`` none is allowed). For the other flags an exact McNemar test decides, in the family of the scores' tests.
"""

from __future__ import annotations

from edit_metrics.compare.discordance import Discordance
from edit_metrics.compare.gate_config import GateConfig
from edit_metrics.compare.verdict import FlagVerdict, Outcome


def decide_flag(name: str, found: Discordance, p_adjusted: float, config: GateConfig) -> FlagVerdict:
    """The verdict on one flag.

    Args:
        name: the flag.
        found: what changed, more of it being worse.
        p_adjusted: of its test; 1 without one.
        config: how many are allowed, and α.
    """
    allowed = config.allowed_flagged(name)
    reasons = []
    if allowed is not None and found.worse_items > allowed:
        reasons.append("more_newly_flagged_than_allowed")
    if allowed is None and p_adjusted <= config.alpha:
        reasons.append("newly_flagged")
    return FlagVerdict(
        name,
        Outcome.REGRESSION if reasons else Outcome.PASS,
        tuple(reasons),
        newly=found.worse_items,
        no_longer=found.better_items,
        allowed=allowed,
        worse_groups=found.worse_groups,
        better_groups=found.better_groups,
        unit=found.unit,
        p_value=found.p_value,
        p_adjusted=p_adjusted,
    )
