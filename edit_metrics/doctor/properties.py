"""Properties that hold for every metric, read from the trial's measurements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final

from edit_metrics.backends.torch_runtime import choose_device
from edit_metrics.computation import OUT_OF_BOUNDS
from edit_metrics.doctor import claims
from edit_metrics.doctor.cases import IDENTICAL
from edit_metrics.doctor.checks import Finding
from edit_metrics.doctor.trial import Trial
from edit_metrics.registry import Identity, Metric
from edit_metrics.types import Measurement, Missing, Status

_MOVED_CASE: Final = "shift_2"
_STEPS: Final = range(4)
_DONE: Final = 0.9
"""Of a check whose instruction was followed, drawn by hand: OCR and registration may be a little off."""
_GPU_ROUNDING: Final = 1e-5
"""Relative: float32, summed in another order."""
_ROUNDING: Final = 1e-5
"""Of float32: what a value may exceed its bounds by."""


def nothing_failed(trial: Trial) -> Finding:
    """No metric raised an exception or gave a number that is not finite."""
    problems = [
        f"{metric} of {case}: {found.reason}"
        for case, metric, found in _all(trial)
        if found.status is Status.FAILED
    ]  # fmt: skip
    return Finding(sum(1 for _ in _all(trial)), tuple(problems), "measurements without an exception")


def declared_bounds(trial: Trial) -> Finding:
    """Every value lies within the bounds that its metric declares; one far outside was made ``failed`` already."""
    bounds = {spec.name: spec.bounds for spec in trial.plan.metrics}
    values = [(case, metric, m.value) for case, metric, m in _all(trial) if m.value is not None]
    problems = [
        f"{metric} of {case} is {value:g}, declared {low} to {high}"
        for case, metric, value in values
        for low, high in (bounds[metric],)
        if (low is not None and value < low - _ROUNDING) or (high is not None and value > high + _ROUNDING)
    ]
    outside = [(case, metric, m.reason) for case, metric, m in _all(trial) if m.reason.startswith(OUT_OF_BOUNDS)]
    problems += [f"{metric} of {case}: {reason}" for case, metric, reason in outside]
    return Finding(len(values) + len(outside), tuple(problems), "values within declared bounds")


def identity_values(trial: Trial) -> Finding:
    """E = S gives every metric's own perfect value, or the reason why it has none."""
    problems: list[str] = []
    examined = 0
    for spec in trial.plan.metrics:
        declared = spec.identity
        if declared is None or isinstance(declared, str):
            continue
        cases = (_MOVED_CASE,) if is_of_moved_pictures(spec) else IDENTICAL
        scored = [case for case in cases if case in trial.scored]
        found = {case: m for case in scored if (m := trial.measurement(case, spec.name)) is not None}
        if all(m.value is None for m in found.values()) and any(m.status is Status.UNAVAILABLE for m in found.values()):
            continue  # its model is not part of the profile; the weights group says so where it should be there
        examined += 1
        problems += _identity_problems(spec.name, declared, found)
    foreign = [spec.name for spec in trial.plan.metrics if spec.identity is None]
    note = f"metrics on pairs of equal pictures (nothing is known of {', '.join(foreign)})" if foreign else ""
    return Finding(examined, tuple(problems), note or "metrics on pairs of equal pictures")


def is_of_moved_pictures(spec: Metric) -> bool:
    """Whether the metric's declared value is that of a picture which moved, and did nothing else."""
    return isinstance(spec.identity, Identity) and spec.identity.moved


def _identity_problems(name: str, declared: Identity | Missing, found: Mapping[str, Measurement]) -> Iterator[str]:
    if isinstance(declared, Missing):
        if not any(_is(m, declared) for m in found.values()) or any(m.value is not None for m in found.values()):
            yield f"{name}: expected {declared.status}({declared.reason}), got {_words(next(iter(found.values())))}"
        return
    if all(m.value is None for m in found.values()):
        yield f"{name}: no value on any of {', '.join(found)} ({_words(next(iter(found.values())))})"
    for case, m in found.items():
        if m.value is not None and abs(m.value - declared.value) > declared.within:
            yield f"{name} of {case}: expected {declared.value:g}, got {m.value:.6g}"


def symmetry(trial: Trial) -> Finding:
    """Where a metric claims it, S and E may change places; differences change their sign."""
    specs = trial.plan.metrics
    symmetric = {spec.name: spec.symmetric for spec in specs if spec.symmetric is not None}
    antisymmetric = {spec.name: spec.antisymmetric for spec in specs if spec.antisymmetric is not None}
    same = _compare(trial, "forward", "backward", symmetric, lambda a, b: a - b)
    opposite = _compare(trial, "forward", "backward", antisymmetric, lambda a, b: a + b)
    return Finding(
        same.examined + opposite.examined, same.problems + opposite.problems, "metrics with S and E exchanged"
    )


def horizontal_flip(trial: Trial) -> Finding:
    """Where a metric claims it, mirrored pictures give the same value."""
    invariant = {spec.name: spec.flip_invariant for spec in trial.plan.metrics if spec.flip_invariant is not None}
    return _compare(trial, "inside_flat", "inside_flat_flipped", invariant, lambda a, b: a - b)


def inside_the_mask(trial: Trial) -> Finding:
    """What lies inside the mask does not move a single bit of what is measured outside it."""
    names = [spec.name for spec in trial.plan.metrics if spec.blind_inside]
    return _equal(trial, "inside_flat", "inside_static", names, "metrics with another picture inside the mask")


def mask_polarity(trial: Trial) -> Finding:
    """An inverted mask file that says so is the same mask."""
    names = [spec.name for spec in trial.plan.metrics]
    return _equal(trial, "inside_flat", "inside_flat_inverted_mask", names, "metrics with the mask file inverted")


