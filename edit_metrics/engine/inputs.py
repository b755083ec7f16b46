"""From an item to decoded arrays: the base inputs that features and metrics ask for by name."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from edit_metrics.config import DecodeLimits
from edit_metrics.engine.budget import BYTES_A_MASK_PIXEL, pixel_bytes
from edit_metrics.errors import ImageError
from edit_metrics.io.formats import peek_picture
from edit_metrics.io.hashing import canonical_json_sha256, perceptual_hash
from edit_metrics.io.images import DecodedImage, DecodeInfo, MaskFacts, PictureFacts, decode_bytes
from edit_metrics.io.masks import DecodedMask, decode_mask_bytes, fit_mask
from edit_metrics.io.sources import read_bytes
from edit_metrics.types import (
    OUT_OF_MEMORY,
    EditItem,
    Mask,
    Missing,
    Rejection,
    failed,
    not_applicable,
    unavailable,
    undefined,
)

TEXT_INPUTS = ("instruction", "source_caption", "target_caption", "edit_type", "frame")


@dataclass(frozen=True, slots=True)
class DecodedItem:
    """An item with its base inputs.

    Attributes:
        values: base input → array, text or Missing; emptied by the scorer as soon as nothing reads them.
        group: the manifest's, else the source's content hash.
        pixels: of the source, what a batch is bounded by.
        contents: base input → hash of its content.
        unsettled: a file could not be fetched, or there was no memory for it: a later run tries again.
        absent: a file was not there.
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
    unsettled: bool = False
    absent: bool = False

    def content_hash(self, inputs: Sequence[str]) -> str:
        """What those base inputs hold, as one hash: never their ids or paths."""
        return canonical_json_sha256([self.contents[name] for name in inputs])


@dataclass(frozen=True, slots=True)
class RejectedAtDecoding:
    """An item whose files break the manifest's contract: a mask of another shape than the source."""

    rejection: Rejection


@dataclass(frozen=True, slots=True)
class _File:
    """A file of an item: its bytes and what its header says, or why there are none.

    Attributes:
        facts: None where the header cannot be read; decoding says why.
    """

    path: str
    data: bytes
    error: ImageError | None = None
    facts: PictureFacts | None = None

    @property
    def size(self) -> tuple[int, int]:
        return (0, 0) if self.facts is None else (self.facts.width, self.facts.height)

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]


