"""Names of evidence pictures in ``evidence/`` of a run folder, and what lies there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edit_metrics.scores.table import EVIDENCE_NAME

__all__ = ["EVIDENCE_NAME", "boxes_name", "drawn_in", "evidence_name", "item_key"]

_ENDING: Final = ".webp"


def item_key(item_id: str) -> str:
    """What the names of an item's pictures start with: ids may hold any character, so their SHA-256 stands for them."""
    return hashlib.sha256(item_id.encode("utf-8", "surrogatepass")).hexdigest()


def evidence_name(item_id: str, kind: str) -> str:
    """File name of one picture."""
    return f"{item_key(item_id)}-{kind}{_ENDING}"


def boxes_name(item_id: str) -> str:
    """File name of an item's boxes as numbers; see :func:`edit_metrics.evidence.drawing.marks_record`."""
    return f"{item_key(item_id)}-boxes.json"


def drawn_in(folder: Path) -> Mapping[str, frozenset[str]]:
    """:func:`item_key` → kinds, for all pictures of a folder; one look, however many items there are."""
    found: dict[str, set[str]] = {}
    for entry in os.scandir(folder) if folder.is_dir() else ():
        key, separator, kind = entry.name.removesuffix(_ENDING).partition("-")
        if separator and entry.name.endswith(_ENDING):
            found.setdefault(key, set()).add(kind)
    return {key: frozenset(kinds) for key, kinds in found.items()}
