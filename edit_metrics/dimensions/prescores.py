"""Measurements to pre-scores, flags and summary of one item."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from edit_metrics.config import Anchors, ConfidenceConfig, Config, Curve, DimensionConfig, Flag, ceiling
from edit_metrics.scores import codes
from edit_metrics.scores.columns import dimension_of, short_name
from edit_metrics.types import DIMENSIONS, ItemScores, Measurement, Overall, PreScore, Status

FACT: Final = 0.9
"""Confidence from which a gate claims a fact, which no opinion overrides: equal pixels, a blank picture."""
FACT_KIND: Final = "fact"
"""The kind of scores that a fact settles; they claim 1, by test."""
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
    decided = _deciding(section, measurements)
    fired = _fired(section, measurements, decided)
    if fired is not None:
        gate = section.gates[fired]
        causes = measurements[fired].cautions
        if gate.confidence >= FACT:
            return PreScore(gate.score, gate.confidence, Status.OK, (fired, *causes))
        confidence, reasons = _cap(section, gate.confidence)
        return PreScore(gate.score, confidence, Status.OK, (fired, *causes, *reasons))
    for name in section.required:
        if measurements[name].value is None:
            return PreScore(None, None, measurements[name].status, (codes.short_cause(measurements[name].reason),))
    asked = decided or _undecided(section)
    values = _values(section, measurements, asked)
    limits = _values(section, measurements, section.limits)
    for name in limits:
        values.pop(name, None)
    if not values and not limits:
        return _unscored(section, measurements)
    score = sum(values.values()) / len(values) if decided else _combined(section, values)
    lowest = min(limits, key=limits.__getitem__, default=None)
    if lowest is not None and limits[lowest] < score:
        # What was measured to be broken bounds an opinion, with the trust that the measurement has.
        score = limits[lowest]
        values, asked = {lowest: score}, (lowest,)
    confidence, causes = _confidence(section, rules, measurements, values, score, asked)
    if not decided:
        confidence, capped = _cap(section, confidence)
        causes += capped
    weakest = min(values, key=values.__getitem__)
    low = (codes.pulled_down_by(weakest),) if values[weakest] < rules.threshold else ()
    return PreScore(score, confidence, Status.OK, (*low, *causes))


def kind_of_score(section: DimensionConfig, measurements: Mapping[str, Measurement]) -> str | None:
    """What a dimension's score rests on: :data:`FACT_KIND`, or the kind of the first of its curves that speaks.

    Args:
        section: the dimension's gates and curves.
        measurements: as for :func:`to_prescore`.

    Returns:
        None where there is no score; an empty text where the curve has no kind.
    """
    decided = _deciding(section, measurements)
    fired = _fired(section, measurements, decided)
    if fired is not None:
        return FACT_KIND if section.gates[fired].confidence >= FACT else ""
    names = _values(section, measurements, (*(decided or _undecided(section)), *section.limits))
    return None if not names else _kind(section, names)


def _kind(section: DimensionConfig, names: Collection[str]) -> str:
    return next(curve.kind for name, curve in section.curves.items() if name in names)


def _deciding(section: DimensionConfig, measurements: Mapping[str, Measurement]) -> tuple[str, ...]:
    """Of the first group of metrics that decide alone, those that speak without a caution; empty where none does."""
    for group in section.decides:
        clear = tuple(name for name in group if not measurements[name].cautions)
        if speaking := tuple(_values(section, measurements, clear)):
            return speaking
    return ()


def _undecided(section: DimensionConfig) -> tuple[str, ...]:
    """Curves that speak where no metric decides: those of metrics that could have decided do not."""
    deciding = {name for group in section.decides for name in group}
    return tuple(name for name in section.curves if name not in deciding)


def _fired(section: DimensionConfig, measurements: Mapping[str, Measurement], decided: Collection[str]) -> str | None:
    """The first gate that fires; one that claims less than a fact gives way to metrics that decide."""
    for name, gate in section.gates.items():
        value = measurements[name].value
        if value is not None and gate.fires(value) and (gate.confidence >= FACT or not decided):
            return name
    return None


def _values(
    section: DimensionConfig, measurements: Mapping[str, Measurement], names: Iterable[str]
) -> dict[str, float]:
    """Curve → its score, of those that speak; a limit speaks only below what it is to let through."""
    return {
        name: apply_curve(section.curves[name].anchors, _value(measurements[name]))
        for name in names
        if section.curves[name].speaks(measurements[name].value)
    }


def to_overall(prescores: Mapping[str, PreScore]) -> Overall:
    """Weakest dimension and geometric mean of those whose score claims something: confidence 0 means no order."""
    scores = [p.score for p in prescores.values() if p.score is not None and p.confidence]
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


def _combined(section: DimensionConfig, values: Mapping[str, float]) -> float:
    """By the section's rule; 1 where there are none, for limits to bound."""
    if section.combine == "mean":
        return _weighted_mean(values, section.curves)
    weakest = min(values.values(), default=1.0)
    return (1 - section.others) * weakest + section.others * math.prod(values.values())


def _weighted_mean(values: Mapping[str, float], curves: Mapping[str, Curve]) -> float:
    """By trust; 1 where there are none, for limits to bound."""
    if not values:
        return 1.0
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
    if section.otherwise and status is not Status.FAILED:
        return PreScore(None, None, Status.UNAVAILABLE, (section.otherwise,))
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
    asked: Sequence[str],
) -> tuple[float, tuple[str, ...]]:
    kind = _kind(section, values)
    confidence = ceiling(kind, [section.curves[name].trust for name in values], section.claims)
    reasons: list[str] = []
    if kind and (kind not in section.claims or not section.claims[kind].validated):
        reasons.append(codes.UNVALIDATED)
    elif confidence == 0:
        reasons.append(codes.NO_ORDER)

    def lower(factor: float, reason: str) -> None:
        nonlocal confidence
        confidence *= factor
        if factor < 1:
            reasons.append(reason)

    for name in asked:
        status = measurements[name].status
        # What does not apply is not missed; what the profile cannot compute is in the cap, said once.
        if status in (Status.UNDEFINED, Status.FAILED):
            lower(rules.missing, codes.missing_curve(name))
    cautions = [code for name in values for code in measurements[name].cautions]
    for code in dict.fromkeys(cautions):
        lower(rules.cautions.get(code, rules.other_caution), code)
    # Under the weakest each curve sees another damage: that one is low and another high is no contradiction.
    of_one_thing = section.combine == "mean" or set(asked) <= {name for group in section.decides for name in group}
    if of_one_thing and max(values.values()) - min(values.values()) > rules.disagreement:
        lower(rules.disagreement_factor, codes.METRICS_DISAGREE)
    if abs(score - rules.threshold) < rules.threshold_margin:
        lower(rules.threshold_factor, codes.NEAR_THRESHOLD)
    return confidence, tuple(reasons)
