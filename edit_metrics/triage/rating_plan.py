"""The plan of a next batch as a value, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from edit_metrics.triage.policy import LowestError
from edit_metrics.triage.risk import Side


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """One model's way to eligibility.

    Attributes:
        rated: random ratings.
        needed: fewest of them.
        draw: random ratings of all models together that hold so many of it, with ``POWER``; None: it has too few items.
    """

    model: str
    items: int
    rated: int
    needed: int
    draw: int | None


@dataclass(frozen=True, slots=True)
class SidePlan:
    """One side's way to a first automatic decision.

    Attributes:
        draw: random ratings that show an error below the promised one with ``POWER``; None: not by ``limit``.
        limit: the largest number that was tried.
        lowest: the lowest error of each tier among the ratings that are there.
    """

    side: Side
    draw: int | None
    limit: int
    lowest: tuple[LowestError, ...]


@dataclass(frozen=True, slots=True)
class RatingPlan:
    """The next batch.

    Attributes:
        items: that can be rated.
        random: random ratings that are complete.
        target: random ratings after which something can be decided; None: no number is enough, see ``sides``.
        unfinished: items of earlier draws that nobody has rated: they come first, or their draws do not count.
        missing: raters that half-rated and disputed items still need.
        audit: share for ``triage --audit`` that brings the rest; 0: no further draw.
        ratings: to collect in all: items × raters × dimensions.
        seconds: median time of a rating; None where no rating has one.
        cost: in the unit of the price; None without one.
    """

    models: tuple[ModelPlan, ...]
    sides: tuple[SidePlan, ...]
    items: int
    random: int
    target: int | None
    unfinished: int
    missing: int
    audit: float
    ratings: int
    seconds: float | None
    cost: float | None

    @property
    def hours(self) -> float | None:
        """Of all ratings; None where no rating has a time."""
        return None if self.seconds is None else self.ratings * self.seconds / 3600


def words(plan: RatingPlan, max_error: float) -> list[str]:
    """The plan in sentences, in the order in which to act."""
    said = []
    if plan.unfinished:
        said.append(f"Finish the draws first: {plan.unfinished} drawn items are not rated, and until then none counts.")
    if plan.missing:
        said.append(f"{plan.missing} further raters for items that are half rated or disputed.")
    for one in plan.sides:
        if one.draw is None:
            lowest = ", ".join(f"{best.n_wrong} of {best.n_decided} wrong by the {best.tier}" for best in one.lowest)
            most = f"not by {one.limit} random ratings (at best {lowest or 'too few are decided'}"
            said.append(f"auto-{one.side}: {most}; {max_error:.1%} promised).")
        else:
            said.append(f"auto-{one.side}: about {one.draw} random ratings show an error below {max_error:.1%}.")
    if plan.target is None:
        reason = "with these scores" if plan.sides else "no model has as many items as are needed"
        return [*said, f"No automatic decision is in reach: {reason}."]
    if not plan.audit:
        return [*said, f"{plan.random} random ratings are there, {plan.target} are needed: no further draw."]
    said.append(
        f"{plan.random} random ratings are there, about {plan.target} are needed for a first automatic decision: "
        f"triage --audit {plan.audit:g}{' --exclude-rated RATINGS' if plan.random else ''} draws the rest."
    )
    return said


def to_json(plan: RatingPlan) -> Mapping[str, object]:
    """A JSON record."""
    return {**asdict(plan), "hours": plan.hours}
