"""Text of E read in crops of the change against E read whole: are the verdicts the same, and what is saved?

    python benchmarks/measure_ocr_crops.py [made] [real] [cost] [--shared ../shared/data]

``made``: words replaced, added and taken away on photographs of scikit-image with several signs, some at the frame's
border, at 512, 1024 and 2048 px; E as it is, as JPEG 85, as JPEG 60, and softened with noise. ``real``: the text edits
among the shared edits with their own instructions, and every shared pair with instructions made from the lines that
are read off it (each taken away, written, replaced by another). ``cost``: CPU and wall ms of reading E, by size.
Counted: verdicts of ``check_text`` that are equal to the sixth digit; each that is not is printed. *Other side*: one is
yes or no, and the other is not. *Coded anew*: what the whole reading itself gives otherwise of E as JPEG 95, of real
pairs. Minutes each.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from drawn_text import ENCODINGS, NEW, WORDS, drawn, edits_of, jpeg, pages, photograph, signs_of

from edit_metrics.backends.rapid_ocr import RapidOcr
from edit_metrics.features import alignment
from edit_metrics.features import instruction as features
from edit_metrics.features.grids import picture_grid
from edit_metrics.instruction import scope
from edit_metrics.instruction.check_text import check_text
from edit_metrics.instruction.checking import YES
from edit_metrics.instruction.instruction import understand
from edit_metrics.instruction.letters import is_latin, plain
from edit_metrics.io.images import decode_image
from edit_metrics.metrics.grid import fit_to_grid
from edit_metrics.perceived import TextLine
from edit_metrics.pixels.crops import Crop
from edit_metrics.pixels.lab import LabPair, rgb_to_lab
from edit_metrics.pixels.reducing import reduced
from edit_metrics.types import RGB, Mask, Missing, Noted, Result

SHARED: Final = Path(__file__).resolve().parents[2] / "shared" / "data"
SETS: Final = (
    "triples.jsonl", "rated_edits/manifest.jsonl", "multi_method/manifest.jsonl", "cases/checks/manifest.jsonl",
)  # fmt: skip
SIDES: Final = (512, 1024, 2048)
WORKING: Final = 1024


class Reader(RapidOcr):
    """RapidOCR that reads each part of a picture once, whatever is asked of it."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.parts: dict[tuple[int, Crop], tuple[TextLine, ...]] = {}
        self.kept: list[RGB] = []

    def read_parts(self, image: RGB, parts: Sequence[Crop]) -> list[tuple[TextLine, ...]]:
        """As RapidOCR does."""
        new = [part for part in parts if (id(image), part) not in self.parts]
        for part, found in zip(new, super().read_parts(image, new), strict=True):
            self.parts[id(image), part] = found
        self.kept.append(image)  # so that no other picture gets its id
        return [self.parts[id(image), part] for part in parts]


