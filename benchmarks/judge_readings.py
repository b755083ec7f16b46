"""Print what the reader makes of every real instruction, for a person to judge line by line, and count by check.

    python benchmarks/judge_readings.py [--shared ../shared/data] [--unread] [--counts]

The texts are other people's and stay out of the repository; what a person judged wrong, or plain and not read, is in
``judged_readings.toml`` by its place in the file. ``--counts`` prints the table of docs/typed-checks.md alone.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections import Counter
from pathlib import Path
from typing import Final

from edit_metrics.instruction.check_area import AREA_EDITS
from edit_metrics.instruction.check_colour import COLOUR_EDITS
from edit_metrics.instruction.check_geometry import GEOMETRY_EDITS
from edit_metrics.instruction.check_text import TEXT_EDITS
from edit_metrics.instruction.check_tone import TONE_EDITS
from edit_metrics.instruction.edits import Replace
from edit_metrics.instruction.instruction import Instruction, understand

SETS = ("triples.jsonl", "rated_edits/manifest.jsonl")

JUDGED = Path(__file__).with_name("judged_readings.toml")
KINDS: Final = {
    "colour": COLOUR_EDITS,
    "tone": TONE_EDITS,
    "text": TEXT_EDITS,
    "geometry": GEOMETRY_EDITS,
    "change area and replacements": (*AREA_EDITS, Replace),
}


def main() -> None:
    """Print readings by set, and counts by type and by check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--unread", action="store_true", help="only what was not read in full")
    parser.add_argument("--counts", action="store_true", help="the counts by check alone")
    arguments = parser.parse_args()
    for name in SETS if not arguments.counts else ():
        found = [understand(text) for text in read_texts(arguments.shared / name)]
        print(f"== {name}: {len(found)} instructions, {sum(one.read for one in found)} read in full")
        for number, one in enumerate(found, start=1):
            if not (arguments.unread and one.read):
                print(f"{number:4d} {one.text}\n{'':8s}{describe(one)}")
        print(f"types of what was read: {dict(Counter(str(one.edit_type) for one in found if one.read))}")
        print(f"what stopped the others: {dict(Counter(one.stopped for one in found if not one.read).most_common())}\n")
    show_counts(arguments.shared)


def show_counts(shared: Path) -> None:
    """How many readings of each check's edits are right and wrong, and how many plain instructions are not read."""
    judged = tomllib.loads(JUDGED.read_text(encoding="utf-8"))
    read: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for name in SETS:
        for number, text in enumerate(read_texts(shared / name), start=1):
            one = understand(text)
            named = [kind for kind, places in judged[name]["plain"].items() if number in places]
            if one.read:
                kind = kind_of(one)
                (wrong if number in judged[name]["wrong"] else read)[kind] += 1
                if named:
                    print(f"{name} {number} is read now: look at it again, and mend {JUDGED.name}")
            elif named:
                plain[named[0]] += 1
    print("| check | read rightly | read wrongly | not read though plain |\n|---|---|---|---|")
    for kind in (*KINDS, "none"):
        print(f"| {kind} | {read[kind]} | {wrong[kind]} | {plain[kind]} |")
    total = sum(len(read_texts(shared / name)) for name in SETS)
    unread = total - read.total() - wrong.total() - plain.total()
    found = f"{read.total()} rightly, {wrong.total()} wrongly, {plain.total()} not read though plain"
    print(f"of {total}: {found}, {unread} not read that are not plain")


def kind_of(one: Instruction) -> str:
    """The check that is for the first edit of a reading."""
    return next((name for name, kinds in KINDS.items() if isinstance(one.edits[0], kinds)), "none")


def read_texts(file: Path) -> list[str]:
    """Every instruction of a JSONL file, with repetitions."""
    rows = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    return [row["instruction"] for row in rows if row.get("instruction")]


def describe(one: Instruction) -> str:
    """A reading on one line, or what stopped it."""
    if not one.read:
        return f"NOT READ at {one.stopped!r}; perhaps {one.edit_type}"
    spelt = "".join(f"  [{wrong} read as {right}]" for wrong, right in one.corrected)
    return "; ".join(map(str, one.edits)) + spelt


if __name__ == "__main__":
    main()
