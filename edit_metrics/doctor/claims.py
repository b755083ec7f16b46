"""What is claimed of metrics on the doctor's own cases: one-way ladders, typed missing values, checks that see.

What holds of a metric anywhere (its value for equal pictures, symmetry, blindness inside the mask) is declared where it
is registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edit_metrics.types import Missing, not_applicable, unavailable, undefined

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

TYPED: Final[Mapping[tuple[str, str], Missing]] = {
    ("same_recolour", "preservation.psnr"): not_applicable("no_mask"),
    ("same_recolour", "preservation.lpips"): not_applicable("no_mask"),
    ("same_recolour", "style.reference_gram_distance"): not_applicable("no_references"),
    ("same_masked", "adherence.lpips_change"): not_applicable("mask_given"),
    ("full_mask", "preservation.psnr"): not_applicable("full_mask"),
    ("full_mask", "preservation.ssim"): not_applicable("full_mask"),
    ("full_mask", "preservation.lpips"): not_applicable("full_mask"),
    ("flat", "quality.blur_edited"): undefined("flat"),
    ("flat", "quality.noise_sigma_edited"): undefined("flat"),
    ("flat", "structure.edge_f1"): undefined("no_edges"),
    ("flat", "preservation.shift_px"): undefined("no_registration"),
    ("no_captions", "adherence.clip_t"): unavailable("no_target_caption"),
    ("no_captions", "adherence.conse_t"): unavailable("no_target_caption"),
    ("other_shape", "preservation.over_edit_share"): undefined("geometry_mismatch"),
    ("other_shape", "structure.gmsd"): undefined("geometry_mismatch"),
    ("small", "preservation.over_edit_share"): not_applicable("infeasible"),
    ("unreadable", "preservation.over_edit_share"): not_applicable("infeasible"),
    ("unreadable", "safety.nudity_edited"): undefined("edited_not_an_image"),
}
"""(case, metric) → what stands where a value cannot be; never a number."""
