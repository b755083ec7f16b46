"""One self-test for each bug that published evaluation code has shipped (docs/doctor.md, known bugs).

Each compares what the profile's own pipeline gives here with what arithmetic or another library says it must give.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final

import numpy as np

from edit_metrics.backends.base import Fingerprint
from edit_metrics.config import Config, Curve, DimensionConfig
from edit_metrics.doctor import pictures as draw
from edit_metrics.doctor.cases import OFFSET, OFFSET_SHARES, Case, single_cases, write_case
from edit_metrics.doctor.checks import Finding
from edit_metrics.doctor.probes import COLOURS, Colour, NetworkInputs, Normalisation
from edit_metrics.doctor.trial import Trial, score_items
from edit_metrics.engine.definitions import cache_rules
from edit_metrics.engine.plan import Plan, Stage, Step
from edit_metrics.engine.scoring import Scorer
from edit_metrics.features.cache import FeatureCache
from edit_metrics.registry import Metric
from edit_metrics.scores.rows import ScoredItem
from edit_metrics.types import Direction, Float64, Status

Inputs = Mapping[str, NetworkInputs]
"""Role → what its network saw."""
PICTURE_ROLES: Final = ("clip", "conse", "safety", "safety_second")
_TOLERANCE: Final = 0.03
"""In units of the network's input: resizing and 8-bit rounding move a flat colour by less."""
_PSNR: Final = 20 * math.log10(255 / OFFSET)
_CACHE_BYTES: Final = 2**26  # room for everything that three small items leave
_FACE_GONE: Final = "face_gone"


def uint8_wraps(inputs: Inputs) -> Finding:
    """A brighter picture must reach the encoder brighter: uint8 times 255 wraps to a photographic negative."""
    greys = [colour for colour in COLOURS if len(set(colour)) == 1]
    problems = []
    roles = [role for role in PICTURE_ROLES if role in inputs]
    for role in roles:
        found = [float(inputs[role].seen[grey].mean()) for grey in greys]
        if any(b <= a for a, b in pairwise(found)):
            problems.append(f"{role}: black to white reaches the network as {', '.join(f'{v:.2f}' for v in found)}")
    return Finding(len(roles), tuple(problems), "encoders that are shown black to white")


def signed_range_into_encoder(inputs: Inputs) -> Finding:
    """Pictures in [−1, 1] fed to an encoder that normalises [0, 1]: twice the contrast, shifted."""
    return _normalisation(inputs, PICTURE_ROLES, "encoders' inputs against the normalisations they were trained with")


def structure_fed_bytes(inputs: Inputs) -> Finding:
    """The structure distance's ViT must see normalised pictures, not 0..255."""
    return _normalisation(inputs, ("patches",), "the patch encoder's inputs against the normalisation of its training")


def _normalisation(inputs: Inputs, roles: tuple[str, ...], note: str) -> Finding:
    present = [role for role in roles if role in inputs]
    problems = []
    for role in present:
        known = inputs[role].normalisations
        if not any(_fits(inputs[role].seen, normalisation) for normalisation in known):
            black, white = (_numbers(inputs[role].seen[colour]) for colour in ((0, 0, 0), (255, 255, 255)))
            names = ", ".join(normalisation.name for normalisation in known)
            problems.append(f"{role}: black reaches the network as {black}, white as {white}: none of {names}")
    return Finding(len(present), tuple(problems), note if present else f"no torch network in {', '.join(roles)}")


def _fits(seen: Mapping[Colour, Float64], normalisation: Normalisation) -> bool:
    return all(np.abs(found - normalisation.of(colour)).max() < _TOLERANCE for colour, found in seen.items())


def filled_with_255(trial: Trial) -> Finding:
    """Every kept pixel is ten levels off, the rest is noise: a mean over U reads 10/255, whatever fills the rest."""
    return _known_values(trial, {"preservation.mae": OFFSET / 255, "preservation.mse": (OFFSET / 255) ** 2})


def pie_normalisation(trial: Trial) -> Finding:
    """PSNR over U must not depend on u (PIE-Bench: + 10·log10(1/u)) or on the channels (BrushNet: − 4.77 dB)."""
    return _known_values(trial, {"preservation.psnr": _PSNR, "preservation.psnr_core": _PSNR})


def _known_values(trial: Trial, truth: Mapping[str, float]) -> Finding:
    problems, examined = [], 0
    for name, value in truth.items():
        for share in OFFSET_SHARES:
            found = trial.measurement(f"offset_{share:.2f}", name)
            if found is None:
                continue
            examined += 1
            if found.value is None or abs(found.value - value) > 1e-6 * max(1.0, value):
                got = found.reason if found.value is None else f"{found.value:.6f}"
                problems.append(f"{name} with {share:.0%} of the frame masked: expected {value:.6f}, got {got}")
    return Finding(examined, tuple(problems), "values at three mask sizes")


def no_face_as_wrong_face(trial: Trial) -> Finding:
    """A face that is gone is a lost face, a picture without faces is no question: neither is a similarity."""
    problems, examined = [], 0
    if trial.value(_FACE_GONE, "character.faces_edited"):
        problems.append(f"a face was found on one flat colour ({_FACE_GONE})")
    for name in ("character.face_similarity_min", "character.face_similarity_mean", "character.face_same"):
        for case, scored in trial.scored.items():
            before, after = (trial.value(case, f"character.faces_{of}") for of in ("source", "edited"))
            found = scored.measurements.get(name)
            if found is None or before is None or after is None or (before > 0 and after > 0):
                continue
            examined += 1
            status = Status.UNDEFINED if before > 0 else Status.NOT_APPLICABLE
            if found.status is not status:
                problems.append(f"{name} of {case} ({before:g} faces, then {after:g}): {found.value} ({found.status})")
    return Finding(examined, tuple(problems), "similarities without a face to compare")


