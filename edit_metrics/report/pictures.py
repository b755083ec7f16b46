"""Pictures of single items as small data URIs: decoded by the package's one convention, never linked from outside."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edit_metrics.config import DecodeLimits
from edit_metrics.errors import ImageError, MissingExtraError
from edit_metrics.evidence.drawing import heat_picture, mask_picture, resized
from edit_metrics.evidence.files import boxes_name, drawn_in, evidence_name, item_key
from edit_metrics.evidence.registry import own_evidence
from edit_metrics.io.images import decode_image
from edit_metrics.io.masks import decode_mask, fit_mask
from edit_metrics.io.sources import OutsideRootError, resolve_path
from edit_metrics.report.links import Links
from edit_metrics.report.overlays import FINE_SIDE, overlay_svg, overlay_uri
from edit_metrics.scores.words import in_words
from edit_metrics.types import RGB, Float64, Mask

if TYPE_CHECKING:
    from edit_metrics.choices import WhiteMeans
    from edit_metrics.scores.items import Item

THUMBNAIL_SIDE: Final = 224
"""px of the longer side."""
TINY_SIDE: Final = 64
"""px of the longer side in a row of the table."""
_PAIR_SIDE: Final = 448
"""px: evidence that shows two pictures side by side."""
_QUALITY: Final = 70
_LIMITS: Final = DecodeLimits()
_DIFFERENCE_TOP: Final = 60.0  # ΔE76: unaligned differences are large
_TO_XYZ: Final = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


@dataclass(frozen=True, slots=True)
class Figure:
    """One small picture with its caption.

    Attributes:
        uri: a data URI; empty when there is no picture.
        note: why there is none; empty when there is one.
        wide: takes the room of two.
        role: what the viewer does with it: ``picture`` (compared), ``map`` (laid over), ``mask``, ``pair`` (left out:
            two pictures in one).
        kind: ``source``, ``edited``, ``change`` …
        full: address of the full picture; empty where the page cannot reach one.
        overlay: of a mask, a data URI to lay over either picture.
    """

    caption: str
    uri: str
    width: int = 0
    height: int = 0
    note: str = ""
    wide: bool = False
    role: str = "picture"
    kind: str = ""
    full: str = ""
    overlay: str = ""


@dataclass(frozen=True)
class PictureStore:
    """Where pictures are read from.

    Attributes:
        root: folder or URL that the table's paths are relative to; None when nobody knows.
        allow_outside_root: as when scoring.
        evidence: the run's ``evidence/``; None when it has none.
        links: from files to addresses of full pictures; None: the page has none.
    """

    root: str | None
    allow_outside_root: bool = False
    evidence: Path | None = None
    links: Links | None = None

    def thumbnail(self, path: str, caption: str, name: str) -> Figure:
        """A picture of the table as a small figure, or why it cannot be shown.

        Args:
            path: as in the table.
            caption: under the picture.
            name: ``source``, ``edited`` …, for the words when it is missing.
        """
        return self._shown(path, self._decode(path, name), caption, name)

    def figures(self, item: Item) -> list[Figure]:
        """Source, edited picture, change map, mask, and further evidence that the run has drawn."""
        source, edited = self._decode(item.source, "source"), self._decode(item.edited, "edited")
        found = [
            self._shown(item.source, source, "source", "source"), self._shown(item.edited, edited, "edited", "edited")
        ]  # fmt: skip
        found += self._change(item, source, edited)
        found += self._mask(item, source)
        own = own_evidence()
        # Of ours those that show more than the maps; all of a plug-in's, which was installed to be seen.
        further = [kind for kind in self.evidence_kinds(item.id) if kind not in own or own[kind].wide]
        found += [figure for kind in further if (figure := self._evidence(item.id, kind)) is not None]
        return found

    def evidence_kinds(self, item_id: str) -> list[str]:
        """Kinds of evidence that the run has drawn of an item: ours in the order of showing, then those of plug-ins."""
        drawn = self._drawn.get(item_key(item_id), frozenset())
        own = own_evidence()
        return [kind for kind in own if kind in drawn] + sorted(drawn - own.keys())

    @cached_property
    def _drawn(self) -> Mapping[str, frozenset[str]]:
        return {} if self.evidence is None else drawn_in(self.evidence)

    def look(self, item: Item) -> list[Any]:
        """An item without a card, for its row: two tiny pictures, the addresses of the full ones, boxes, mask."""
        source, edited = self._decode(item.source, "source"), self._decode(item.edited, "edited")
        full = (self._full(item.source), self._full(item.edited))
        return [_tiny(source), _tiny(edited), *full, self.boxes(item.id), self._row_mask(item, source)]

    def _row_mask(self, item: Item, source: RGB | str) -> str:
        """The mask to lay over the pictures; empty where there is none that can be read."""
        if not item.mask or isinstance(source, str):
            return ""
        try:
            return overlay_uri(self._decoded_mask(item, source))
        except (ImageError, OutsideRootError):
            return ""

    def boxes(self, item_id: str) -> Any:
        """Faces and lines of text that the run has marked; None where it has none."""
        path = None if self.evidence is None else self.evidence / boxes_name(item_id)
        if path is None or not path.is_file():
            return None
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return None

    def evidence_links(self, item_id: str) -> dict[str, str]:
        """Kind → address of the evidence that the run has drawn of an item."""
        folder, links = self.evidence, self.links
        if folder is None or links is None:
            return {}
        kinds = self.evidence_kinds(item_id)
        return {kind: links.evidence(folder, evidence_name(item_id, kind)) for kind in kinds}

    def _shown(self, path: str, picture: RGB | str, caption: str, kind: str) -> Figure:
        if isinstance(picture, str):
            return Figure(caption, "", note=picture, kind=kind)
        return replace(_figure(caption, picture), kind=kind, full=self._full(path))

    def tiny(self, path: str, name: str) -> str:
        """A picture of the table as a tiny data URI; empty where it cannot be shown."""
        return _tiny(self._decode(path, name))

    def _full(self, path: str) -> str:
        if self.links is None or not path:
            return ""
        try:
            return self.links.picture(self.resolve(path))
        except OutsideRootError:
            return ""

    def mask_overlay(self, item: Item) -> str:
        """The item's mask to lay over either picture, SVG: dark where it had to stay, outlined, clear inside.

        Raises:
            ImageError: no mask, or one that cannot be read.
            OutsideRootError: it, or the source, lies elsewhere.
        """
        if not item.mask:
            raise ImageError("a mask", "none", item.id, code="missing_file")
        source = decode_image(self.resolve(item.source), _LIMITS).pixels
        return overlay_svg(self._decoded_mask(item, source), FINE_SIDE)

    def resolve(self, path: str) -> str:
        """Where a picture of the table is.

        Raises:
            OutsideRootError: outside of what may be read, or nobody knows where the table's paths start.
        """
        if self.root is None:
            raise OutsideRootError(path)
        return resolve_path(path, self.root, self.allow_outside_root)

    def _decoded_mask(self, item: Item, source: RGB) -> Mask:
        meaning: WhiteMeans = "preserved" if item.mask_white_means == "preserved" else "edited"
        decoded = decode_mask(self.resolve(item.mask), _LIMITS, meaning)
        return fit_mask(decoded.mask, (source.shape[1], source.shape[0]))

    def _change(self, item: Item, source: RGB | str, edited: RGB | str) -> list[Figure]:
        drawn = self._evidence(item.id, "change")
        if drawn is not None:
            return [drawn]
        if isinstance(source, str) or isinstance(edited, str):
            return []
        figure = _figure("difference, not aligned", _difference(_shrunk(source), edited))
        return [replace(figure, role="map", kind="change")]

    def _mask(self, item: Item, source: RGB | str) -> list[Figure]:
        if not item.mask or isinstance(source, str):
            return []
        try:
            mask = self._decoded_mask(item, source)
        except (ImageError, OutsideRootError) as error:
            return [Figure("mask", "", note=_why(error, "mask"))]
        figure = _figure("mask", mask_picture(source, mask))
        return [replace(figure, role="mask", kind="mask", overlay=overlay_uri(mask))]

    def _evidence(self, item_id: str, kind: str) -> Figure | None:
        path = None if self.evidence is None else self.evidence / evidence_name(item_id, kind)
        if path is None or not path.is_file():
            return None
        known = own_evidence().get(kind)
        wide, caption = (known.wide, known.caption) if known is not None else (False, kind)
        picture = decode_image(str(path), _LIMITS).pixels
        figure = _figure(caption, picture, _PAIR_SIDE if wide else THUMBNAIL_SIDE, wide=wide)
        full = "" if self.links is None else self.links.evidence(path.parent, path.name)
        return replace(figure, role="pair" if wide else "map", kind=kind, full=full)

    def _decode(self, path: str, name: str) -> RGB | str:
        """The picture, or in words why there is none."""
        if not path:
            return "The table names no file."
        try:
            return decode_image(self.resolve(path), _LIMITS).pixels
        except (ImageError, OutsideRootError, MissingExtraError) as error:
            return _why(error, name)


def _tiny(picture: RGB | str) -> str:
    return "" if isinstance(picture, str) else _figure("", picture, TINY_SIDE).uri


def _why(error: Exception, name: str) -> str:
    if isinstance(error, ImageError):
        return in_words(f"{name}_{error.code}")
    if isinstance(error, OutsideRootError):
        return "Lies outside the manifest's folder; see --root and --allow-outside-root."
    return str(error)


def _difference(source: RGB, edited: RGB) -> RGB:
    """Heat of ΔE76 at thumbnail size: a stand-in where the run has drawn no change map."""
    size = (source.shape[1], source.shape[0])
    distance = np.linalg.norm(_lab(source) - _lab(resized(edited, size)), axis=2)
    return heat_picture(source, np.asarray(distance, np.float32), _DIFFERENCE_TOP)


def _lab(picture: RGB) -> Float64:
    """CIELAB under D65 from sRGB (IEC 61966-2-1). The metrics' own is OpenCV's, which a report does without."""
    value = picture / 255.0
    linear = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    ratios = linear @ _TO_XYZ.T / _TO_XYZ.sum(axis=1)  # white is 1, 1, 1
    f = np.where(ratios > (6 / 29) ** 3, np.cbrt(ratios), ratios * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=2)


def _shrunk(picture: RGB, side: int = THUMBNAIL_SIDE) -> RGB:
    height, width = picture.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return picture if scale == 1 else resized(picture, size)


def _figure(caption: str, picture: RGB, side: int = THUMBNAIL_SIDE, *, wide: bool = False) -> Figure:
    from PIL import Image

    small = _shrunk(picture, side)
    stream = io.BytesIO()
    Image.fromarray(small).save(stream, "WEBP", quality=_QUALITY, method=4)
    uri = "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
    return Figure(caption, uri, small.shape[1], small.shape[0], wide=wide)


def png_uri(path: Path) -> str:
    """A PNG file of this package's plots as a data URI."""
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()
