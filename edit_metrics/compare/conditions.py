"""Absolute conditions on one run: ``preservation.psnr >= 35 in 99 %``.

    COLUMN OP NUMBER              every item
    COLUMN OP NUMBER in P %       a share of P % or more

A share is judged by groups: items of one source hold or fail together, so a group counts as one observation, its value
the share of its items that hold. The bounds are the exact binomial ones (Clopper and Pearson 1934) at that many
observations. For shares inside (0, 1) they are on the safe side: of all distributions on [0, 1] with one mean the
binomial's spreads most (Hoeffding 1963).

An item without a value has not held and has not failed: it counts as failing for a pass, as holding for a regression.
Items to which the measure does not apply are left out.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.differences import group_mean, n_groups
from edit_metrics.compare.pairing import Units, need_column, raw_numbers
from edit_metrics.compare.verdict import Outcome
from edit_metrics.errors import ConfigError
from edit_metrics.scores.columns import DimensionColumns, MetricColumns, dimension_of
from edit_metrics.stats import exact_interval
from edit_metrics.types import Status

_HOLDS: Final[Mapping[str, Callable[[Any, float], Any]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_NUMBER: Final = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_CONDITION: Final = re.compile(
    rf"\s*(?P<column>[^\s<>=]+)\s*(?P<operator>>=|<=|>|<)\s*(?P<value>{_NUMBER})"
    rf"(?:\s+in\s+(?P<percent>{_NUMBER})\s*%)?\s*"
)


@dataclass(frozen=True, slots=True)
class Condition:
    """What has to hold of a column.

    Attributes:
        text: as the user wrote it.
        operator: ``>=``, ``<=``, ``>`` or ``<``.
        share: of the items, above 0 and below 1; None: every item.
    """

    text: str
    column: str
    operator: str
    value: float
    share: float | None


@dataclass(frozen=True, slots=True)
class ConditionVerdict:
    """The answer to one condition.

    Attributes:
        n_items: items to which the measure applies.
        holding: items that hold; ``failing`` have a value that does not, ``missing`` have none.
        share: mean over groups of the share that holds.
        low: lower one-sided 1 − α bound of the share, what is missing counted as failing; None for "every item".
        high: upper one, what is missing counted as holding, at α / (number of conditions).
        groups_needed: groups that would do if every item held; None unless inconclusive for want of groups.
        failing_ids: the first items that do not hold.
    """

    text: str
    column: str
    outcome: Outcome
    reasons: tuple[str, ...]
    n_items: int
    n_groups: int
    holding: int
    failing: int
    missing: int
    required: float | None = None
    share: float | None = None
    low: float | None = None
    high: float | None = None
    groups_needed: int | None = None
    failing_ids: tuple[str, ...] = ()


def parse_condition(text: str) -> Condition:
    """Read one condition.

    Raises:
        ConfigError: it is not of the form above, or the share is not above 0 and at most 100 %.
    """
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ConfigError("a condition 'COLUMN >= NUMBER in P %'", repr(text), "--require", "Operators: >=, <=, >, <.")
    share = None
    if found["percent"] is not None:
        share = float(found["percent"]) / 100
        if not 0 < share <= 1:
            raise ConfigError("a share above 0 and at most 100 %", f"{found['percent']} %", f"--require {text!r}")
    return Condition(
        text.strip(), found["column"], found["operator"], float(found["value"]), None if share == 1 else share
    )


def judge_conditions(units: Units, conditions: Sequence[Condition], alpha: float) -> tuple[ConditionVerdict, ...]:
    """Judge each condition on a run.

    Args:
        units: the run; several samples of a key are items of its group.
        conditions: all have to hold, so that a pass needs no correction; a violation is tested at α / their number.
        alpha: level of both.

    Raises:
        TableError: a column that is absent or holds no numbers.
    """
    return tuple(_judge(units, one, alpha, alpha / len(conditions)) for one in conditions)


def _judge(units: Units, condition: Condition, alpha: float, alpha_against: float) -> ConditionVerdict:
    need_column(units.run, condition.column, f" for --require {condition.text!r}")
    applies = ~_not_applicable(units, condition.column)
    values = raw_numbers(units.run, condition.column)[applies]
    of_rows = units.codes if units.samples is None else units.codes[units.samples]
    groups = of_rows[applies]
    missing = np.isnan(values)
    with np.errstate(invalid="ignore"):
        holds: NDArray[np.bool_] = _HOLDS[condition.operator](values, condition.value)
    failing = np.flatnonzero(applies)[~holds & ~missing]
    counted = ConditionVerdict(
        condition.text,
        condition.column,
        Outcome.INCONCLUSIVE,
        ("no_values",),
        n_items=len(values),
        n_groups=n_groups(groups),
        holding=int(holds.sum()),
        failing=len(failing),
        missing=int(missing.sum()),
        required=condition.share,
        share=group_mean(holds.astype(np.float64), groups),
        failing_ids=tuple(str(one) for one in units.run.frame["id"].iloc[failing[:10]]),
    )
    if not len(values) or missing.all():
        return counted
    if condition.share is None:
        return _every_item(counted)
    low = _bound(holds, groups, alpha)[0]
    high = _bound(holds | missing, groups, alpha_against)[1]
    return _share(counted, condition.share, low, high, alpha)


def _every_item(counted: ConditionVerdict) -> ConditionVerdict:
    if counted.failing:
        return replace(counted, outcome=Outcome.REGRESSION, reasons=("condition_failed",))
    if counted.missing:
        return replace(counted, reasons=("values_missing",))
    return replace(counted, outcome=Outcome.PASS, reasons=())


def _share(counted: ConditionVerdict, required: float, low: float, high: float, alpha: float) -> ConditionVerdict:
    counted = replace(counted, low=low, high=high)
    if high < required:
        return replace(counted, outcome=Outcome.REGRESSION, reasons=("condition_failed",))
    if low >= required:
        return replace(counted, outcome=Outcome.PASS, reasons=())
    needed = math.ceil(math.log(alpha) / math.log(required))
    return replace(counted, reasons=("share_not_shown",), groups_needed=needed if needed > counted.n_groups else None)


def _bound(holds: NDArray[np.bool_], groups: NDArray[np.intp], alpha: float) -> tuple[float, float]:
    share, n = group_mean(holds.astype(np.float64), groups) or 0.0, n_groups(groups)
    interval = exact_interval(share * n, n, 1 - 2 * alpha)
    return interval.low, interval.high


def _not_applicable(units: Units, column: str) -> NDArray[np.bool_]:
    frame = units.run.frame
    own = DimensionColumns(dimension_of(column))
    status = own.status if column == own.score else MetricColumns(column).status
    if status not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray(frame[status] == Status.NOT_APPLICABLE.value, dtype=bool)
