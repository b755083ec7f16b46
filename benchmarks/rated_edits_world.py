"""What the simulations of promises share: the rated edits they draw from, and shares with their exact intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

from triage_evidence import Evidence, load

from edit_metrics.cli.console import say
from edit_metrics.stats import exact_interval

Part = Callable[[Evidence, int], None]


def of_draws(hits: int, n: int) -> str:
    """A share of simulated draws with its exact 95 % interval."""
    if not n:
        return "–"
    found = exact_interval(hits, n)
    return f"{hits / n:.3f} [{found.low:.3f}, {found.high:.3f}]"


def share(values: list[bool] | np.ndarray) -> str:
    """The same of a list of outcomes."""
    return of_draws(int(np.sum(values)), len(values))


def run_parts(description: str | None, parts: Mapping[str, Part], draws: int) -> None:
    """``--part``, ``--draws``, ``--quick`` over the human ratings; says so and ends where they are absent."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=[*parts], action="append", help="default: all")
    parser.add_argument("--draws", type=int, default=draws)
    parser.add_argument("--quick", action="store_true", help="a few draws: does it run?")
    arguments = parser.parse_args()
    evidence = load()
    if evidence is None:
        say("skipped: the real ratings were not found; set EDIT_METRICS_SHARED to their folder")
        return
    for name in arguments.part or parts:
        parts[name](evidence, 6 if arguments.quick else arguments.draws)
