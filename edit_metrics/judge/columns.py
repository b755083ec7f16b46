"""Columns that a judge writes into a score table. The one place that spells them."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = "adherence.judge"
UNTOUCHED: Final = "preservation.judge"
NATURAL: Final = "quality.judge_natural"
CLEAN: Final = "quality.judge_clean"
POSSIBLE: Final = "feasibility.judge"
UNSAFE: Final = "safety.judge_flags"

NUMBER_COLUMNS: Final = (SUCCESS, UNTOUCHED, NATURAL, CLEAN, POSSIBLE)
"""Measurements in [0, 1], higher is better."""
CATEGORY_COLUMNS: Final = (UNSAFE,)
"""Measurements that count categories; 0 = none seen."""
MEASURED: Final = (*NUMBER_COLUMNS, *CATEGORY_COLUMNS)

WHY: Final = "judge.why"
MODEL: Final = "judge.model"
REPETITIONS: Final = "judge.repetitions"
SPREAD: Final = "judge.spread"
SELECTED_BY: Final = "judge.selected_by"
INCLUSION_PROB: Final = "judge.inclusion_prob"
VIESCORE_SC: Final = "judge.viescore_sc"
VIESCORE_PQ: Final = "judge.viescore_pq"
VIESCORE: Final = "judge.viescore"
