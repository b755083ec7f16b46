"""Word salads and mutated real instructions through the reader, and what a reading costs.

    python benchmarks/fuzz_reader.py [--salads 100000] [--mutants 10000] [--seed 0] [--shared ../shared/data]

Salads: 1 to 12 words drawn evenly from all that the reader knows. Mutants: a real instruction with a word dropped,
doubled, moved, replaced by any known word, or a strange one put in (``blorfing``, ``except``, ``than``, ``unless``).
Prints exceptions (there must be none), how many were read all the same by kind of change, on how many of those a check
acts (``acting_checks.py``: it has a verdict, or lacks only what is in the pictures), and examples. Time: of the
distinct real instructions, best of five rounds, nothing remembered.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from pathlib import Path

import numpy as np
from acting_checks import acting_check
from judge_readings import SETS, read_texts

from edit_metrics.instruction.grammar.languages import english
from edit_metrics.instruction.grammar.reader import Reading, read_instruction, read_tokens
from edit_metrics.instruction.grammar.spelling import correct, known_words
from edit_metrics.instruction.grammar.tokens import tokenise
from edit_metrics.instruction.instruction import understand

STRANGE = ("blorfing", "except", "than", "unless")
SHOWN = 25


def main() -> None:
    """Fuzz, then time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--salads", type=int, default=100_000)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shared", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    print(f"seed {arguments.seed}")
    words = sorted(known_words())
    salads = (" ".join(draw.choices(words, k=draw.randint(1, 12))) for _ in range(arguments.salads))
    report("salads", [(text, "salad") for text in salads])
    real = [text for name in SETS for text in read_texts(arguments.shared / name)]
    report("mutants", [mutate(draw.choice(real), words, draw) for _ in range(arguments.mutants)])
    cost(sorted(set(real)))


def mutate(text: str, words: list[str], draw: random.Random) -> tuple[str, str]:
    """A text with one change, and the kind of change."""
    parts = text.split()
    place, kind = draw.randrange(len(parts)), draw.choice(("dropped", "doubled", "moved", "replaced", "strange"))
    match kind:
        case "dropped":
            parts.pop(place)
        case "doubled":
            parts.insert(place, parts[place])
        case "moved":
            parts.insert(draw.randrange(len(parts)), parts.pop(place))
        case "replaced":
            parts[place] = draw.choice(words)
        case _:
            parts.insert(place, draw.choice(STRANGE))
    return " ".join(parts), kind


def report(name: str, texts: list[tuple[str, str]]) -> None:
    """How many were read, and on how many a check acts, by kind, with examples."""
    read: dict[str, list[str]] = {}
    failed: list[str] = []
    outcomes: dict[str, Counter[str]] = {}
    acting: Counter[str] = Counter()
    for text, kind in texts:
        try:
            found = read_instruction(text)
            check = acting_check(understand(text)) if isinstance(found, Reading) else None
        except Exception as error:
            failed.append(f"{text!r}: {error!r}")
            continue
        outcome = "not read" if not isinstance(found, Reading) else "read, no check acts" if check is None else "acts"
        outcomes.setdefault(kind, Counter())[outcome] += 1
        if isinstance(found, Reading):
            acting[check or "none"] += 1
            read.setdefault(kind, []).append(f"[{check or 'none'}] {text!r}: {found.edits}")
    print(f"== {name}: {len(texts)}, exceptions {len(failed)} {failed[:3]}")
    for kind, counts in sorted(outcomes.items()):
        print(f"{kind}: {counts.total()}, {dict(counts)}")
    print(f"of what is read, by the check that acts: {dict(acting.most_common())}")
    for kind, found_texts in read.items():
        for text in found_texts[:SHOWN]:
            print(f"  {kind}: {text[:200]}")


def cost(texts: list[str]) -> None:
    """Milliseconds an instruction, spelling included."""
    language = english()
    tokens = [tokenise(text) for text in texts]
    rounds = []
    for _ in range(5):
        spent = []
        for one in tokens:
            started = time.perf_counter()
            spelt = correct(one)
            read_tokens(spelt.tokens, language, spelt.corrected)
            spent.append(1000 * (time.perf_counter() - started))
        rounds.append(spent)
    best = np.min(rounds, axis=0)
    low, middle, high = np.percentile(best, (50, 90, 100))
    spread = f"median {low:.2f}, p90 {middle:.2f}, max {high:.2f}"
    print(f"== {len(texts)} distinct instructions: mean {best.mean():.2f} ms, {spread}")


if __name__ == "__main__":
    main()
