"""Flags of two runs, paired."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edit_metrics.compare.changes import items_at
from edit_metrics.compare.gate_config import JUDGED_FLAGS, GateConfig
from edit_metrics.compare.matching import Matched
from edit_metrics.compare.pairing import Units
from edit_metrics.compare.verdict import FlagVerdict, Outcome, PairedFlag
from edit_metrics.errors import ConfigError, suggest
from edit_metrics.scores.cells import codes, is_missing
from edit_metrics.scores.columns import FLAGS
from edit_metrics.scores.words import known_flags
from edit_metrics.types import Float64


@dataclass(frozen=True, slots=True)
class NewlyFlagged:
    """An item that carries a flag now and did not, or in fewer of its samples; pictures as the tables name them."""

    flag: str
    id: str
    group: str
    instruction: str
    source: str
    reference_edited: str
    edited: str


@dataclass(frozen=True, slots=True)
class Flags:
    """What there is to judge.

    Attributes:
        pairs: judged flags of tables that both have a column of them.
        undecided: verdicts on flags that one table has no column for.
        newly: the items, by flag.
    """

    pairs: tuple[PairedFlag, ...] = ()
    undecided: tuple[FlagVerdict, ...] = ()
    newly: tuple[NewlyFlagged, ...] = ()


def read_flags(matched: Matched, config: GateConfig) -> Flags:
    """Pair the flags that the config judges.

    Raises:
        ConfigError: it names a flag that this program does not know and neither table has.
    """
    before, after = (_carriers(units) for units in (matched.reference, matched.other))
    for name in config.flags:
        known = {*known_flags(), *JUDGED_FLAGS, *(before or ()), *(after or ())}
        if name not in known:
            raise ConfigError(
                "a flag that this program or one of the tables knows", repr(name), "gate: flags", suggest(name, known)
            )
    if before is None and after is None:
        return Flags()
    if after is None:
        reasons, outcome = ("no_flags_in_candidate",), Outcome.INCONCLUSIVE
    elif before is None:
        reasons, outcome = ("no_flags_in_baseline",), Outcome.NOT_JUDGED
    else:
        pairs = [_paired(matched, name, before, after) for name in config.flags]
        return Flags(tuple(pairs), newly=tuple(row for pair in pairs for row in _newly(matched, pair)))
    return Flags(undecided=tuple(FlagVerdict(name, outcome, reasons) for name in config.flags))


def _carriers(units: Units) -> dict[str, NDArray[np.intp]] | None:
    """Flag → rows of the table that carry it; None for a table without flags."""
    import pandas as pd

    if FLAGS not in units.run.frame.columns:
        return None
    # Cells repeat: each different one is taken apart once.
    number, cells = pd.factorize(units.run.frame[FLAGS])
    found: dict[str, list[int]] = {}
    for index, cell in enumerate(cells):
        for flag in () if is_missing(cell) else codes(cell):
            found.setdefault(flag, []).append(index)
    return {flag: np.flatnonzero(np.isin(number, indices)) for flag, indices in found.items()}


def _paired(
    matched: Matched, name: str, before: dict[str, NDArray[np.intp]], after: dict[str, NDArray[np.intp]]
) -> PairedFlag:
    ours = matched.ours(_share(matched.reference, before.get(name)))
    theirs = matched.theirs(_share(matched.other, after.get(name)), 0.0)
    return PairedFlag(name, ours, theirs, matched.codes)


def _share(units: Units, rows: NDArray[np.intp] | None) -> Float64:
    flagged = np.zeros(len(units.run.frame), dtype=bool)
    flagged[rows if rows is not None else []] = True
    return units.share(flagged)


def _newly(matched: Matched, pair: PairedFlag) -> list[NewlyFlagged]:
    positions = np.flatnonzero(pair.candidate > pair.baseline)
    return [
        NewlyFlagged(pair.name, one.id, one.group, one.instruction, one.source, one.reference_edited, one.edited)
        for one in items_at(matched, positions)
    ]