@dataclass(frozen=True, slots=True)
class OpenedItem:
    """An item whose files are read, and no pixel decoded.

    Attributes:
        cap: px of the longer side on which costly measures are taken, see :func:`edit_metrics.engine.budget.grid_cap`.
    """

    item: EditItem
    source: _File
    edited: _File
    mask: _File | None
    references: tuple[_File, ...]
    cap: int | None = None

    @property
    def source_pixels(self) -> int:
        """By its header."""
        return self.source.pixels

    @property
    def unsettled(self) -> bool:
        """Whether a file could not be fetched, which says nothing of the file."""
        return any(error.passing for error in self._errors)

    @property
    def absent(self) -> bool:
        """Whether a file was not there."""
        return any(error.code == "missing_file" for error in self._errors)

    @property
    def _errors(self) -> list[ImageError]:
        files = (self.source, self.edited, self.mask, *self.references)
        return [one.error for one in files if one is not None and one.error is not None]

    @property
    def cost(self) -> int:
        """Bytes that scoring it may take at its peak: whatever lies on the source's grid, and E on its own."""
        pictures = pixel_bytes((self.source.size, self.edited.size), self.cap)
        pictures += sum(pixel_bytes((one.size,), self.cap) // 2 for one in self.references)
        files = [self.source, self.edited, *self.references, *([self.mask] if self.mask else [])]
        masks = 0 if self.mask is None else BYTES_A_MASK_PIXEL * self.mask.pixels
        return pictures + masks + sum(len(one.data) for one in files)


def open_item(item: EditItem, limits: DecodeLimits, cap: int | None = None) -> OpenedItem:
    """Read an item's files and their headers. Safe to call from several threads.

    Args:
        item: of the manifest.
        limits: of a file.
        cap: see :class:`OpenedItem`.
    """
    return OpenedItem(
        item,
        _open(item.source, limits),
        _open(item.edited, limits),
        None if item.mask is None else _open(item.mask, limits),
        tuple(_open(path, limits) for path in item.references),
        cap,
    )


def decode_item(item: EditItem, limits: DecodeLimits) -> DecodedItem | RejectedAtDecoding:
    """Read and decode an item's files; see :func:`decode_opened`."""
    return decode_opened(open_item(item, limits), limits)


def decode_opened(opened: OpenedItem, limits: DecodeLimits) -> DecodedItem | RejectedAtDecoding:
    """Decode an item's files. A file that is missing or broken becomes a typed missing value.

    Safe to call from several threads. Small pictures are decoded, so that feasibility can say that they are small.
    Where there is no memory for the pixels, the item comes without any: ``failed(out_of_memory)``, and unsettled.
    """
    try:
        return _decode_opened(opened, limits)
    except MemoryError as error:
        return replace(_without_pixels(opened, failed(error)), unsettled=True)


def _decode_opened(opened: OpenedItem, limits: DecodeLimits) -> DecodedItem | RejectedAtDecoding:
    item = opened.item
    source = _decode(opened.source, limits, "source")
    edited = _decode(opened.edited, limits, "edited")
    try:
        mask, mask_facts = _decode_mask(opened, limits, source)
    except ImageError as error:
        got = error.got if isinstance(source, Missing) else f"{error.got}, {item.mask}"
        return RejectedAtDecoding(Rejection(item.line, item.id, "mask", error.expected, got))
    references = tuple(_decode(file, limits, "reference") for file in opened.references)
    info = DecodeInfo(_facts(source), _facts(edited), mask_facts, tuple(map(_facts, references)))
    values = _texts(item) | {
        "source": _pixels(source),
        "edited_native": _pixels(edited),
        "mask": mask,
        "references": _references(references),
        "decode_info": info,
    }
    decoded = _decoded(item, values, info, _phash(source), _phash(edited))
    return replace(decoded, unsettled=opened.unsettled, absent=opened.absent)


def without_pixels(opened: OpenedItem, _limits: DecodeLimits) -> DecodedItem:
    """An item that is too large for the memory: files and texts are known, and whatever needs a pixel is undefined."""
    return _without_pixels(opened, undefined("too_large"))


def _without_pixels(opened: OpenedItem, why: Missing) -> DecodedItem:
    item = opened.item
    named = (("source", opened.source), ("edited", opened.edited), *(("reference", one) for one in opened.references))
    source, edited, *references = [_facts_of_header(file, name, why) for name, file in named]
    info = DecodeInfo(source, edited, not_applicable("no_mask"), tuple(references))
    absent = not_applicable("no_mask"), not_applicable("no_references")
    values = _texts(item) | {
        "source": why,
        "edited_native": why,
        "mask": absent[0] if opened.mask is None else why,
        "references": why if references else absent[1],
        "decode_info": info,
    }
    return replace(_decoded(item, values, info, None, None), unsettled=opened.unsettled, absent=opened.absent)


def _facts_of_header(file: _File, name: str, why: Missing) -> PictureFacts | Missing:
    if file.facts is not None:
        return file.facts
    known = file.error is not None and file.error.code != OUT_OF_MEMORY
    return undefined(f"{name}_{file.error.code}") if known and file.error else why


def _decoded(
    item: EditItem, values: dict[str, Any], info: DecodeInfo, source_phash: str | None, edited_phash: str | None
) -> DecodedItem:
    source = info.source
    return DecodedItem(
        item=item,
        values=values,
        group=item.group or _source_group(item, source),
        source_phash=source_phash,
        edited_phash=edited_phash,
        source_sha256=_sha256(source),
        edited_sha256=_sha256(info.edited),
        pixels=0 if isinstance(source, Missing) else source.width * source.height,
        contents=_contents(values),
    )


def _open(path: str, limits: DecodeLimits) -> _File:
    try:
        data = read_bytes(path, limits.max_bytes)
    except ImageError as error:
        return _File(path, b"", error)
    except MemoryError as error:
        return _File(path, b"", ImageError("memory for a file", str(error), path, code=OUT_OF_MEMORY, passing=True))
    try:
        peeked = peek_picture(data, limits, path)
    except ImageError:
        return _File(path, data)
    size, sha256 = peeked.image.size, hashlib.sha256(data).hexdigest()
    return _File(path, data, None, PictureFacts(*size, peeked.format, peeked.conversions, sha256))


def _texts(item: EditItem) -> dict[str, Any]:
    return {
        "instruction": _text(item.instruction, "no_instruction"),
        "source_caption": _text(item.source_caption, "no_source_caption"),
        "target_caption": _text(item.target_caption, "no_target_caption"),
        "edit_type": _text(item.edit_type, "no_edit_type"),
        "frame": item.frame,
    }


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


def _decode(file: _File, limits: DecodeLimits, name: str) -> DecodedImage | Missing:
    try:
        if file.error is not None:
            raise file.error
        return decode_bytes(file.data, limits, where=file.path)
    except ImageError as error:
        _raise_if_out_of_memory(error)
        return undefined(f"{name}_{error.code}")


def _raise_if_out_of_memory(error: ImageError) -> None:
    if error.code == OUT_OF_MEMORY:
        raise MemoryError(error.got) from error


def _decode_mask(
    opened: OpenedItem, limits: DecodeLimits, source: DecodedImage | Missing
) -> tuple[Mask | Missing, MaskFacts | Missing]:
    """The mask on the source's grid.

    Raises:
        ImageError: its shape does not fit the source, or what is white in it cannot be told: the row is rejected.
    """
    file = opened.mask
    if file is None:
        absent = not_applicable("no_mask")
        return absent, absent
    try:
        if file.error is not None:
            raise file.error
        decoded = decode_mask_bytes(file.data, limits, opened.item.mask_white_means, where=file.path)
    except ImageError as error:
        _raise_if_out_of_memory(error)
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


def _sha256(decoded: PictureFacts | Missing) -> str | None:
    return None if isinstance(decoded, Missing) else decoded.sha256


def _source_group(item: EditItem, source: PictureFacts | Missing) -> str:
    if isinstance(source, Missing):
        # No content to hash: items that name the same broken file still belong together.
        return "path-" + hashlib.sha256(item.source.encode()).hexdigest()[:16]
    return source.sha256[:16]


def _text(text: str | None, reason: str) -> Any:
    return unavailable(reason) if text is None else text
