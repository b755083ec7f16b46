"""What a wrong decision costs, and what asking a person is expected to save."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edit_metrics.errors import UserError
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class DecisionCosts:
    """Costs of the two wrong decisions, in any unit; a right decision costs nothing.

    Attributes:
        wrong_fail: failing an item that people pass.
        wrong_pass: passing an item that people fail.
    """

    wrong_fail: float = 1.0
    wrong_pass: float = 1.0

    def __post_init__(self) -> None:
        if not (self.wrong_fail > 0 and self.wrong_pass > 0):
            got = f"{self.wrong_fail:g} and {self.wrong_pass:g}"
            raise UserError("costs above 0", got, "--cost-wrong-fail, --cost-wrong-pass")

    def expected_saving(self, p_pass: Float64) -> Float64:
        """What the better of the two decisions is still expected to cost: what asking a person saves."""
        return np.minimum(p_pass * self.wrong_fail, (1 - p_pass) * self.wrong_pass)

    def decides_pass(self, p_pass: Float64) -> NDArray[np.bool_]:
        """The cheaper decision, without asking."""
        return np.asarray(p_pass * self.wrong_fail > (1 - p_pass) * self.wrong_pass)

    def of_deciding(self, p_pass: Float64, passed: Float64) -> Float64:
        """Cost of the cheaper decision per item, given what people say."""
        decided = self.decides_pass(p_pass)
        return np.where(decided, (1 - passed) * self.wrong_pass, passed * self.wrong_fail)


@dataclass(frozen=True, slots=True)
class AskingCosts:
    """What asking costs, in any unit.

    Attributes:
        judge: one call of the judge.
        rating: one rating by a person.
    """

    judge: float
    rating: float

    def __post_init__(self) -> None:
        if not (self.judge >= 0 and self.rating > 0):
            got = f"{self.judge:g} and {self.rating:g}"
            raise UserError("a call for 0 or more and a rating for more than 0", got, "--judge-cost, --rating-cost")

    @classmethod
    def parse(cls, judge: float | None, rating: float | None) -> AskingCosts | None:
        """From the command line: both or neither.

        Raises:
            UserError: one of them, or a price below 0.
        """
        if judge is None and rating is None:
            return None
        if judge is None or rating is None:
            one = "--judge-cost" if rating is None else "--rating-cost"
            raise UserError("--judge-cost and --rating-cost together", f"{one} alone")
        return cls(judge, rating)

    @property
    def price(self) -> float:
        """A call in ratings."""
        return self.judge / self.rating


def residual_costs(order: NDArray[np.intp], cost: Float64) -> Float64:
    """Mean cost per item after the first k items of the order were asked, k = 0 … N: N + 1 values, falling to 0."""
    left = np.concatenate([[0.0], np.cumsum(cost[order[::-1]])])[::-1]
    return np.asarray(left / len(cost))


def order_by_saving(p_pass: Float64, costs: DecisionCosts) -> NDArray[np.intp]:
    """Largest expected saving first; ties keep the order of the table."""
    return np.argsort(-costs.expected_saving(p_pass), kind="stable")


def order_by_uncertainty(p_pass: Float64) -> NDArray[np.intp]:
    """Closest to 50 % first, whatever the costs."""
    return np.argsort(np.abs(p_pass - 0.5), kind="stable")