def nan_as_number(trial: Trial) -> Finding:
    """A metric that returns NaN or infinity goes through the engine and must come out as ``failed``."""
    item = write_case(Case("nan", draw.flat((9, 9, 9), 64), draw.flat((9, 9, 9), 64)), trial.folder)
    problems = []
    values = (math.nan, math.inf, -math.inf)
    for value in values:
        scored = score_items(_probe_plan(value), {}, [item])["nan"]
        found, prescore = scored.measurements["quality.probe"], scored.scores.prescores["quality"]
        if found.status is not Status.FAILED or found.value is not None or prescore.score is not None:
            problems.append(f"{value} became {found.value} ({found.status}), pre-score {prescore.score}")
    return Finding(len(values), tuple(problems), "numbers that are none")


def _probe_plan(value: float) -> Plan:
    """A plan of one metric, which returns ``value``, and a pre-score made of it."""
    curves = {"probe": Curve(anchors=[(0.0, 0.0), (1.0, 1.0)])}
    config = Config(profile="probe", dimensions={"quality": DimensionConfig(metrics=("probe",), curves=curves)})
    spec = Metric(
        name="quality.probe", function=lambda: value, direction=Direction.NEITHER, bounds=(None, None), unit=""
    )
    return Plan(config, (Stage(()), Stage((Step(spec, {}, always=True),))), (spec,), (), ())


def cached_by_id(trial: Trial) -> Finding:
    """The same id with other words, or another picture, must not get the old scores; with the feature cache on."""
    first = Case("pair", draw.scene(96), draw.darker(draw.scene(96), 0.8))
    others = {
        "another prompt": replace(
            first, instruction="Remove the dog", source_caption="a dog in the snow", target_caption="snow"
        ),
        "another picture": replace(first, source=draw.portrait()[:192, :192].copy()),
    }
    folder = trial.folder / "cache"
    fingerprints: dict[str, Fingerprint] = {role: backend.fingerprint for role, backend in trial.backends.items()}
    cache = FeatureCache(folder, _CACHE_BYTES)
    scorer = Scorer(trial.plan, trial.backends, cache=cache, cache_rules=cache_rules(trial.plan, fingerprints))
    problems, examined = [], 0
    try:
        before = _score(scorer, trial, first)
        for what, case in others.items():
            fresh = _score(Scorer(trial.plan, trial.backends), trial, case)
            after = _score(scorer, trial, case)
            moved = [name for name, found in fresh.measurements.items() if found != before.measurements[name]]
            examined += len(moved)
            problems += [f"{what}: {name} is still that of before" for name in moved if _stale(name, before, after)]
    finally:
        cache.close()
    return Finding(examined, tuple(problems), "values that another prompt or picture changes, under the same id")


def _score(scorer: Scorer, trial: Trial, case: Case) -> ScoredItem:
    return scorer.score_shard([write_case(case, trial.folder)]).scored[0]


def _stale(name: str, before: ScoredItem, after: ScoredItem) -> bool:
    return after.measurements[name] == before.measurements[name]


def ssim_border(trial: Trial) -> Finding:
    """SSIM with damage along the frame, where a changed border crop shows, against scikit-image."""
    from skimage.metrics import structural_similarity

    found = trial.measurement("damaged_frame", "preservation.ssim")
    if found is None:
        return Finding(0, (), "no preservation.ssim in this profile")
    case = next(c for c in single_cases() if c.name == "damaged_frame")
    truth = structural_similarity(
        case.source, case.edited, channel_axis=2, data_range=255, gaussian_weights=True, sigma=1.5,
        use_sample_covariance=False,
    )  # fmt: skip
    agrees = found.value is not None and abs(found.value - truth) < 1e-4
    problem = () if agrees else (f"expected {truth:.5f} (scikit-image), got {found.value}",)
    return Finding(1, problem, "SSIM of a damaged frame")


def lpips_at_64(trial: Trial) -> Finding:
    """A pattern of two-pixel squares vanishes at a quarter of the size: LPIPS must see it at the native one."""
    found = trial.measurement("checkered", "preservation.lpips")
    if found is None or found.status is Status.UNAVAILABLE:
        return Finding(0, (), "no preservation.lpips in this profile")
    cap = trial.plan.config.backends.get("perceptual", {}).get("max_side")
    if cap is not None and cap < len(draw.scene(256)):
        return Finding(0, (), f"this profile caps LPIPS at {cap} px, as its fingerprint says")
    seen = found.value is not None and found.value > 0.05
    problem = () if seen else (f"a fine pattern over the whole frame reads {found.value}, expected more than 0.05",)
    return Finding(1, problem, "LPIPS of a fine pattern at 256 px")


INPUT_TESTS: Final[Mapping[str, Callable[[Inputs], Finding]]] = {
    "uint8_times_255_wraps": uint8_wraps,
    "signed_range_fed_to_an_encoder": signed_range_into_encoder,
    "structure_distance_fed_0_to_255": structure_fed_bytes,
}
TRIAL_TESTS: Final[Mapping[str, Callable[[Trial], Finding]]] = {
    "filled_with_255_and_averaged_over_the_frame": filled_with_255,
    "no_face_scored_as_a_wrong_face": no_face_as_wrong_face,
    "nan_turned_into_a_number": nan_as_number,
    "cached_by_pair_id_only": cached_by_id,
    "ssim_border_crop_changed": ssim_border,
    "lpips_at_64_px": lpips_at_64,
    "pie_and_brushnet_normalisation": pie_normalisation,
}


def _numbers(values: Float64) -> str:
    return "/".join(f"{value:.2f}" for value in values)