def mask_complement(trial: Trial) -> Finding:
    """A mask and its complement share out the frame: their means, weighted by area, add up to the whole's."""
    problems: list[str] = []
    examined = 0
    share = trial.value("damaged_outside", "preservation.kept_share")
    rest = trial.value("damaged_inside", "preservation.kept_share")
    if share is not None and rest is not None:
        examined += 1
        if abs(share + rest - 1) > 1e-12:
            problems.append(f"preservation.kept_share: {share:.6f} and {rest:.6f} do not add up to 1")
        for name in ("preservation.mse", "preservation.mae"):
            parts = [trial.value(case, name) for case in ("damaged_outside", "damaged_inside", "damaged_whole")]
            if any(part is None for part in parts):
                continue
            outside, inside, whole = (float(part) for part in parts if part is not None)
            examined += 1
            if abs(share * outside + rest * inside - whole) > 1e-9:
                problems.append(f"{name}: {share * outside + rest * inside:.9f} from the parts, {whole:.9f} whole")
    return Finding(examined, tuple(problems), "sums over a mask and its complement")


def typed_missing(trial: Trial) -> Finding:
    """Where a question has no answer there is a status and a reason, never a number."""
    problems: list[str] = []
    examined = 0
    for (case, name), absent in claims.TYPED.items():
        found = trial.measurement(case, name)
        if found is None or (found.status is Status.UNAVAILABLE and found.reason.endswith("_backend")):
            continue
        examined += 1
        if not _is(found, absent):
            problems.append(f"{name} of {case}: expected {absent.status}({absent.reason}), got {_words(found)}")
    return Finding(examined, tuple(problems), "values that cannot be")


def typed_checks(trial: Trial) -> Finding:
    """An instruction that was followed is told from one that was not (:func:`identity_values` has the other half)."""
    problems: list[str] = []
    examined = 0
    for case, name in claims.DONE.items():
        found = trial.measurement(case, name) if case in trial.scored else None
        if found is None or found.status is Status.UNAVAILABLE:
            continue
        examined += 1
        if found.value is None or found.value < _DONE:
            problems.append(f"{name} of {case}: expected {_DONE} or more, got {_words(found)}")
    return Finding(examined, tuple(problems), "instructions that were followed")


def monotone(trial: Trial, ladder: str) -> Finding:
    """More damage never reads as less, and the worst step differs from none."""
    problems: list[str] = []
    examined = 0
    for name, way in claims.MONOTONE[ladder].items():
        found = [trial.measurement(f"{ladder}_{step}", name) for step in _STEPS]
        steps = [m for m in found if m is not None]
        if not steps or all(m.status is Status.UNAVAILABLE or m.reason == "no_face_in_source" for m in steps):
            continue
        examined += 1
        values = [m.value for m in steps if m.value is not None]
        if len(values) < len(steps):
            problems.append(f"{name}: no value on a step ({'; '.join(_words(m) for m in steps)})")
            continue
        rising = all((b - a) * way >= -1e-9 for a, b in pairwise(values)) and (values[-1] - values[0]) * way > 0
        if not rising:
            problems.append(f"{name} should {'rise' if way > 0 else 'fall'}: {', '.join(f'{v:.5g}' for v in values)}")
    return Finding(examined, tuple(problems), f"metrics on four steps of {ladder}")


PROPERTIES: Final[Mapping[str, Callable[[Trial], Finding]]] = {
    "nothing_failed": nothing_failed,
    "declared_bounds": declared_bounds,
    "identity_values": identity_values,
    "symmetry": symmetry,
    "horizontal_flip": horizontal_flip,
    "inside_the_mask_does_not_matter": inside_the_mask,
    "mask_polarity": mask_polarity,
    "mask_complement": mask_complement,
    "missing_values_are_typed": typed_missing,
    "typed_checks_see_what_was_done": typed_checks,
}


def _all(trial: Trial) -> Iterator[tuple[str, str, Measurement]]:
    for case, scored in trial.scored.items():
        for metric, found in scored.measurements.items():
            yield case, metric, found


def _compare(
    trial: Trial, first: str, second: str, within: Mapping[str, float], difference: Callable[[float, float], float]
) -> Finding:
    problems: list[str] = []
    examined = 0
    for name, tolerance in within.items():
        a, b = trial.value(first, name), trial.value(second, name)
        if a is None or b is None:
            continue
        examined += 1
        if abs(difference(a, b)) > tolerance:
            problems.append(f"{name}: {a:.8g} and {b:.8g}")
    return Finding(examined, tuple(problems), f"metrics of {first} and {second}")


def _equal(trial: Trial, first: str, second: str, names: list[str], note: str) -> Finding:
    pairs = [(name, trial.measurement(first, name), trial.measurement(second, name)) for name in names]
    # A GPU may add up in another order at another place of a batch; a CPU does not.
    tolerance = 0.0 if choose_device(trial.plan.config.engine.device).type == "cpu" else _GPU_ROUNDING
    problems = [f"{name}: {_words(a)} and {_words(b)}" for name, a, b in pairs if a and b and _differ(a, b, tolerance)]
    return Finding(len(pairs), tuple(problems), note)


def _differ(first: Measurement, second: Measurement, tolerance: float) -> bool:
    if first.value is None or second.value is None:
        return first != second
    return abs(first.value - second.value) > tolerance * max(1.0, abs(second.value))


def _is(found: Measurement, absent: Missing) -> bool:
    return found.status is absent.status and found.reason == absent.reason


def _words(found: Measurement) -> str:
    return f"{found.value:.8g}" if found.value is not None else f"{found.status}({found.reason})"
