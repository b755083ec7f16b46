"""Evidence pictures while a run goes on: which items get them, and which features they are drawn from.

Drawn from the features that the plan computes anyway, in the moment before they are let go; no score depends on it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from edit_metrics.dimensions.order import to_priorities
from edit_metrics.engine.plan import Plan
from edit_metrics.io.atomic import write_bytes
from edit_metrics.metrics.character import box_overlap
from edit_metrics.report import evidence
from edit_metrics.report.evidence import Box, evidence_name
from edit_metrics.scores.priority import PriorityRow, watched_metrics
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.types import RGB, Float32, Missing, Status

LEVELS: Final = ("none", "flagged", "all")
FEATURES: Final = (
    "source", "edited", "edited_native", "mask", "whole_change_map", "lpips_maps", "ssim_map", "source_faces",
    "edited_faces", "face_matches", "source_text", "edited_text",
)  # fmt: skip
"""What the pictures are drawn from; each is optional."""
WEAK: Final = 0.5
"""A dimension with a lower score makes its item one to look at."""

Values = Mapping[str, Any]


class EvidenceWriter:
    """Called by the scorer with each item; writes ``evidence/<hash of id>-<kind>.webp`` under the run folder.

    Args:
        plan: what is computed.
        backends: for the likeness of faces.
        folder: the run folder.
        level: ``flagged`` (see :func:`is_worth_a_look`) or ``all``.
    """

    def __init__(self, plan: Plan, backends: Mapping[str, Any], folder: Path, level: str) -> None:
        self._plan = plan
        self._faces = backends.get("faces")
        self._folder = folder / "evidence"
        self._level = level

    def __call__(self, scored: ScoredItem, values: Values) -> None:
        """Write the pictures of one item, and take away those of an earlier attempt that no longer hold."""
        wanted = self._level == "all" or is_worth_a_look(scored, self._plan)
        drawn = dict(self._pictures(scored, values)) if wanted else {}
        for kind in evidence.KINDS:
            path = self._folder / evidence_name(scored.item.id, kind)
            if kind in drawn:
                write_bytes(evidence.to_webp(drawn[kind]), path)
            else:
                path.unlink(missing_ok=True)

    def _pictures(self, scored: ScoredItem, values: Values) -> Iterator[tuple[str, RGB]]:
        there = {name: value for name, value in values.items() if not isinstance(value, Missing)}
        if "source" not in there:
            return
        for kind, draw in _DRAWN.items():
            try:
                picture = draw(there, self._faces)
            except Exception as error:
                # A picture that cannot be drawn must not cost the run its scores.
                message = f"{type(error).__name__}: {error}"
                warnings.warn(f"no {kind} evidence for {scored.item.id!r}: {message}", RuntimeWarning, stacklevel=2)
                continue
            if picture is not None:
                yield kind, picture


def is_worth_a_look(scored: ScoredItem, plan: Plan) -> bool:
    """Flagged, infeasible, weak or uncertain in some dimension, or with a measurement that broke."""
    scores = [prescore.score for prescore in scored.scores.prescores.values() if prescore.score is not None]
    gated = [scored.scores.prescores[name].score for name in ("feasibility", "safety")]
    below = any(score is not None and score < 1 for score in gated)
    if scored.scores.flags or min(scores, default=0.0) < WEAK or below:
        return True
    alarming = (Status.FAILED, Status.UNDEFINED)
    broken = [
        n
        for n in watched_metrics(plan.config)
        if n in scored.measurements and scored.measurements[n].status in alarming
    ]
    row = PriorityRow(scored.scores.flags, tuple(broken), scored.scores.prescores, scored.group)
    reasons = to_priorities([row], plan.config)[0].reasons
    return any(reason.startswith(("missing:", "low_confidence:")) for reason in reasons)


def _draw_change(values: Values, _: Any) -> RGB | None:
    changes = values.get("whole_change_map")
    if changes is None:
        return None
    return evidence.change_picture(values["source"], changes.difference, changes.changed, values.get("mask"))


def _draw_mask(values: Values, _: Any) -> RGB | None:
    mask = values.get("mask")
    return None if mask is None else evidence.mask_picture(values["source"], mask)


def _draw_lpips(values: Values, _: Any) -> RGB | None:
    pair = values.get("lpips_maps")
    if pair is None:
        return None
    source: RGB = values["source"]
    heat = evidence.lpips_heat(pair.layer_maps, (source.shape[0], source.shape[1]))
    mask = values.get("mask")
    return evidence.heat_picture(source, heat, evidence.LPIPS_TOP, None if mask is None else ~mask)


def _draw_ssim(values: Values, _: Any) -> RGB | None:
    found = values.get("ssim_map")
    if found is None:
        return None
    return evidence.heat_picture(values["source"], 1 - np.clip(found.values, 0, 1), 1.0, found.weights >= WEAK)


def _draw_text(values: Values, _: Any) -> RGB | None:
    lines = [values.get(name) or () for name in ("source_text", "edited_text")]
    if not any(lines) or "edited_native" not in values:
        return None
    before, after = ([Box(line.box, line.text) for line in found] for found in lines)
    return evidence.boxes_picture(values["source"], values["edited_native"], before, after)


def _draw_faces(values: Values, analyzer: Any) -> RGB | None:
    before, after = values.get("source_faces"), values.get("edited_faces")
    if analyzer is None or before is None or after is None or not (len(before) or len(after)):
        return None
    pairs = _pairs(before, after, analyzer, "edited" in values)
    matches = values.get("face_matches")
    if matches is not None and matches.excused_known:
        pairs = {}
    left = [Box(_box(face), _face_label(i, pairs.get(i)), i in pairs) for i, face in enumerate(before)]
    numbers = {column: row for row, (column, _) in pairs.items()}
    right = [
        Box(_box(face), f"{numbers[i] + 1}" if i in numbers else "new", i in numbers) for i, face in enumerate(after)
    ]
    return evidence.boxes_picture(values["source"], values.get("edited", values["edited_native"]), left, right)


def _box(face: Float32) -> tuple[float, float, float, float]:
    left, top, right, bottom = (float(value) for value in face[:4])
    return left, top, right, bottom


def _face_label(index: int, pair: tuple[int, float] | None) -> str:
    return f"{index + 1}: lost" if pair is None else f"{index + 1}: likeness {pair[1]:.2f}"


def _pairs(before: Float32, after: Float32, analyzer: Any, same_grid: bool) -> dict[int, tuple[int, float]]:
    """Face of S → face of E and their likeness, as ``character`` assigns them: by likeness, helped by the boxes."""
    if not (len(before) and len(after)):
        return {}
    from scipy.optimize import linear_sum_assignment

    likeness = np.asarray(analyzer.similarity(before[:, 5:], after[:, 5:]), np.float64)
    gain = likeness + 0.1 * box_overlap(before[:, :4], after[:, :4]) if same_grid else likeness
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {int(r): (int(c), float(likeness[r, c])) for r, c in zip(rows, columns, strict=True)}


_DRAWN: Final[Mapping[str, Callable[[Values, Any], RGB | None]]] = {
    "change": _draw_change,
    "mask": _draw_mask,
    "lpips": _draw_lpips,
    "ssim": _draw_ssim,
    "faces": _draw_faces,
    "text": _draw_text,
}
