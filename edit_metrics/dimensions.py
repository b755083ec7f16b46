"""Measurements to pre-scores, pre-scores to an order for people. Pure: no pictures, no models, no files."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import pyarrow as pa

from edit_metrics.config import Anchors, ConfidenceConfig, Config, Curve, DimensionConfig, Flag
from edit_metrics.scores import codes
from edit_metrics.scores.priority import Priority, PriorityRow, priority_rows, priority_table
from edit_metrics.types import Measurement, PreScore, Status

_STATUS_ORDER = (Status.FAILED, Status.UNDEFINED, Status.UNAVAILABLE, Status.NOT_APPLICABLE)
"""When nothing can be scored, the most alarming status of the missing metrics names the dimension's."""


@dataclass(frozen=True, slots=True)
class Overall:
    """Two summaries side by side, over the dimensions that have a score.

    Attributes:
        minimum: the weakest dimension's score.
        geometric_mean: of all scored dimensions, equal weights.
    """

    minimum: float | None
    geometric_mean: float | None


def apply_curve(anchors: Anchors, value: float) -> float:
    """Piecewise linear between the anchors, flat outside them. Returns a score in [0, 1]."""
    xs, ys = zip(*anchors, strict=True)
    return float(np.interp(value, xs, ys))


def to_prescore(section: DimensionConfig, rules: ConfidenceConfig, measurements: Mapping[str, Measurement]) -> PreScore:
    """One dimension's pre-score.

    Args:
        section: the dimension's gates and curves.
        rules: how confidence falls.
        measurements: short metric name → measurement, for at least every gate and curve of the section.

    Returns:
        A score in [0, 1] (higher is better) with its confidence in [0, 1] and reason codes; or the status and the
        reasons of the metrics that are missing.
    """
    for name, gate in section.gates.items():
        value = measurements[name].value
        if value is not None and gate.fires(value):
            cap, reasons = _cap(section, gate.confidence)
            causes = measurements[name].cautions
            return PreScore(gate.score, cap, Status.OK, (name, *causes, *reasons))
    for name in section.required:
        if measurements[name].value is None:
            return PreScore(None, None, measurements[name].status, (codes.short_cause(measurements[name].reason),))
    scored = {n: c for n, c in section.curves.items() if measurements[n].value is not None}
    if not scored:
        return _unscored(section, measurements)
    values = {n: apply_curve(c.anchors, _value(measurements[n])) for n, c in scored.items()}
    score = min(values.values()) if section.combine == "min" else _weighted_mean(values, scored)
    confidence, causes = _confidence(section, rules, measurements, values, score)
    weakest = min(values, key=values.__getitem__)
    limits = (codes.pulled_down_by(weakest),) if values[weakest] < rules.threshold else ()
    return PreScore(score, confidence, Status.OK, (*limits, *causes))


def to_overall(prescores: Mapping[str, PreScore]) -> Overall:
    """Weakest dimension and geometric mean of those that have a score."""
    scores = [p.score for p in prescores.values() if p.score is not None]
    if not scores:
        return Overall(None, None)
    return Overall(min(scores), float(np.prod(scores) ** (1 / len(scores))))


def to_flags(flags: Mapping[str, Flag], measurements: Mapping[str, Measurement]) -> tuple[str, ...]:
    """Names of the flags whose metric has a value beyond the flag's bound."""
    raised = []
    for name, flag in flags.items():
        found = measurements.get(flag.metric)
        if found is not None and found.value is not None and flag.fires(found.value):
            raised.append(name)
    return tuple(raised)


def _value(measurement: Measurement) -> float:
    if measurement.value is None:
        raise ValueError("the measurement has no value")
    return measurement.value


def _weighted_mean(values: Mapping[str, float], curves: Mapping[str, Curve]) -> float:
    weights = [curves[name].trust for name in values]
    return float(np.average(list(values.values()), weights=weights))


def _cap(section: DimensionConfig, confidence: float) -> tuple[float, tuple[str, ...]]:
    if confidence > section.cap:
        return section.cap, (section.cap_reason,)
    return confidence, ()


def _unscored(section: DimensionConfig, measurements: Mapping[str, Measurement]) -> PreScore:
    needed = [measurements[name] for name in (*section.gates, *section.curves)]
    if not needed:
        return PreScore(None, None, Status.UNAVAILABLE, (codes.NOT_IN_PROFILE,))
    missing = [m for m in needed if m.value is None]
    status = next((s for s in _STATUS_ORDER if any(m.status is s for m in missing)), Status.NOT_APPLICABLE)
    causes = Counter(m.reason for m in missing if m.status is status)
    return PreScore(
        None, None, status, tuple(codes.short_cause(reason) for reason, _ in causes.most_common()) or (codes.NO_CURVE,)
    )


