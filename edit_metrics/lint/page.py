"""Findings on a page, with the pictures that they are about."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from edit_metrics.io.atomic import write_bytes
from edit_metrics.lint.findings import Finding, Linted, id_of, line_of
from edit_metrics.lint.registry import Hit
from edit_metrics.report.html import render
from edit_metrics.report.links import BesideLinks
from edit_metrics.report.pictures import Figure, PictureStore

SHOWN: Final = 24
"""Hits with pictures, of each finding."""
LISTED: Final = 500
"""Further ones as lines of a table: a set may have 10⁵ of one kind, and a page must open."""
_THREADS: Final = 4


@dataclass(frozen=True, slots=True)
class Card:
    """One hit with its pictures."""

    id: str
    line: int
    detail: str
    instruction: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One finding on the page.

    Attributes:
        n: its hits; of these ``cards`` have pictures, ``rest`` are lines, the others are left to ``--json``.
    """

    code: str
    severity: str
    title: str
    todo: str
    n: int
    cards: tuple[Card, ...]
    rest: tuple[Card, ...]


def write_page(linted: Linted, out: Path) -> int:
    """Write the page; returns its bytes."""
    manifest = linted.edits.manifest
    # The rows' paths are resolved already, and were held against the root when the manifest was read.
    store = PictureStore(manifest.root, True, None, BesideLinks(out.parent))
    with ThreadPoolExecutor(_THREADS) as pool:
        sections = [_section(linted, one, store, pool) for one in linted.findings]
    page = render(
        "lint.html",
        title=f"Lint: {Path(manifest.path).name}",
        manifest=manifest.path,
        rows=linted.rows,
        checked=len(linted.checked),
        counts=linted.counts(),
        sections=sections,
        skipped=linted.skipped,
    )
    data = page.encode("utf-8", "replace")
    write_bytes(data, out)
    return len(data)


def _section(linted: Linted, finding: Finding, store: PictureStore, pool: ThreadPoolExecutor) -> Section:
    check = finding.check
    first = finding.hits[:SHOWN]
    cards = tuple(pool.map(lambda hit: _card(linted, hit, _figures(linted, hit, store)), first))
    rest = tuple(_card(linted, hit, ()) for hit in finding.hits[SHOWN : SHOWN + LISTED])
    return Section(check.code, str(check.severity), check.title, check.todo, len(finding.hits), cards, rest)


def _card(linted: Linted, hit: Hit, figures: Sequence[Figure]) -> Card:
    instruction = "" if hit.row is None else linted.edits.items[hit.row].instruction or ""
    return Card(id_of(linted, hit), line_of(linted, hit), hit.detail, instruction, tuple(figures))


def _figures(linted: Linted, hit: Hit, store: PictureStore) -> list[Figure]:
    """Source and edit, the mask as it lies in its file, and the pair of the other row."""
    if hit.row is None:
        return []
    item = linted.edits.items[hit.row]
    found = [store.thumbnail(item.source, "source", "source"), store.thumbnail(item.edited, "edited", "edited")]
    if item.mask is not None:
        mask = store.thumbnail(item.mask, f"mask file, white = {item.mask_white_means}", "mask")
        found.append(replace(mask, role="pair"))
    for index in hit.also[:1]:
        other = linted.edits.items[index]
        for path, name in ((other.source, "source"), (other.edited, "edited")):
            found.append(replace(store.thumbnail(path, f"{name} of {other.id}", name), role="pair"))
    return found
