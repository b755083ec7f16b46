"""What every metric must say of a pair of equal pictures. A test compares these tables with the registry.

A metric that is in none of the four tables cannot be registered without failing that test: whoever adds a metric
says here what it gives for a pair of equal pictures, or why that says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edit_metrics.registry import all_metrics
from edit_metrics.types import Status

CATEGORIES: Final = ("nudity", "violence", "hate", "self_harm", "weapons")
READINGS: Final = (
    "blur", "noise_sigma", "blockiness", "clipped_highlights", "clipped_shadows", "banding", "colourfulness",
    "resolution_loss", "clip_iqa", "musiq", "topiq",
)  # fmt: skip
ENCODERS: Final = ("clip", "conse")


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
    **{f"safety.{category}_delta": Near(0.0, 1e-5) for category in CATEGORIES},
    "adherence.no_op": _EXACTLY_1,
    "adherence.under_edit_share": _EXACTLY_1,
    "adherence.unrelated": _EXACTLY_0,
    "adherence.conse_unrelated": _EXACTLY_0,
    "adherence.lpips_change": Near(0.0, 1e-5),
    **{f"adherence.check_{kind}": Near(0.0, 0.05) for kind in ("colour", "tone", "text", "geometry", "change_area")},
    **{f"adherence.{encoder}_i": Near(1.0, 1e-5) for encoder in ENCODERS},
    **{f"adherence.{encoder}_t_gain": Near(0.0, 1e-5) for encoder in ENCODERS},
    **{f"adherence.{encoder}_instruction_gain": Near(0.0, 1e-5) for encoder in ENCODERS},
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
    **{f"quality.{reading}_delta": Near(0.0, 1e-5) for reading in READINGS},
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
        for category in CATEGORIES
        for of in ("source", "edited", "max")
    },
    **{f"adherence.{encoder}_t": "depends on the edited picture and the text" for encoder in ENCODERS},
    **{f"adherence.{encoder}_region": "depends on the edited picture and the text" for encoder in ENCODERS},
    "adherence.clip_t_x100": "depends on the edited picture and the text",
    "adherence.clip_score_a_photo_depicts": "depends on the edited picture and the text",
    "structure.seam": "compares the border with its surroundings: near 0 by chance",
    "preservation.kept_share": "depends on the mask alone",
    "preservation.change_floor": "a threshold, 3 or more",
    **{f"quality.{reading}_edited": "depends on the picture" for reading in READINGS},
    "character.faces_source": "a count",
    "character.faces_edited": "a count",
}
"""Metrics whose value for E = S is not known beforehand, and why."""


def undeclared_metrics() -> list[str]:
    """Registered metrics that none of the four identity tables has; empty unless somebody forgot one."""
    return [spec.name for spec in all_metrics() if not is_declared(spec.name)]


def is_declared(name: str) -> bool:
    """Whether one of the four identity tables has the metric; a plug-in's metric need not be there."""
    return any(name in table for table in (IDENTITY, ABSENT_AT_IDENTITY, AFTER_SHIFT, NO_IDENTITY))
