"""Print what the reader makes of every distinct real instruction, for a person to judge line by line.

    python benchmarks/judge_readings.py [--shared ../shared/data] [--unread]

The texts are other people's and stay out of the repository; the counts are in docs/typed-checks.md.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

from edit_metrics.instruction.instruction import Instruction, understand

SETS = ("triples.jsonl", "rated_edits/manifest.jsonl")


def main() -> None:
    """Print readings by set, and counts by type."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--unread", action="store_true", help="only what was not read in full")
    arguments = parser.parse_args()
    for name in SETS:
        found = [understand(text) for text in read_texts(arguments.shared / name)]
        print(f"== {name}: {len(found)} instructions, {sum(one.read for one in found)} read in full")
        for number, one in enumerate(found, start=1):
            if not (arguments.unread and one.read):
                print(f"{number:4d} {one.text}\n{'':8s}{describe(one)}")
        print(f"types of what was read: {dict(Counter(str(one.edit_type) for one in found if one.read))}")
        print(f"what stopped the others: {dict(Counter(one.stopped for one in found if not one.read).most_common())}\n")


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
