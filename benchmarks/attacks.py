"""Long attacks on the whole program: each prints a row of the table in docs/reliability.md.

    python benchmarks/attacks.py --list
    python benchmarks/attacks.py [FAMILY ...] [--tries 20] [--seed 0]

A family is a function in ``benchmarks/attack_*.py``, named in that file's ``FAMILIES``: it is given random numbers, a
number of tries and an empty folder, and returns rows. A new file needs no change here. The seed is printed; the exit
code is 1 when the program did not keep its word somewhere. ``tests/test_attacks.py`` runs a slice.
"""

from __future__ import annotations

import argparse
import importlib
import random
import sys
import tempfile
import time
from pathlib import Path

from attacking import Attack, Family, Outcome


def families() -> dict[str, Family]:
    """Name → attack, of every ``attack_*.py`` beside this file."""
    names = sorted(path.stem for path in Path(__file__).resolve().parent.glob("attack_*.py"))
    return {name: one for module in names for name, one in importlib.import_module(module).FAMILIES.items()}


def attack(name: str, seed: int, tries: int) -> list[Outcome]:
    """Run one family, in a temporary folder; equal seeds make equal choices, whatever else is run."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        return list(families()[name](Attack(random.Random(f"{name} {seed}"), tries, Path(folder).resolve())))


def row_of(name: str, outcome: Outcome) -> str:
    """A row of the table."""
    broken = "" if outcome.held else "**BROKEN** "
    return f"| {name} | {outcome.fault} | {outcome.tries} | {broken}{outcome.happened} | {outcome.lost} |"


def main() -> int:
    """Attack, print the table, say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("family", nargs="*", help="default: all")
    parser.add_argument("--tries", type=int, default=20, help="of each fault, about")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="print the families and end")
    arguments = parser.parse_args()
    known = families()
    if arguments.list:
        for name, one in known.items():
            print(f"{name}: {(one.__doc__ or '').strip().splitlines()[0]}")
        return 0
    unknown = [name for name in arguments.family if name not in known]
    if unknown:
        parser.error(f"no family {', '.join(unknown)}; known: {', '.join(known)}")
    print(f"seed {arguments.seed}, about {arguments.tries} tries of each fault\n")
    print("| family | fault | tries | what happened | what was lost |\n|---|---|---|---|---|")
    held = True
    started = time.monotonic()
    for name in arguments.family or known:
        for outcome in attack(name, arguments.seed, arguments.tries):
            print(row_of(name, outcome), flush=True)
            held &= outcome.held
    print(f"\n{time.monotonic() - started:.0f} s")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
