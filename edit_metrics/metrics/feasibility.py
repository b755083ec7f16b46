"""Feasibility (docs/metrics.md, feasibility): whether an item can be judged at all, before any model sees E.

``feasibility.verdict`` gathers what the other columns say, and more, with a reason code for each finding: 1 = feasible,
.5 = doubtful, 0 = infeasible. An infeasible item gets no costly metric. Nothing here looks at how good the edit is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import numpy as np

from edit_metrics.io.images import DecodeInfo
from edit_metrics.metrics.embedding import ENCODERS
from edit_metrics.registry import metric, per_role
from edit_metrics.types import Direction, Float32, Mask, Missing, Result, Status, with_cautions

SMALLEST_SIDE: Final = 64
"""px, docs/metrics.md, feasibility."""
FEASIBLE, DOUBTFUL, INFEASIBLE = 1.0, 0.5, 0.0
NEEDS_AN_OBJECT: Final = frozenset({"remove", "replace"})
_WORD: Final = re.compile(r"[^\W_]")
_verdict = partial(metric, direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="verdict")


class InstructionSlots(Protocol):
    """What is read of a parsed instruction; see :class:`edit_metrics.instruction.instruction.Instruction`."""

    @property
    def read(self) -> bool: ...  # noqa: D102 - documented there
    @property
    def edit_type(self) -> str: ...  # noqa: D102 - documented there
    @property
    def object(self) -> str | None: ...  # noqa: D102 - documented there
    @property
    def new_object(self) -> str | None: ...  # noqa: D102 - documented there
    @property
    def old_text(self) -> str | None: ...  # noqa: D102 - documented there
    @property
    def new_text(self) -> str | None: ...  # noqa: D102 - documented there


@dataclass(frozen=True, slots=True)
class Finding:
    """One reason code and how far it lets the item through: 1, .5 or 0."""

    code: str
    grade: float


@_verdict("feasibility.size_ok", identity=1.0)
def size_ok(decode_info: DecodeInfo, *, min_side: int = SMALLEST_SIDE) -> Result:
    """1 when both pictures have sides of 64 px and more, else 0 with the code of the one that has not.

    Missing, with the reason of the file, when one of them does not decode.
    """
    for facts in (decode_info.source, decode_info.edited):
        if isinstance(facts, Missing):
            return facts
    return _graded(_size_findings(decode_info, min_side))


@_verdict("feasibility.mask_ok", identity="depends on the mask alone")
def mask_ok(mask: Mask, decode_info: DecodeInfo | None = None) -> Result:
    """1 when the mask marks a part of the picture in black and white.

    .5 when it is empty (``empty_mask``: nothing may change), full (``full_mask``: nothing need stay), or coloured
    (``coloured_mask``: what its colours meant is a guess). Missing without a mask, or when its file does not decode.
    """
    return _graded(_mask_findings(mask, decode_info))


@_verdict("feasibility.instruction_ok", identity=1.0)
def instruction_ok(instruction: str) -> Result:
    """1 when the instruction has words, 0 when it is empty or punctuation alone (``empty_instruction``).

    Missing without an instruction.
    """
    return _graded(_instruction_findings(instruction, None))


@_verdict(
    "feasibility.{role}_text_fits", on_request=True, roles=ENCODERS, features=per_role("truncated_texts"),
    identity="depends on the texts and the encoder's context",
)  # fmt: skip
def text_fits(truncated_texts: Collection[str]) -> Result:
    """1 when the text encoder reads instruction and captions to their end, else 0 with their names as codes.

    On request, and no part of the verdict, which depends on no model: it would tie every dimension's signature to the
    text encoder. The adherence values of a truncated text carry the caution ``truncated_text`` in any case.
    """
    return with_cautions(0.0 if truncated_texts else 1.0, *sorted(truncated_texts))


@_verdict("feasibility.captions_differ", identity=1.0)
def captions_differ(source_caption: str, target_caption: str) -> float:
    """1 when source and target caption differ in more than case, spaces and punctuation, else 0.

    Equal captions ask for no edit: a known fault of published test sets. Missing without both captions.
    """
    return float(_words(source_caption) != _words(target_caption))


def share_of_distractors_beaten(picture: Float32, text: Float32, distractors: Float32) -> float:
    """Share of N distractor texts whose cosine with the picture is below the text's; D, D and N×D, unit norm."""
    return float(np.mean(distractors @ picture < text @ picture))


@metric(
    "feasibility.{role}_object_rank", direction=Direction.HIGHER_IS_BETTER, bounds=(0.0, 1.0), unit="share",
    on_request=True, roles=ENCODERS, features={"rank": "{role}_object_rank"},
    identity="depends on the source and the text",
)  # fmt: skip
def object_rank(rank: float) -> float:
    """How well the object to be removed, replaced or recoloured fits S, as its rank among 48 everyday things.

    Share of the distractors whose text fits S less well than the object's name does, so that no encoder's scale
    matters. 1 = it fits best of all, about .5 = no sign of it. On request, and no part of the verdict, like
    :func:`text_fits`; no threshold has been calibrated.
    """
    return rank


