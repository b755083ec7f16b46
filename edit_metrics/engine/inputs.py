"""From an item to decoded arrays: the base inputs that features and metrics ask for by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError
from edit_metrics.io.hashing import canonical_json_sha256, perceptual_hash
from edit_metrics.io.images import DecodedImage, DecodeInfo, MaskFacts, PictureFacts, decode_image
from edit_metrics.io.masks import DecodedMask, decode_mask, fit_mask
from edit_metrics.types import EditItem, Mask, Missing, Rejection, not_applicable, unavailable, undefined

TEXT_INPUTS = ("instruction", "source_caption", "target_caption", "edit_type")


@dataclass(frozen=True, slots=True)
class DecodedItem:
    """An item with its base inputs.

    Attributes:
        values: base input → array, text or Missing; emptied by the scorer as soon as nothing reads them.
        group: the manifest's, else the source's content hash.
        pixels: of the source, what a batch is bounded by.
        contents: base input → hash of its content.
    """

    item: EditItem
    values: dict[str, Any]
    group: str
    source_phash: str | None
    edited_phash: str | None
    source_sha256: str | None
    edited_sha256: str | None
    pixels: int
    contents: Mapping[str, str]

    def content_hash(self, inputs: Sequence[str]) -> str:
        """What those base inputs hold, as one hash: never their ids or paths."""
        return canonical_json_sha256([self.contents[name] for name in inputs])


@dataclass(frozen=True, slots=True)
class RejectedAtDecoding:
    """An item whose files break the manifest's contract: a mask of another shape than the source."""

    rejection: Rejection


def decode_item(item: EditItem, limits: DecodeLimits) -> DecodedItem | RejectedAtDecoding:
    """Read and decode an item's files. A file that is missing or broken becomes a typed missing value.

    Safe to call from several threads. Small pictures are decoded, so that feasibility can say that they are small.
    """
    source = _decode(item.source, limits, "source")
    edited = _decode(item.edited, limits, "edited")
    try:
        mask, mask_facts = _decode_mask(item, limits, source)
    except ImageError as error:
        got = error.got if isinstance(source, Missing) else f"{error.got}, {item.mask}"
        return RejectedAtDecoding(Rejection(item.line, item.id, "mask", error.expected, got))
    references = tuple(_decode(path, limits, "reference") for path in item.references)
    values: dict[str, Any] = {
        "source": _pixels(source),
        "edited_native": _pixels(edited),
        "mask": mask,
        "references": _references(references),
        "instruction": _text(item.instruction, "no_instruction"),
        "source_caption": _text(item.source_caption, "no_source_caption"),
        "target_caption": _text(item.target_caption, "no_target_caption"),
        "edit_type": _text(item.edit_type, "no_edit_type"),
        "decode_info": DecodeInfo(_facts(source), _facts(edited), mask_facts, tuple(map(_facts, references))),
    }
    return DecodedItem(
        item=item,
        values=values,
        group=item.group or _source_group(item, source),
        source_phash=_phash(source),
        edited_phash=_phash(edited),
        source_sha256=_sha256(source),
        edited_sha256=_sha256(edited),
        pixels=0 if isinstance(source, Missing) else source.width * source.height,
        contents=_contents(values),
    )


def _contents(values: Mapping[str, Any]) -> dict[str, str]:
    info: DecodeInfo = values["decode_info"]
    hashes = {
        "source": _content(info.source),
        "edited_native": _content(info.edited),
        # Polarity is part of what a mask says, and so is the grid that it was fitted to.
        "mask": f"{_content(info.mask)}:{getattr(info.mask, 'white_means', '')}:{_content(info.source)}",
        "references": ",".join(map(_content, info.references)),
    }
    texts = {n: v if isinstance(v, str) else f"missing:{v.reason}" for n, v in values.items() if n in TEXT_INPUTS}
    hashes |= texts
    return hashes | {"decode_info": canonical_json_sha256(hashes)}


def _content(facts: PictureFacts | MaskFacts | Missing) -> str:
    return f"missing:{facts.reason}" if isinstance(facts, Missing) else facts.sha256


def _decode(path: str, limits: DecodeLimits, name: str) -> DecodedImage | Missing:
    try:
        return decode_image(path, limits)
    except ImageError as error:
        return undefined(f"{name}_{error.code}")


def _decode_mask(
    item: EditItem, limits: DecodeLimits, source: DecodedImage | Missing
) -> tuple[Mask | Missing, MaskFacts | Missing]:
    """The mask on the source's grid.

    Raises:
        ImageError: its shape does not fit the source, or what is white in it cannot be told: the row is rejected.
    """
    if item.mask is None:
        absent = not_applicable("no_mask")
        return absent, absent
    try:
        decoded = decode_mask(item.mask, limits, item.mask_white_means)
    except ImageError as error:
        if error.code == "mask_levels":
            raise
        broken = undefined(f"mask_{error.code}")
        return broken, broken
    if isinstance(source, Missing):
        return decoded.mask, decoded.facts
    fitted = fit_mask(decoded.mask, (source.width, source.height))
    return fitted, _mask_facts(decoded, fitted)


def _mask_facts(decoded: DecodedMask, fitted: Mask) -> MaskFacts:
    facts = decoded.facts
    return facts if fitted is decoded.mask else replace(facts, cautions=(*facts.cautions, "mask_resized"))


def _references(decoded: tuple[DecodedImage | Missing, ...]) -> Any:
    if not decoded:
        return not_applicable("no_references")
    broken = next((r for r in decoded if isinstance(r, Missing)), None)
    return broken or tuple(r.pixels for r in decoded if isinstance(r, DecodedImage))


def _pixels(decoded: DecodedImage | Missing) -> Any:
    return decoded if isinstance(decoded, Missing) else decoded.pixels


def _facts(decoded: DecodedImage | Missing) -> Any:
    return decoded if isinstance(decoded, Missing) else decoded.facts


def _phash(decoded: DecodedImage | Missing) -> str | None:
    return None if isinstance(decoded, Missing) else perceptual_hash(decoded.pixels)


def _sha256(decoded: DecodedImage | Missing) -> str | None:
    return None if isinstance(decoded, Missing) else decoded.sha256


def _source_group(item: EditItem, source: DecodedImage | Missing) -> str:
    if isinstance(source, Missing):
        # No content to hash: items that name the same broken file still belong together.
        return "path-" + hashlib.sha256(item.source.encode()).hexdigest()[:16]
    return source.sha256[:16]


def _text(text: str | None, reason: str) -> Any:
    return unavailable(reason) if text is None else text
