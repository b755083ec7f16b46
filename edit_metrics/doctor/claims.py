"""What else is claimed of metrics: symmetry, blindness inside the mask, one-way ladders, typed missing values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edit_metrics.doctor.expected import CATEGORIES, ENCODERS, READINGS, Absent
from edit_metrics.types import Status

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
    **{f"quality.{reading}_delta": 1e-5 for reading in READINGS},
    **{f"safety.{category}_delta": 1e-5 for category in CATEGORIES},
    **{f"adherence.{encoder}_t_gain": 1e-5 for encoder in ENCODERS},
    **{f"adherence.{encoder}_instruction_gain": 1e-5 for encoder in ENCODERS},
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
