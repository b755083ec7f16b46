"""Which items get evidence pictures, and the files."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edit_metrics.choices import EvidenceLevel
from edit_metrics.config import Config
from edit_metrics.dimensions.order import to_priorities
from edit_metrics.evidence.drawing import marks_record, to_webp
from edit_metrics.evidence.files import EVIDENCE_NAME, boxes_name, evidence_name
from edit_metrics.evidence.registry import Evidence, all_evidence
from edit_metrics.io.atomic import write_bytes, write_json
from edit_metrics.one_grid import check_grids
from edit_metrics.scores.codes import low_confidence
from edit_metrics.scores.priority import PriorityRow, broken_codes, watched_metrics
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.types import DIMENSIONS, RGB

WEAK: Final = 0.5
"""A dimension with a lower score makes its item one to look at; the rubric's own threshold of passing."""

Values = Mapping[str, Any]


class EvidenceWriter:
    """Called by the scorer with each item; writes ``evidence/<hash of id>-<kind>.webp`` under the run folder.

    Args:
        config: what is computed.
        computed: names of the base inputs and features that are: a picture that needs another one is not drawn.
        folder: the run folder.
        level: ``flagged`` (see :func:`is_worth_a_look`) or ``all``.
    """

    def __init__(self, config: Config, computed: Collection[str], folder: Path, level: EvidenceLevel) -> None:
        self._config = config
        self._folder = folder / EVIDENCE_NAME
        self._level = level
        self._pictures = [one for one in all_evidence().values() if one.can_be_drawn(computed)]
        check_grids(self._pictures)

    @property
    def needs(self) -> frozenset[str]:
        """Features that must still be there when it is called."""
        return frozenset(name for one in self._pictures for name in one.needs)

    def __call__(self, scored: ScoredItem, values: Values) -> None:
        """Write the pictures of one item, and take away those of an earlier attempt that no longer hold."""
        wanted = self._level == EvidenceLevel.ALL or is_worth_a_look(scored, self._config)
        drawn = dict(self._drawn(scored, values)) if wanted else {}
        for kind in all_evidence():
            path = self._folder / evidence_name(scored.item.id, kind)
            if kind in drawn:
                write_bytes(to_webp(drawn[kind]), path)
            else:
                path.unlink(missing_ok=True)
        boxes = self._folder / boxes_name(scored.item.id)
        # A picture that failed was said; its boxes would fail for the same reason.
        found = {one.name: one.mark(values) for one in self._pictures if one.name in drawn}
        marks = {name: one for name, one in found.items() if one is not None}
        if marks:
            write_json(marks_record(marks), boxes)
        else:
            boxes.unlink(missing_ok=True)

    def _drawn(self, scored: ScoredItem, values: Values) -> Iterator[tuple[str, RGB]]:
        for one in self._pictures:
            picture = _draw(one, scored, values)
            if picture is not None:
                yield one.name, picture


def is_worth_a_look(scored: ScoredItem, config: Config) -> bool:
    """Flagged, infeasible, unsafe, weak or uncertain in some dimension, or with a measurement that broke."""
    prescores, flags = scored.scores.prescores, scored.scores.flags
    scores = [prescore.score for prescore in prescores.values() if prescore.score is not None]
    gated = [prescores[name].score for name in ("feasibility", "safety")]
    if flags or min(scores, default=0.0) < WEAK or any(score is not None and score < 1 for score in gated):
        return True
    watched = [name for name in watched_metrics(config) if name in scored.measurements]
    broken = broken_codes(prescores, {name: scored.measurements[name].status for name in watched})
    (place,) = to_priorities([PriorityRow(flags, broken, prescores, scored.group)], config)
    return bool(broken) or not {low_confidence(name) for name in DIMENSIONS}.isdisjoint(place.reasons)


def _draw(one: Evidence, scored: ScoredItem, values: Values) -> RGB | None:
    try:
        return one.draw(values)
    except Exception as error:
        # A picture that cannot be drawn must not cost the run its scores.
        message = f"{type(error).__name__}: {error}"
        warnings.warn(f"no {one.name} evidence for {scored.item.id!r}: {message}", RuntimeWarning, stacklevel=2)
        return None
