"""Print the parser's edit type and slots for every distinct real instruction, for a person to judge line by line.

The texts are other people's and stay out of the repository; the counts of wrong readings are in docs/typed-checks.md.

    python benchmarks/judge_parser.py [--shared ../shared/data]
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from dataclasses import fields
from pathlib import Path

from edit_metrics.instruction.parsed import Colour, Degree, ParsedInstruction
from edit_metrics.instruction.parser import parse_instruction


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    shared: Path = arguments.parse_args().shared
    for name, texts in (("human_ratings/scores.csv", read_rated(shared)), ("triples.jsonl", read_triples(shared))):
        parsed = [parse_instruction(text) for text in texts]
        print(f"== {name}: {len(texts)} distinct instructions")
        for number, reading in enumerate(parsed, start=1):
            print(f"{number:4d} {reading.edit_type:<10s} {reading.text}\n{'':16s}{describe(reading)}")
        print(f"types: {dict(Counter(str(reading.edit_type) for reading in parsed))}")
        print(f"with a doubt: {sum(reading.ambiguous for reading in parsed)} of {len(parsed)}\n")


def read_rated(shared: Path) -> list[str]:
    with (shared / "human_ratings" / "scores.csv").open(encoding="utf-8") as file:
        return list(dict.fromkeys(row["instruction"] for row in csv.DictReader(file)))


def read_triples(shared: Path) -> list[str]:
    rows = [json.loads(line) for line in (shared / "triples.jsonl").read_text(encoding="utf-8").splitlines()]
    return list(dict.fromkeys(row["instruction"] for row in rows if row.get("instruction")))


def describe(reading: ParsedInstruction) -> str:
    filled = []
    for field in fields(reading):
        value = getattr(reading, field.name)
        if field.name in {"text", "edit_type"} or not value:
            continue
        if isinstance(value, Colour):
            value = value.name
        elif isinstance(value, Degree):
            value = value.word if value.value is None else f"{value.value:g} {value.unit}"
        elif isinstance(value, tuple):
            value = ", ".join(value)
        filled.append(f"{field.name}={value}")
    return " | ".join(filled)


if __name__ == "__main__":
    main()
