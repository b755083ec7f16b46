"""Confidence as a claim that can be checked: what rated edits support, and no more."""

from __future__ import annotations

from typing import Final

UNVALIDATED: Final = 0.2
"""The most that may be claimed where too few rated edits were there to check it."""
MIN_ITEMS: Final = 30
MIN_GROUPS: Final = 20


def supported_confidence(low: float, items: int, groups: int) -> float:
    """How sure a kind of score may be of itself: c = 2·L − 1, clipped to [0, 1].

    At c = 0 the scores put rated edits in order no better than chance, at 1 always; one human rater against the mean of
    the others reaches about .4 (docs/validity.md).

    Args:
        low: L, the lower 90 % bound (bootstrap over groups) of the share of pairs of rated edits, within one set, that
            the scores put in the raters' order; pairs tied in the ratings left out, a tie in the scores counted half.
        items: rated edits behind it.
        groups: sources among them.

    Returns:
        With fewer than 30 items or 20 groups the claim is unvalidated, whatever they say: .2, a cap.
    """
    if not validated(items, groups):
        return UNVALIDATED
    return min(max(2 * low - 1, 0.0), 1.0)


def validated(items: int, groups: int) -> bool:
    """Whether there were enough rated edits for a claim beyond .2."""
    return items >= MIN_ITEMS and groups >= MIN_GROUPS
