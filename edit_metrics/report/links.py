"""Where the page finds the full pictures: beside it on the disk, or in the bundle that it is packed into."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import quote

from edit_metrics.io.atomic import write_atomically
from edit_metrics.io.formats import sniff_format
from edit_metrics.io.sources import is_url

_SHOWN: Final = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "GIF": ".gif", "AVIF": ".avif", "BMP": ".bmp"}
"""Formats that browsers draw; every other file is left to its thumbnail."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the zip format's first moment: equal pages give equal bundles
EVIDENCE: Final = "evidence"


class Links(Protocol):
    """From a file on this machine to an address on the page."""

    def picture(self, path: str) -> str:
        """Address of a picture; empty where the page can have none (a URL, no file, a format that browsers lack)."""
        ...

    def evidence(self, folder: Path, name: str) -> str:
        """Address of a file of the run's evidence."""
        ...


class BesideLinks:
    """Relative links from the page's folder; they hold as long as page and pictures keep their places.

    Args:
        folder: where the page will lie.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()

    def picture(self, path: str) -> str:
        """See :class:`Links`."""
        return self._relative(Path(path)) if _format(path) else ""

    def evidence(self, folder: Path, name: str) -> str:
        """See :class:`Links`."""
        return self._relative(folder / name)

    def _relative(self, path: Path) -> str:
        try:
            return quote(os.path.relpath(path.resolve(), self._folder).replace(os.sep, "/"))
        except ValueError:  # another drive
            return ""


class BundleLinks:
    """Addresses inside a zip file; remembers what has to be packed."""

    def __init__(self) -> None:
        self._files: dict[str, Path] = {}

    def picture(self, path: str) -> str:
        """See :class:`Links`."""
        kind = _format(path)
        if kind is None:
            return ""
        return self._pack(f"pictures/{hashlib.sha256(os.fsencode(path)).hexdigest()[:20]}{_SHOWN[kind]}", Path(path))

    def evidence(self, folder: Path, name: str) -> str:
        """See :class:`Links`."""
        return self._pack(f"{EVIDENCE}/{name}", folder / name)

    @property
    def size(self) -> int:
        """Files to pack."""
        return len(self._files)

    def write(self, page: bytes, target: Path) -> int:
        """Pack the page as ``report.html`` with its pictures; returns the bundle's bytes."""

        def fill(file: Path) -> None:
            with zipfile.ZipFile(file, "w") as bundle:
                bundle.writestr(zipfile.ZipInfo("report.html", _EPOCH), page, zipfile.ZIP_DEFLATED)
                for name, path in sorted(self._files.items()):
                    # Pictures are packed already.
                    bundle.writestr(zipfile.ZipInfo(name, _EPOCH), path.read_bytes(), zipfile.ZIP_STORED)

        write_atomically(target, fill)
        return target.stat().st_size

    def _pack(self, name: str, path: Path) -> str:
        self._files[name] = path
        return name


def _format(path: str) -> str | None:
    """By content; None for what browsers do not draw, and for what is no file of this machine."""
    if is_url(path):
        return None
    try:
        with Path(path).open("rb") as file:
            kind = sniff_format(file.read(64))
    except OSError:
        return None
    return kind if kind in _SHOWN else None
