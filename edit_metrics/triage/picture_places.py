"""Where Label Studio finds pictures: URLs as they are, local files through its local file serving.

Label Studio serves a local file only when it lies below its document root *and* in a folder that a project has
connected; the root itself cannot be connected. Only folders that hold pictures of the table are named. Pictures whose
only common folder is the root of the file system are copied into the triage folder, those of queued items alone: nobody
should serve a whole disk.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

from edit_metrics.io.atomic import write_bytes
from edit_metrics.io.sources import is_url

_LOCAL_FILES: Final = "/data/local-files/?d="
_SVG: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="320"><rect width="320" height="320" fill="#eeeeee"/>'
    '<text x="160" y="165" text-anchor="middle" font-family="sans-serif" font-size="18" fill="#555555">no picture'
    "</text></svg>"
)
NO_PICTURE: Final = "data:image/svg+xml;base64," + base64.b64encode(_SVG.encode()).decode()


@dataclass(frozen=True, slots=True)
class PicturePlaces:
    """From the table's paths to addresses.

    Attributes:
        base: folder or URL that relative paths of the table start from.
        document_root: Label Studio's LOCAL_FILES_DOCUMENT_ROOT.
        folders: what to connect as local storage, below the root; empty when every picture is a URL.
        bundle: folder that pictures are copied to when they are asked for; None: they stay where they are.
    """

    base: str
    document_root: Path
    folders: tuple[Path, ...]
    bundle: Path | None = None

    @classmethod
    def of(cls, paths: Iterable[str], base: str, evidence: Path | None, bundle: Path) -> PicturePlaces:
        """The deepest root that holds every local picture, and the folders right below it that do; else a bundle.

        Args:
            paths: the table's pictures, as they stand there; empty ones are skipped.
            base: see the attributes.
            evidence: folder of evidence pictures; None when there is none.
            bundle: where copies would go.
        """
        parents = {_resolve(path, base).parent for path in paths if path and not is_url(_absolute(path, base))}
        parents |= {evidence.resolve()} if evidence is not None else set()
        if not parents:
            return cls(base, Path.cwd(), ())
        common = Path(os.path.commonpath(sorted(map(str, parents))))
        root = common.parent if common in parents else common
        if root == Path(root.anchor):
            return cls(base, bundle.resolve().parent, (bundle.resolve(),), bundle.resolve())
        return cls(base, root, tuple(sorted({root / parent.relative_to(root).parts[0] for parent in parents})))

    def url(self, path: str) -> str:
        """The address of one picture; a placeholder where the table has none."""
        if not path:
            return NO_PICTURE
        absolute = _absolute(path, self.base)
        if is_url(absolute):
            return absolute
        here = _resolve(path, self.base)
        if self.bundle is not None:
            if not here.is_file():
                return NO_PICTURE
            here = _copied(here, self.bundle)
        return _LOCAL_FILES + quote(here.relative_to(self.document_root).as_posix())


def _copied(picture: Path, folder: Path) -> Path:
    """A copy, named by where the picture lay: the same picture of many items is copied once."""
    name = hashlib.sha256(str(picture).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    copy = folder / f"{name}{picture.suffix.lower()}"
    if not copy.is_file():
        write_bytes(picture.read_bytes(), copy)
    return copy


def _absolute(path: str, base: str) -> str:
    return path if is_url(path) or not is_url(base) else f"{base.rstrip('/')}/{path}"


def _resolve(path: str, base: str) -> Path:
    return (Path(base) / path).resolve()
