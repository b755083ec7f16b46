"""How many planted faults `edit-metrics lint` finds in sets of real edits, and what it says of the sets as they are.

    python benchmarks/lint_recall.py ../shared/data/triples.jsonl [MANIFEST …]

Planted, one kind at a time, in every row: the edit of another row, half a set away (swapped), a mask read the other way
round, and the edit in a strip with its source, the strip saved at the source's own size.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from edit_metrics.io.glance import GRID
from edit_metrics.io.images import decode_image
from edit_metrics.io.manifest import read_manifest
from edit_metrics.lint.checks.pairs import find_panels
from edit_metrics.lint.edit_set import EditSet, look_at
from edit_metrics.lint.registry import all_checks
from edit_metrics.types import EditItem

Grey = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


def with_items(edits: EditSet, items: list[EditItem]) -> EditSet:
    return EditSet(replace(edits.manifest, items=tuple(items)), edits.seen, edits.masks, edits.failures)


def found(code: str, edits: EditSet) -> set[int]:
    return {hit.row for hit in all_checks()[code].function(edits) if hit.row is not None}


def swapped(edits: EditSet) -> EditSet:
    """Each row with the edit of the row half a set away, of another source."""
    items = list(edits.items)
    half = len(items) // 2
    return with_items(
        edits, [replace(one, edited=items[(n + half) % len(items)].edited) for n, one in enumerate(items)]
    )


def turned(edits: EditSet) -> EditSet:
    other = {"edited": "preserved", "preserved": "edited"}
    return with_items(edits, [replace(one, mask_white_means=other[one.mask_white_means]) for one in edits.items])


def small(picture: Image.Image) -> Grey:
    return np.asarray(picture.convert("L").resize((GRID, GRID), Image.Resampling.BOX), np.float32)


def strips(edits: EditSet, panels: int, *, across: bool) -> Iterator[bool]:
    for index in edits.pairs.tolist():
        source = Image.fromarray(decode_image(edits.items[index].source).pixels)
        edited = Image.fromarray(decode_image(edits.items[index].edited).pixels).resize(source.size)
        width, height = source.size
        strip = Image.new("RGB", (width * panels, height) if across else (width, height * panels))
        for number in range(panels):
            place = (number * width, 0) if across else (0, number * height)
            strip.paste(source if number == 0 else edited, place)
        yield bool(find_panels(small(source)[None], small(strip.resize(source.size, Image.Resampling.LANCZOS))[None]))


def main(paths: list[str]) -> None:
    for path in paths:
        edits = look_at(read_manifest(path, allow_outside_root=True))
        n, masked = len(edits.pairs), sum(item.mask is not None for item in edits.items)
        told = {code: len(found(code, edits)) for code in all_checks()}
        print(f"{path}: {n} pairs, {masked} masks")
        print(f"  as it is: {', '.join(f'{code} {count}' for code, count in told.items() if count) or 'nothing'}")
        print(f"  swapped: {len(found('other_rows_source', swapped(edits))) / n:.0%} of {n} found")
        if masked:
            print(f"  masks turned: {len(found('mask_polarity', turned(edits))) / masked:.0%} of {masked} found")
        for panels, across in ((2, True), (2, False), (3, True)):
            share = np.mean(list(strips(edits, panels, across=across)))
            print(f"  strips of {panels} {'side by side' if across else 'stacked'}: {share:.0%} of {n} found")


if __name__ == "__main__":
    main(sys.argv[1:])
