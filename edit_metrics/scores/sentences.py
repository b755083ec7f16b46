"""One item in one sentence: what a person reads before they look, on the page, on the terminal and in a notebook."""

from __future__ import annotations

from typing import Final

from edit_metrics.scores.items import Item, Score
from edit_metrics.scores.words import flag_in_words, in_words, status_in_words

_ABOUT_METRICS: Final = ("low_", "missing_", "near_")
"""Reasons that name a measurement, not the picture."""


def worst_in_words(item: Item) -> str:
    """Why an item is among the worst: its flags, or its weakest dimension, with the first reason; else what is missing.

    Returns:
        For example ``Preservation 0.12: The change reaches far outside of the mask.``
    """
    scored = [(one.score, name) for name, one in item.scores.items() if one.score is not None]
    weakest = min(scored, default=None)
    if item.flags:
        head = _capital(", ".join(flag_in_words(flag) for flag in item.flags))
        reasons = () if weakest is None else item.scores[weakest[1]].reasons
        # What pulled the score down is what the flag says already; a fact beside it (a broken file) is news.
        news = [code for code in reasons if not code.startswith(_ABOUT_METRICS) and code not in item.flags]
        return _with_reason(head, tuple(news))
    if weakest is None:
        causes = [*item.broken, *item.unscored]
        if not causes:
            return "Nothing was scored."
        return _with_reason(f"Not scored, {status_in_words(causes[0].status)}", causes[0].reasons)
    score, name = weakest
    reasons = item.scores[name].reasons
    # First what pulled it down or what is known of the item, not which of several measurements is missing.
    telling = [code for code in reasons if not code.startswith("missing_")]
    return _with_reason(f"{_capital(name)} {score:.2f}", tuple(telling or reasons))


def score_in_words(name: str, one: Score) -> str:
    """One dimension of one item: ``0.23: reasons``, or why there is no score."""
    why = " ".join(map(in_words, one.reasons))
    if one.score is None:
        return f"{name}: no score, {status_in_words(one.status)}{f'. {why}' if why else '.'}"
    return f"{name} {one.score:.2f}{f': {why}' if why else '.'}"


def _with_reason(head: str, reasons: tuple[str, ...]) -> str:
    return f"{head}: {in_words(reasons[0])}" if reasons else f"{head}."


def _capital(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}"
