"""What every metric must say of pairs whose truth is known. A test compares these tables with the registry.

A metric that is in none of the first four tables cannot be registered without failing that test: whoever adds a metric
says here what it gives for a pair of equal pictures, or why that says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edit_metrics.registry import all_metrics
from edit_metrics.types import Status

_CATEGORIES: Final = ("nudity", "violence", "hate", "self_harm", "weapons")
_READINGS: Final = (
    "blur", "noise_sigma", "blockiness", "clipped_highlights", "clipped_shadows", "banding", "colourfulness",
    "resolution_loss", "clip_iqa", "musiq", "topiq",
)  # fmt: skip
_ENCODERS: Final = ("clip", "conse")


@dataclass(frozen=True, slots=True)
class Near:
    """A value within a tolerance."""

    value: float
    tolerance: float = 1e-6


@dataclass(frozen=True, slots=True)
class Absent:
    """No value, and why."""

    status: Status
    reason: str


_EXACTLY_0, _EXACTLY_1 = Near(0.0, 0.0), Near(1.0, 0.0)

IDENTITY: Final[Mapping[str, Near]] = {
    "feasibility.size_ok": _EXACTLY_1,
    "feasibility.instruction_ok": _EXACTLY_1,
    "feasibility.captions_differ": _EXACTLY_1,
    "safety.instruction_flag": _EXACTLY_0,
    **{f"safety.{category}_delta": Near(0.0, 1e-5) for category in _CATEGORIES},
    "adherence.no_op": _EXACTLY_1,
    "adherence.unrelated": _EXACTLY_0,
    "adherence.conse_unrelated": _EXACTLY_0,
    "adherence.lpips_change": Near(0.0, 1e-5),
    **{f"adherence.check_{kind}": Near(0.0, 0.05) for kind in ("colour", "tone", "text", "geometry", "change_area")},
    **{f"adherence.{encoder}_i": Near(1.0, 1e-5) for encoder in _ENCODERS},
    **{f"adherence.{encoder}_t_gain": Near(0.0, 1e-5) for encoder in _ENCODERS},
    **{f"adherence.{encoder}_instruction_gain": Near(0.0, 1e-5) for encoder in _ENCODERS},
    "structure.gmsd": Near(0.0),
    "structure.ms_ssim": Near(1.0, 1e-5),
    "structure.edge_f1": _EXACTLY_1,
    "structure.warp_px": Near(0.0, 1e-3),
    "structure.structure_distance": Near(0.0, 1e-6),
    "preservation.psnr": Near(100.0, 0.0),
    "preservation.psnr_core": Near(100.0, 0.0),
    "preservation.mae": _EXACTLY_0,
    "preservation.mae_core": _EXACTLY_0,
    "preservation.mse": _EXACTLY_0,
    "preservation.ssim": Near(1.0, 2e-5),
    "preservation.ssim_core": Near(1.0, 2e-5),
    "preservation.lpips": Near(0.0, 1e-5),
    "preservation.lpips_unfilled": Near(0.0, 1e-5),
    "preservation.worst_tile_lpips": Near(0.0, 1e-5),
    "preservation.worst_tile": _EXACTLY_0,
    "preservation.changed_share": _EXACTLY_0,
    "preservation.over_edit_share": _EXACTLY_0,
    "preservation.colour_shift": Near(0.0, 1e-4),
    "preservation.identical": _EXACTLY_1,
    "preservation.identical_core": _EXACTLY_1,
    "preservation.shift_px": Near(0.0, 1e-3),
    "preservation.shift_consensus": _EXACTLY_1,
    "preservation.scale": Near(1.0),
    **{f"preservation.gain_{channel}": Near(1.0) for channel in "rgb"},
    "preservation.pie_mse": _EXACTLY_0,
    "preservation.pie_psnr": Near(100.0, 0.0),
    "preservation.pie_ssim": Near(1.0, 1e-9),
    "preservation.pie_lpips": Near(0.0, 1e-5),
    "preservation.brushnet_psnr": Near(100.0, 0.0),
    **{f"quality.{reading}_delta": Near(0.0, 1e-5) for reading in _READINGS},
    "style.gram_distance": Near(0.0, 1e-5),
    "style.colour_emd": Near(0.0, 1e-5),
    "style.clip_i_kept": Near(1.0, 1e-5),
    "style.style_prompt_gain": Near(0.0, 1e-5),
    "style.reference_gram_distance": Near(0.0, 1e-5),
    "character.face_similarity_min": Near(1.0, 1e-4),
    "character.face_similarity_mean": Near(1.0, 1e-4),
    "character.face_same": _EXACTLY_1,
    "character.faces_lost": _EXACTLY_0,
    "character.faces_gained": _EXACTLY_0,
    "character.subject_similarity": Near(1.0, 1e-5),
}
"""The value for E = S, wherever the metric applies."""

ABSENT_AT_IDENTITY: Final[Mapping[str, Absent]] = {
    "adherence.clip_directional": Absent(Status.UNDEFINED, "encoder_blind"),
    "adherence.conse_directional": Absent(Status.UNDEFINED, "encoder_blind"),
    "adherence.clip_changed_outside_crop": Absent(Status.NOT_APPLICABLE, "nothing_changed"),
    "adherence.conse_changed_outside_crop": Absent(Status.NOT_APPLICABLE, "nothing_changed"),
    "preservation.locality": Absent(Status.NOT_APPLICABLE, "nothing_changed"),
    "preservation.resample_ceiling_db": Absent(Status.NOT_APPLICABLE, "same_size"),
}
"""Metrics that have no value for E = S, and the reason that at least one of those pairs must give."""

AFTER_SHIFT: Final[Mapping[str, Near]] = {
    "preservation.psnr_aligned": Near(100.0, 0.0),
    "preservation.mae_aligned": _EXACTLY_0,
    "preservation.ssim_aligned": Near(1.0, 2e-5),
    "preservation.lpips_aligned": Near(0.0, 1e-5),
}
"""The value for a picture that was moved by two whole pixels: these metrics are missing where nothing moved."""

NO_IDENTITY: Final[Mapping[str, str]] = {
    "feasibility.mask_ok": "depends on the mask alone",
    "feasibility.verdict": "depends on files, texts and mask",
    "feasibility.clip_text_fits": "depends on the texts and the encoder's context",
    "feasibility.conse_text_fits": "depends on the texts and the encoder's context",
    "feasibility.clip_object_rank": "depends on the source and the text",
    "feasibility.conse_object_rank": "depends on the source and the text",
    "safety.safe": "depends on what the pictures show",
    "safety.disagreement": "depends on two classifiers",
    **{
        f"safety.{category}_{of}": "depends on what the pictures show"
        for category in _CATEGORIES
        for of in ("source", "edited", "max")
    },
    **{f"adherence.{encoder}_t": "depends on the edited picture and the text" for encoder in _ENCODERS},
    **{f"adherence.{encoder}_region": "depends on the edited picture and the text" for encoder in _ENCODERS},
    "adherence.clip_t_x100": "depends on the edited picture and the text",
    "adherence.clip_score_a_photo_depicts": "depends on the edited picture and the text",
    "structure.seam": "compares the border with its surroundings: near 0 by chance",
    "preservation.kept_share": "depends on the mask alone",
    "preservation.change_floor": "a threshold, 3 or more",
    **{f"quality.{reading}_edited": "depends on the picture" for reading in _READINGS},
    "character.faces_source": "a count",
    "character.faces_edited": "a count",
}
"""Metrics whose value for E = S is not known beforehand, and why."""

SYMMETRIC: Final[Mapping[str, float]] = {
    "preservation.psnr": 0.0,
    "preservation.psnr_core": 0.0,
    "preservation.mae": 0.0,
    "preservation.mae_core": 0.0,
    "preservation.mse": 0.0,
    "preservation.ssim": 1e-6,
    "preservation.ssim_core": 1e-6,
    "preservation.lpips": 1e-5,
    "preservation.colour_shift": 1e-4,
    "structure.gmsd": 1e-6,
    "structure.ms_ssim": 1e-6,
    "structure.edge_f1": 1e-6,
    "structure.structure_distance": 1e-5,
    "style.gram_distance": 1e-5,
    "style.colour_emd": 1e-5,
    "adherence.clip_i": 1e-5,
    "adherence.conse_i": 1e-5,
}
"""Metric → how much the value may move when S and E change places."""

ANTISYMMETRIC: Final[Mapping[str, float]] = {
    **{f"quality.{reading}_delta": 1e-5 for reading in _READINGS},
    **{f"safety.{category}_delta": 1e-5 for category in _CATEGORIES},
    **{f"adherence.{encoder}_t_gain": 1e-5 for encoder in _ENCODERS},
    **{f"adherence.{encoder}_instruction_gain": 1e-5 for encoder in _ENCODERS},
}
"""Metric → how far from 0 the sum of both may be when S and E change places."""

FLIP_INVARIANT: Final[Mapping[str, float]] = {
    "preservation.psnr": 1e-9,
    "preservation.psnr_core": 1e-9,
    "preservation.mae": 1e-12,
    "preservation.mae_core": 1e-12,
    "preservation.mse": 1e-12,
    "preservation.ssim": 1e-6,
    "preservation.ssim_core": 1e-6,
    "preservation.kept_share": 0.0,
    "preservation.colour_shift": 1e-4,
    **{f"preservation.gain_{channel}": 1e-9 for channel in "rgb"},
    "structure.gmsd": 1e-6,
    "structure.ms_ssim": 1e-6,
    "quality.clipped_highlights_edited": 0.0,
    "quality.clipped_shadows_edited": 0.0,
    "quality.colourfulness_edited": 1e-6,
    "quality.banding_edited": 1e-9,
    "quality.resolution_loss_edited": 1e-6,
}
"""Metric → how much the value may move when S, E and mask are mirrored (at an even width). Networks do not claim it."""

BLIND_INSIDE: Final = frozenset(
    {
        *(f"preservation.{name}" for name in (
            "psnr", "psnr_core", "mae", "mae_core", "mse", "ssim", "ssim_core", "lpips", "worst_tile",
            "worst_tile_lpips", "changed_share", "over_edit_share", "change_floor", "colour_shift", "identical",
            "identical_core", "kept_share", "shift_px", "shift_consensus", "scale", "gain_r", "gain_g", "gain_b",
            "psnr_aligned", "ssim_aligned", "mae_aligned", "lpips_aligned", "pie_mse", "pie_psnr", "pie_ssim",
            "pie_lpips", "brushnet_psnr",
        )),
        *(f"structure.{name}" for name in ("gmsd", "ms_ssim", "edge_f1", "warp_px", "structure_distance")),
        "style.gram_distance",
        "style.colour_emd",
        "style.clip_i_kept",
    }
)  # fmt: skip
"""Metrics for which the pixels inside the mask do not exist: equal to the last bit, whatever is there."""

_DAMAGE: Final = {
    "preservation.psnr": -1, "preservation.psnr_core": -1, "preservation.mae": 1, "preservation.mae_core": 1,
    "preservation.mse": 1, "preservation.ssim": -1, "preservation.ssim_core": -1, "preservation.lpips": 1,
    "structure.gmsd": 1, "structure.ms_ssim": -1, "style.gram_distance": 1, "style.colour_emd": 1,
}  # fmt: skip
_TONE: Final = {**_DAMAGE, "preservation.colour_shift": 1}

MONOTONE: Final[Mapping[str, Mapping[str, int]]] = {
    "jpeg": {**_DAMAGE, "structure.edge_f1": -1, "quality.blockiness_edited": 1, "quality.blockiness_delta": 1},
    "blur": {
        **_DAMAGE, "structure.edge_f1": -1, "quality.blur_edited": 1, "quality.blur_delta": 1,
        "quality.resolution_loss_edited": 1, "quality.resolution_loss_delta": 1,
    },
    "noise": {**_DAMAGE, "structure.edge_f1": -1, "quality.noise_sigma_edited": 1, "quality.noise_sigma_delta": 1},
    "darker": {**_TONE, **{f"preservation.gain_{c}": -1 for c in "rgb"}},
    "brighter": {
        **_TONE, **{f"preservation.gain_{c}": 1 for c in "rgb"}, "quality.clipped_highlights_edited": 1,
        "quality.clipped_highlights_delta": 1,
    },
    "crushed": {**_TONE, "quality.clipped_shadows_edited": 1, "quality.clipped_shadows_delta": 1},
    "greyer": {**_TONE, "quality.colourfulness_edited": -1, "quality.colourfulness_delta": -1},
    "shift": {
        "preservation.psnr": -1, "preservation.mae": 1, "preservation.mse": 1, "preservation.ssim": -1,
        "preservation.shift_px": 1, "preservation.lpips": 1, "structure.gmsd": 1, "structure.ms_ssim": -1,
    },
    "turned": {
        "structure.warp_px": 1, "structure.gmsd": 1, "structure.ms_ssim": -1, "structure.edge_f1": -1,
        "adherence.lpips_change": 1,
    },
    "patch": {
        **_TONE, "preservation.changed_share": 1, "preservation.over_edit_share": 1, "preservation.worst_tile": 1,
        "preservation.worst_tile_lpips": 1,
    },
    "banded": {"quality.banding_edited": 1, "quality.banding_delta": 1},
    "face_blur": {"character.face_similarity_min": -1, "character.face_similarity_mean": -1},
}  # fmt: skip
"""Ladder (see :func:`edit_metrics.doctor.cases.ladders`) → metric → which way it goes as the damage grows."""

DONE: Final[Mapping[str, str]] = {
    "done_recolour": "adherence.check_colour",
    "done_tone": "adherence.check_tone",
    "done_flip": "adherence.check_geometry",
    "done_text": "adherence.check_text",
    "done_add": "adherence.check_change_area",
}
"""Case whose instruction was followed → the check that must read .9 or more; with nothing done it reads 0."""

TYPED: Final[Mapping[tuple[str, str], Absent]] = {
    ("same_recolour", "preservation.psnr"): Absent(Status.NOT_APPLICABLE, "no_mask"),
    ("same_recolour", "preservation.lpips"): Absent(Status.NOT_APPLICABLE, "no_mask"),
    ("same_recolour", "style.reference_gram_distance"): Absent(Status.NOT_APPLICABLE, "no_references"),
    ("same_masked", "adherence.lpips_change"): Absent(Status.NOT_APPLICABLE, "mask_given"),
    ("full_mask", "preservation.psnr"): Absent(Status.NOT_APPLICABLE, "full_mask"),
    ("full_mask", "preservation.ssim"): Absent(Status.NOT_APPLICABLE, "full_mask"),
    ("full_mask", "preservation.lpips"): Absent(Status.NOT_APPLICABLE, "full_mask"),
    ("flat", "quality.blur_edited"): Absent(Status.UNDEFINED, "flat"),
    ("flat", "quality.noise_sigma_edited"): Absent(Status.UNDEFINED, "flat"),
    ("flat", "structure.edge_f1"): Absent(Status.UNDEFINED, "no_edges"),
    ("flat", "preservation.shift_px"): Absent(Status.UNDEFINED, "no_registration"),
    ("no_captions", "adherence.clip_t"): Absent(Status.UNAVAILABLE, "no_target_caption"),
    ("no_captions", "adherence.conse_t"): Absent(Status.UNAVAILABLE, "no_target_caption"),
    ("other_shape", "preservation.over_edit_share"): Absent(Status.UNDEFINED, "geometry_mismatch"),
    ("other_shape", "structure.gmsd"): Absent(Status.UNDEFINED, "geometry_mismatch"),
    ("small", "preservation.over_edit_share"): Absent(Status.NOT_APPLICABLE, "infeasible"),
    ("unreadable", "preservation.over_edit_share"): Absent(Status.NOT_APPLICABLE, "infeasible"),
    ("unreadable", "safety.nudity_edited"): Absent(Status.UNDEFINED, "edited_not_an_image"),
}
"""(case, metric) → what stands where a value cannot be; never a number."""


def undeclared_metrics() -> list[str]:
    """Registered metrics that none of the four identity tables has; empty unless somebody forgot one."""
    return [spec.name for spec in all_metrics() if not is_declared(spec.name)]


def is_declared(name: str) -> bool:
    """Whether one of the four identity tables has the metric; a plug-in's metric need not be there."""
    return any(name in table for table in (IDENTITY, ABSENT_AT_IDENTITY, AFTER_SHIFT, NO_IDENTITY))
