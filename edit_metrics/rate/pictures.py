"""The pictures of the rating page: the files as they are where a browser can show them, else as PNG."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Final

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import EditMetricsError, ImageError
from edit_metrics.evidence.files import evidence_name
from edit_metrics.io.formats import sniff_format
from edit_metrics.io.images import decode_image
from edit_metrics.io.sources import OutsideRootError, read_bytes
from edit_metrics.report.pictures import PictureStore
from edit_metrics.scores.items import Item
from edit_metrics.scores.words import in_words

_TYPES: Final = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "WEBP": "image/webp",
    "GIF": "image/gif",
    "AVIF": "image/avif",
}
NAMES: Final = ("source", "edited", "mask", "change")


@dataclass(frozen=True, slots=True)
class Picture:
    """Bytes with their media type."""

    data: bytes
    media_type: str


class RunPictures:
    """Reads the pictures of a run's items.

    Args:
        store: where they are.
    """

    def __init__(self, store: PictureStore) -> None:
        self._store = store

    def read(self, item: Item, name: str) -> Picture:
        """One of ``NAMES`` of an item.

        Raises:
            ImageError: absent, broken, or outside of the root; the text is for the rater.
        """
        try:
            if name == "mask":
                return Picture(self._store.mask_overlay(item).encode(), "image/svg+xml")
            if name == "change":
                return Picture(self._change(item), "image/webp")
            path = self._store.resolve(item.source if name == "source" else item.edited)
            return _for_browser(read_bytes(path, DecodeLimits().max_bytes), path)
        except (OutsideRootError, OSError) as error:
            raise ImageError("a picture that can be read", str(error), code="missing_file") from error

    def why_missing(self, item: Item, name: str) -> str:
        """In words, why a picture cannot be shown; empty when it can."""
        try:
            self.read(item, name)
        except ImageError as error:
            return in_words(f"{name}_{error.code}")
        except EditMetricsError as error:
            return str(error)
        return ""

    def has_change(self, item: Item) -> bool:
        """Whether the run has drawn a change map of the item."""
        folder = self._store.evidence
        return folder is not None and (folder / evidence_name(item.id, "change")).is_file()

    def _change(self, item: Item) -> bytes:
        if self._store.evidence is None:
            raise ImageError("a change map", "none", code="missing_file")
        return (self._store.evidence / evidence_name(item.id, "change")).read_bytes()


def _for_browser(data: bytes, path: str) -> Picture:
    kind = sniff_format(data)
    if kind is None:
        raise ImageError("a picture", "another file", path, code="not_an_image")
    if kind in _TYPES:
        return Picture(data, _TYPES[kind])
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(decode_image(path, DecodeLimits()).pixels).save(stream, "PNG")
    return Picture(stream.getvalue(), "image/png")