def _confidence(
    section: DimensionConfig,
    rules: ConfidenceConfig,
    measurements: Mapping[str, Measurement],
    values: Mapping[str, float],
    score: float,
) -> tuple[float, tuple[str, ...]]:
    confidence = max(section.curves[name].trust for name in values)
    reasons: list[str] = []

    def lower(factor: float, reason: str) -> None:
        nonlocal confidence
        confidence *= factor
        reasons.append(reason)

    for name in section.curves:
        status = measurements[name].status
        # What does not apply is not missed; what the profile cannot compute is in the cap, said once.
        if status in (Status.UNDEFINED, Status.FAILED):
            lower(rules.missing, codes.missing_curve(name))
    cautions = [code for name in values for code in measurements[name].cautions]
    for code in dict.fromkeys(cautions):
        lower(rules.cautions.get(code, rules.other_caution), code)
    if max(values.values()) - min(values.values()) > rules.disagreement:
        lower(rules.disagreement_factor, codes.METRICS_DISAGREE)
    if abs(score - rules.threshold) < rules.threshold_margin:
        lower(rules.threshold_factor, codes.NEAR_THRESHOLD)
    confidence, capped = _cap(section, confidence)
    return confidence, (*reasons, *capped)


@dataclass(frozen=True, slots=True)
class _Place:
    lane: int
    order: tuple[float, ...]
    reasons: tuple[str, ...]


def table_priorities(table: pa.Table, config: Config) -> pa.Table:
    """The two priority columns of a table, from its other columns (:func:`priority_columns`) alone."""
    return priority_table(to_priorities(priority_rows(table, config), config))


def to_priorities(rows: Sequence[PriorityRow], config: Config) -> list[Priority]:
    """Order without a calibration: gates, then missing, then uncertain, then weak; ties spread over groups.

    Lanes: unsafe, infeasible, failed or missing measurements, low confidence, everything else. Inside a lane the more
    broken, then the less certain, then the weaker item comes first.
    """
    places = [_place(row, config) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: (places[i].lane, places[i].order, i))
    spread: list[int] = []
    for _, tied in groupby(order, key=lambda i: (places[i].lane, places[i].order)):
        spread.extend(_spread_over_groups(list(tied), rows))
    ranks = {index: rank for rank, index in enumerate(spread, start=1)}
    return [Priority(ranks[i], places[i].reasons) for i in range(len(rows))]


def _spread_over_groups(tied: list[int], rows: Sequence[PriorityRow]) -> list[int]:
    turns: defaultdict[str, int] = defaultdict(int)
    keyed = []
    for index in tied:
        keyed.append((turns[rows[index].group], index))
        turns[rows[index].group] += 1
    return [index for _, index in sorted(keyed)]


def _place(row: PriorityRow, config: Config) -> _Place:
    scores = {d: p.score for d, p in row.prescores.items() if p.score is not None}
    weakest = min(scores, key=scores.__getitem__) if scores else None
    certainty = {d: _relative_confidence(p, config.dimension(d)) for d, p in row.prescores.items() if d in scores}
    uncertain = sorted(
        (d for d, share in certainty.items() if share < config.priority.low_confidence), key=certainty.__getitem__
    )
    reasons = [
        *(f for f in (codes.UNSAFE, codes.INFEASIBLE) if f in row.flags),
        *row.broken[:5],
    ]
    reasons += [codes.low_confidence(d) for d in uncertain]
    if weakest is not None:
        reasons.append(codes.weakest(weakest, scores[weakest]))
    lowest = min(certainty.values(), default=0.0) if uncertain else 1.0
    lane = (
        0 if codes.UNSAFE in row.flags
        else 1 if codes.INFEASIBLE in row.flags
        else 2 if row.broken
        else 3 if uncertain
        else 4
    )  # fmt: skip
    # Two decimals: what people cannot tell apart is a tie, to be spread over groups.
    order = (-float(len(row.broken)), round(lowest, 2), round(scores[weakest], 2) if weakest else 0.0)
    return _Place(lane, order, tuple(reasons))


def _relative_confidence(prescore: PreScore, section: DimensionConfig) -> float:
    return (prescore.confidence or 0.0) / section.reachable_confidence