@_verdict("feasibility.verdict", identity="depends on files, texts and mask", version=2)
def verdict(
    decode_info: DecodeInfo | None = None,
    mask: Mask | None = None,
    instruction: str | None = None,
    source_caption: str | None = None,
    target_caption: str | None = None,
    parsed_instruction: InstructionSlots | None = None,
    blank: bool | None = None,
    *,
    min_side: int = SMALLEST_SIDE,
) -> Result:
    """1 = feasible, .5 = doubtful, 0 = infeasible; the codes of all findings, the gravest first.

    Infeasible: a file that is missing or does not decode (``source_…``, ``edited_…``, ``mask_…`` with the decoder's
    code), ``source_too_small`` and ``edited_too_small`` (a side under 64 px), ``empty_instruction`` without a target
    caption. Doubtful: ``empty_mask``, ``full_mask``, ``coloured_mask``, ``reference_…``, ``empty_instruction`` beside a
    target caption, ``blank_edited`` (E shows nothing), ``equal_captions``, ``no_object`` (remove or replace, but
    what?), ``same_object`` (to be replaced by itself), ``same_text`` (to be rewritten as it stands). Never missing.

    Args:
        decode_info: facts of the files.
        mask: M, True = may change.
        instruction: I.
        source_caption: T0.
        target_caption: T1.
        parsed_instruction: edit type and slots.
        blank: E is a picture of nothing.
        min_side: px.
    """
    return _graded(
        [
            *_file_findings(decode_info),
            *_size_findings(decode_info, min_side),
            *_mask_findings(mask, decode_info),
            *_instruction_findings(instruction, target_caption),
            *_caption_findings(source_caption, target_caption),
            *_slot_findings(parsed_instruction if instruction else None),
            *([Finding("blank_edited", DOUBTFUL)] if blank else []),
        ]
    )


def _graded(findings: Iterator[Finding] | list[Finding]) -> Result:
    by_gravity = sorted(findings, key=lambda finding: finding.grade)
    grade = by_gravity[0].grade if by_gravity else FEASIBLE
    return with_cautions(grade, *dict.fromkeys(finding.code for finding in by_gravity))


def _file_findings(info: DecodeInfo | None) -> Iterator[Finding]:
    if info is None:
        return
    for facts in (info.source, info.edited, info.mask):
        # No mask is not applicable; no memory is failed, and says nothing of the file.
        if isinstance(facts, Missing) and facts.status is Status.UNDEFINED:
            yield Finding(facts.reason, INFEASIBLE)
    for facts in info.references:
        if isinstance(facts, Missing) and facts.status is Status.UNDEFINED:
            yield Finding(facts.reason, DOUBTFUL)


def _size_findings(info: DecodeInfo | None, min_side: int) -> Iterator[Finding]:
    if info is None:
        return
    for name, facts in (("source", info.source), ("edited", info.edited)):
        if not isinstance(facts, Missing) and min(facts.width, facts.height) < min_side:
            yield Finding(f"{name}_too_small", INFEASIBLE)


def _mask_findings(mask: Mask | None, info: DecodeInfo | None) -> Iterator[Finding]:
    if mask is None:
        return
    if not mask.any():
        yield Finding("empty_mask", DOUBTFUL)
    elif mask.all():
        yield Finding("full_mask", DOUBTFUL)
    if info is not None and not isinstance(info.mask, Missing) and "coloured_mask" in info.mask.cautions:
        yield Finding("coloured_mask", DOUBTFUL)


def _instruction_findings(instruction: str | None, target_caption: str | None) -> Iterator[Finding]:
    if instruction is not None and not _WORD.search(instruction):
        described = target_caption is not None and _WORD.search(target_caption)
        yield Finding("empty_instruction", DOUBTFUL if described else INFEASIBLE)


def _caption_findings(source_caption: str | None, target_caption: str | None) -> Iterator[Finding]:
    if source_caption is None or target_caption is None:
        return
    if not captions_differ(source_caption, target_caption):
        yield Finding("equal_captions", DOUBTFUL)


def _slot_findings(parsed: InstructionSlots | None) -> Iterator[Finding]:
    if parsed is None or not parsed.read:
        return
    if parsed.edit_type in NEEDS_AN_OBJECT and not parsed.object:
        yield Finding("no_object", DOUBTFUL)
    if parsed.edit_type == "replace" and parsed.object and _same(parsed.object, parsed.new_object):
        yield Finding("same_object", DOUBTFUL)
    if parsed.old_text and parsed.old_text == parsed.new_text:
        yield Finding("same_text", DOUBTFUL)


def _same(first: str, second: str | None) -> bool:
    return second is not None and _words(first) == _words(second)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
