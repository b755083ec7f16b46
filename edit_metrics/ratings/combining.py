"""Several batches of ratings as one: equal rows once, contradictions refused, draws kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from edit_metrics.errors import TableError
from edit_metrics.ratings.draws import Draw
from edit_metrics.ratings.scale import Scale
from edit_metrics.ratings.table import Ratings

_KEY: Final = ["id", "rater", "dimension"]


def combine_ratings(batches: Sequence[Ratings], names: Sequence[str]) -> Ratings:
    """All ratings of all batches; what an export of a later batch repeats counts once.

    Args:
        batches: one or more.
        names: of the files, for error messages.

    Raises:
        TableError: scales that differ, one rater with two ratings of an item and dimension, or probabilities of several
            files, which say nothing about items that both could have drawn.
    """
    if len(batches) == 1:
        return batches[0]
    scale = _one_scale(batches, names)
    frame = pd.concat([one.frame for one in batches], ignore_index=True)
    # A batch with fewer optional columns leaves gaps, which would turn true and false into objects.
    if "not_applicable" in frame:
        frame["not_applicable"] = frame["not_applicable"].eq(True)
    frame = frame.drop_duplicates([*_KEY, "rating"])
    twice = frame[frame.duplicated(_KEY, keep=False)]
    if len(twice):
        first = ", ".join(twice.iloc[0][_KEY])
        raise TableError(
            "one rating an item, rater and dimension over all files",
            f"{twice.groupby(_KEY).ngroups} rated differently, first ({first})",
            ", ".join(names),
            "Keep one of them, or import the exports together: `ratings import A B --repeated latest`.",
        )
    _check_probabilities(batches, names)
    return Ratings(frame.reset_index(drop=True), scale, merged_draws([one.draws for one in batches]))


def merged_draws(draws: Sequence[Sequence[Draw]]) -> tuple[Draw, ...]:
    """Every draw once, in order of first appearance."""
    return tuple({draw.name: draw for several in draws for draw in several}.values())


def _one_scale(batches: Sequence[Ratings], names: Sequence[str]) -> Scale:
    """The declared one; scales that were only observed are joined, unless one is declared."""
    declared = [(one.scale, name) for one, name in zip(batches, names, strict=True) if one.scale.declared]
    if not declared:
        return Scale.observed(pd.concat([one.frame["rating"] for one in batches]).dropna().to_numpy())
    scale, where = declared[0]
    for other, name in declared[1:]:
        if other != scale:
            raise TableError(f"ratings on one scale: {scale} in {where}", f"{other} in {name}", name)
    for one, name in zip(batches, names, strict=True):
        if not scale.contains(one.frame["rating"].dropna().to_numpy()).all():
            raise TableError(f"ratings on the scale {scale} of {where}", "others", name)
    return scale


def _check_probabilities(batches: Sequence[Ratings], names: Sequence[str]) -> None:
    drawn = [name for one, name in zip(batches, names, strict=True) if one.inclusion_probabilities() is not None]
    if len(drawn) > 1 or (drawn and any(one.draws for one in batches)):
        raise TableError(
            "the draws of several batches",
            "columns inclusion_prob alone, which do not say what an item's chance was over all of them",
            ", ".join(drawn),
            "Import each batch with --queue TRIAGE_FOLDER, or give one file.",
        )