@dataclass
class Pair:
    """S and E, where E changed, and what was read off them whole."""

    source: RGB
    edited: RGB
    reader: Reader
    recoded: bool = False
    again: tuple[TextLine, ...] | None = field(init=False, default=None)
    changed: Mask | Missing = field(init=False)
    before: tuple[TextLine, ...] = field(init=False)
    after: tuple[TextLine, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.changed = changed_in_place(self.source, self.edited)
        self.before, self.after = self.reader.read_text([self.source, self.edited])
        if self.recoded and not isinstance(self.changed, Missing):
            (self.again,) = self.reader.read_text([jpeg(self.edited, 95)])

    def in_crops(self, text: str) -> tuple[TextLine, ...] | None:
        """Lines of E read in crops for an instruction; None where it is read whole."""
        if isinstance(self.changed, Missing):
            return None
        return features.read_in_crops(
            self.source, self.edited, understand(text), self.before, self.changed, self.reader
        )

    def verdict(self, text: str, after: tuple[TextLine, ...]) -> Result:
        """What the check says of an instruction with these lines of E."""
        return check_text(understand(text), self.edited, self.before, after, blank=False)


class Count:
    """Equal and other verdicts by case."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[str]] = {}

    def compare(self, case: str, name: str, pair: Pair, text: str) -> None:
        """Ask with both readings."""
        row = self.rows.setdefault(case, Counter())
        row["asked"] += 1
        after = pair.in_crops(text)
        if after is None:
            row["read whole"] += 1
            return
        if pair.again is not None:
            row["recoded"] += shown(pair.verdict(text, pair.after)) != shown(pair.verdict(text, pair.again))
        found = [pair.verdict(text, lines) for lines in (pair.after, after)]
        whole, crops = map(shown, found)
        row["verdict"] += isinstance(found[0], Noted)
        row["equal" if whole == crops else "other"] += 1
        row["side"] += side_of(found[0]) != side_of(found[1])
        if whole != crops:
            print(f"{case}, {name}, {text!r}: whole {whole}, crops {crops}")
            print(f"    source {texts(pair.before)}\n    whole  {texts(pair.after)}\n    crops  {texts(after)}")

    def show(self) -> None:
        """Print the table."""
        columns = (
            "case | asked | read whole | in crops | with a verdict | equal | other | other side | coded anew: other"
        )
        print(f"| {columns} |\n" + "|---" * 9 + "|")
        total = sum(self.rows.values(), Counter[str]())
        for case, row in [*self.rows.items(), ("all", total)]:
            names = ("verdict", "equal", "other", "side", "recoded")
            cells = [row["asked"], row["read whole"], row["equal"] + row["other"], *(row[name] for name in names)]
            print(f"| {case} | {' | '.join(map(str, cells))} |")


def changed_in_place(source: RGB, edited: RGB) -> Mask | Missing:
    """The feature of that name, at the caps of the base profile."""
    grid = fit_to_grid(source, edited)
    if isinstance(grid, Missing):
        return grid
    size = picture_grid(source, max_side=WORKING).size
    before, after = (reduced(picture, size) for picture in (source, grid.edited))
    labs = LabPair(rgb_to_lab(before), rgb_to_lab(after))
    registration = alignment.registration(before, after)
    steadied = alignment.steadied_labs(labs, None if isinstance(registration, Missing) else registration)
    changes = alignment.whole_change_map(steadied, alignment.source_change_reference(labs))
    return features.changed_in_place(grid, steadied, changes)


def shown(found: Result) -> str:
    """A verdict, or why there is none."""
    return f"{found.value:.6f}" if isinstance(found, Noted) else str(getattr(found, "reason", found))


def side_of(found: Result) -> bool | None:
    """Yes, no, or no verdict."""
    return found.value >= YES if isinstance(found, Noted) else None


def texts(lines: tuple[TextLine, ...]) -> list[str]:
    """What the lines say."""
    return [line.text for line in lines]


# --- made -------------------------------------------------------------------------------------------------------------


def compare_made(reader: Reader, sides: tuple[int, ...]) -> None:
    """Drawn text."""
    count = Count()
    for side in sides:
        for seed, name in enumerate(("astronaut", "coffee", "rocket", "chelsea")):
            scene, signs = photograph(name, side), signs_of(seed + side, side)
            source = drawn(scene, signs)
            edits = [(done, source, drawn(scene, after), asked) for done, after, asked in edits_of(signs)]
            edits += list(pages(side)) if name == "chelsea" else []
            for number, ((done, before, after, asked), how) in enumerate(product(edits, ENCODINGS)):
                if (number // len(ENCODINGS) + number + seed) % max(side // 128, 1):
                    continue  # every fourth, eighth, sixteenth: a whole reading takes seconds on the large ones
                pair = Pair(before, ENCODINGS[how](after), reader)
                for text in asked:
                    count.compare(f"{side} px, {done}", f"{name} {number}, {how}", pair, text)
            reader.parts.clear()
            reader.kept.clear()
    count.show()


# --- real -------------------------------------------------------------------------------------------------------------


def compare_real(reader: Reader, shared: Path) -> None:
    """The shared edits."""
    count = Count()
    for manifest in SETS:
        for row in map(json.loads, (shared / manifest).read_text(encoding="utf-8").splitlines()):
            folder = (shared / manifest).parent
            source, edited = (decode_image(str(folder / row[name])).pixels for name in ("source", "edited"))
            pair = Pair(source, edited, reader, recoded=True)
            if scope.asked_strings(understand(row.get("instruction") or "")):
                count.compare(f"{manifest}: its own", row["id"], pair, row["instruction"])
            for kind, text in questions(pair):
                count.compare(f"{manifest}: {kind}", row["id"], pair, text)
            reader.parts.clear()
            reader.kept.clear()
    count.show()


def questions(pair: Pair, most: int = 6) -> Iterator[tuple[str, str]]:
    """Instructions made from the lines of both pictures."""
    before, after = (
        [text for text in dict.fromkeys(texts(lines)) if is_latin(text) and len(plain(text)) > 2 and '"' not in text][
            :most
        ]
        for lines in (pair.before, pair.after)
    )
    yield from (("taken away", f'remove the text "{text}"') for text in before)
    yield from (("written", f'write "{text}"') for text in after)
    others = [*after[1:], *after[:1], *["Bakery"] * len(before)]
    for old, new in zip(before, others, strict=False):
        yield "replaced", f'change the text "{old}" to "{new}"'


# --- cost -------------------------------------------------------------------------------------------------------------


def measure_cost(sides: tuple[int, ...], repeats: int = 3) -> None:
    """A word replaced on one of seven signs, JPEG 85: reading E whole and in crops."""
    print("| side | lines | whole, CPU ms | wall ms | crops, CPU ms | wall ms |\n" + "|---" * 6 + "|")
    reader = RapidOcr(threads=1)
    text = f'change the text "{WORDS[3]}" to "{NEW[3]}"'
    for side in sides:
        spent: dict[str, list[tuple[float, float]]] = {"whole": [], "crops": []}
        lines = 0
        for seed, name in enumerate(("astronaut", "coffee", "rocket", "chelsea")):
            scene, signs = photograph(name, side), signs_of(seed + side, side)
            source = drawn(scene, signs)
            done = next(after for what, after, asked in edits_of(signs) if asked[0] == text)
            edited = jpeg(drawn(scene, done), 85)
            changed = changed_in_place(source, edited)
            (before,) = reader.read_text([source])
            lines += len(before)
            for _ in range(repeats):
                for way, times in spent.items():
                    started = time.process_time(), time.perf_counter()
                    if way == "whole" or isinstance(changed, Missing):
                        reader._read(edited)
                    elif features.read_in_crops(source, edited, understand(text), before, changed, reader) is None:
                        print(f"{name} at {side} px is read whole")
                    times.append((time.process_time() - started[0], time.perf_counter() - started[1]))
        cells = [1e3 * float(np.median(one)) for times in spent.values() for one in zip(*times, strict=True)]
        print(f"| {side} | {lines / 4:.1f} | {' | '.join(f'{cell:.0f}' for cell in cells)} |", flush=True)


def main() -> None:
    """Run the parts that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help="made, real, cost; all without")
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES)
    options = parser.parse_args()
    parts = options.parts or ["made", "real", "cost"]
    if "made" in parts:
        compare_made(Reader(), tuple(options.sides))
    if "real" in parts:
        compare_real(Reader(), options.shared)
    if "cost" in parts:
        measure_cost(tuple(options.sides))


if __name__ == "__main__":
    main()
