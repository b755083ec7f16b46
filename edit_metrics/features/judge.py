"""The judge's answers as a feature: absent in a run, since the questions are put after it, on the table alone."""

from __future__ import annotations

from edit_metrics.registry import feature
from edit_metrics.types import Missing, unavailable


@feature()
def judge_answers() -> Missing:
    """See :mod:`edit_metrics.metrics.judge`.

    Returns:
        ``unavailable(judge_not_asked)``.
    """
    return unavailable("judge_not_asked")
