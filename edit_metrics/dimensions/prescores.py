"""Measurements to pre-scores, flags and summary of one item."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from edit_metrics.config import Anchors, ConfidenceConfig, Config, Curve, DimensionConfig, Flag
from edit_metrics.scores import codes
from edit_metrics.scores.columns import dimension_of, short_name
from edit_metrics.types import DIMENSIONS, ItemScores, Measurement, Overall, PreScore, Status

FACT: Final = 0.9
"""Confidence from which a gate claims a fact, which no opinion overrides: equal pixels, a blank picture."""
_STATUS_ORDER = (Status.FAILED, Status.UNDEFINED, Status.UNAVAILABLE, Status.NOT_APPLICABLE)
"""When nothing can be scored, the most alarming status of the missing metrics names the dimension's."""


def score_item(config: Config, measurements: Mapping[str, Measurement]) -> ItemScores:
    """All that follows from the measurements of one item.

    Args:
        config: curves, gates, flags.
        measurements: metric → measurement, for at least every gate, curve and requirement of the config; those of an
            infeasible item need only be there for feasibility and what runs all the same.
    """
    infeasible = is_infeasible(config, measurements)
    prescores = {
        name: PreScore(None, None, Status.NOT_APPLICABLE, (codes.INFEASIBLE,))
        if infeasible and name != "feasibility" and name not in config.run_if_infeasible
        else _prescore(config, name, measurements)
        for name in DIMENSIONS
    }
    flags = to_flags(config.flags, measurements)
    return ItemScores(prescores, to_overall(prescores), (codes.INFEASIBLE, *flags) if infeasible else flags)


def is_infeasible(config: Config, measurements: Mapping[str, Measurement]) -> bool:
    """Whether there is nothing to rate: decided by feasibility alone, before anything else is measured."""
    return _prescore(config, "feasibility", measurements).score == 0


def _prescore(config: Config, dimension: str, measurements: Mapping[str, Measurement]) -> PreScore:
    own = {short_name(name): one for name, one in measurements.items() if dimension_of(name) == dimension}
    return to_prescore(config.dimension(dimension), config.confidence, own)


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
    decided = next((group for group in section.decides if any(_is_clear(measurements[n]) for n in group)), ())
    for name, gate in section.gates.items():
        value = measurements[name].value
        if value is not None and gate.fires(value) and (gate.confidence >= FACT or not decided):
            cap, reasons = _cap(section, gate.confidence)
            causes = measurements[name].cautions
            return PreScore(gate.score, cap, Status.OK, (name, *causes, *reasons))
    for name in section.required:
        if measurements[name].value is None:
            return PreScore(None, None, measurements[name].status, (codes.short_cause(measurements[name].reason),))
    if decided:
        return _decided(section, rules, measurements, decided)
    scored = {n: c for n, c in section.curves.items() if measurements[n].value is not None}
    if not scored:
        return _unscored(section, measurements)
    values = {n: apply_curve(c.anchors, _value(measurements[n])) for n, c in scored.items()}
    score = min(values.values()) if section.combine == "min" else _weighted_mean(values, scored)
    confidence, causes = _confidence(section.curves, rules, measurements, values, score)
    confidence, capped = _cap(section, confidence)
    causes += capped
    weakest = min(values, key=values.__getitem__)
    limits = (codes.pulled_down_by(weakest),) if values[weakest] < rules.threshold else ()
    return PreScore(score, confidence, Status.OK, (*limits, *causes))


def _decided(
    section: DimensionConfig, rules: ConfidenceConfig, measurements: Mapping[str, Measurement], group: Sequence[str]
) -> PreScore:
    """The score of the metrics that decide alone, under what was measured to be broken."""
    curves = {name: section.curves[name] for name in group}
    scored = {name: curve for name, curve in curves.items() if _is_clear(measurements[name])}
    values = {name: apply_curve(curve.anchors, _value(measurements[name])) for name, curve in scored.items()}
    score = sum(values.values()) / len(values)
    limits = {
        name: apply_curve(section.curves[name].anchors, _value(measurements[name]))
        for name in section.limits
        if measurements[name].value is not None
    }
    lowest = min(limits, key=limits.__getitem__, default=None)
    if lowest is not None and limits[lowest] < score:
        # A fact overrides an opinion, with the trust that the fact has.
        limit = {lowest: section.curves[lowest]}
        confidence, causes = _confidence(limit, rules, measurements, {lowest: limits[lowest]}, limits[lowest])
        return PreScore(limits[lowest], confidence, Status.OK, (codes.pulled_down_by(lowest), *causes))
    confidence, causes = _confidence(curves, rules, measurements, values, score)
    weakest = min(values, key=values.__getitem__)
    low = (codes.pulled_down_by(weakest),) if values[weakest] < rules.threshold else ()
    return PreScore(score, confidence, Status.OK, (*low, *causes))


def _is_clear(measurement: Measurement) -> bool:
    return measurement.value is not None and not measurement.cautions


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
    curves: Mapping[str, Curve],
    rules: ConfidenceConfig,
    measurements: Mapping[str, Measurement],
    values: Mapping[str, float],
    score: float,
) -> tuple[float, tuple[str, ...]]:
    confidence = max(curves[name].trust for name in values)
    reasons: list[str] = []

    def lower(factor: float, reason: str) -> None:
        nonlocal confidence
        confidence *= factor
        reasons.append(reason)

    for name in curves:
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
    return confidence, tuple(reasons)
