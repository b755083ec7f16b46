"""What bfloat16 changes: every column and every pre-score, in float32 and with each torch model in bfloat16.

    python benchmarks/measure_precision.py MANIFEST [MANIFEST …] [--profile embedded] [--set backends.clip.weights=PATH]

A model may run in bfloat16 by default where no pre-score moves by .01 (docs/performance.md). Meant for real weights:
with random ones the table says nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import pandas as pd

import edit_metrics
from edit_metrics.config import load_config

LIMIT = 0.01


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--set", action="append", default=[], dest="overrides")
    parser.add_argument("--roles", nargs="*", help="backend roles; default: every one that has a dtype")
    arguments = parser.parse_args()
    roles = arguments.roles or torch_roles(arguments.profile, arguments.overrides)
    full = score(arguments, [f"backends.{role}.dtype=float32" for role in roles])
    print(f"{len(full)} items; absolute differences between float32 and bfloat16\n")
    print("| model | column | items | median | largest | |\n|---|---|---|---|---|---|")
    for role in roles:
        others = [f"backends.{other}.dtype=float32" for other in roles if other != role]
        half = score(arguments, [*others, f"backends.{role}.dtype=bfloat16"])
        for line in table(role, full, half):
            print(line)


def torch_roles(profile: str, overrides: list[str]) -> list[str]:
    from edit_metrics.backends.factory import describe_backend

    found = []
    for role, section in load_config(profile, overrides=overrides).backends.items():
        try:
            load_config(profile, overrides=[*overrides, f"backends.{role}.dtype=float32"])
            describe_backend(role, {**section, "dtype": "float32"})
        except edit_metrics.errors.ConfigError:
            continue
        found.append(role)
    return found


def score(arguments: argparse.Namespace, overrides: list[str]) -> pd.DataFrame:
    overrides = [*arguments.overrides, *overrides]
    parts = [edit_metrics.score(m, profile=arguments.profile, overrides=overrides) for m in arguments.manifests]
    return pd.concat(parts, ignore_index=True)


def table(role: str, full: pd.DataFrame, half: pd.DataFrame) -> list[str]:
    """Lines of the columns that move; a pre-score over the limit, or one that appears or goes, is marked."""
    lines = []
    for column in full.select_dtypes("number").columns:
        difference = (full[column] - half[column]).abs()
        appeared = int((full[column].isna() != half[column].isna()).sum())
        if appeared or difference.max() > 0:
            over = column.endswith(".score") and (appeared > 0 or difference.max() >= LIMIT)
            note = "over the limit" if over else ""
            values = f"{difference.median():.1e} | {difference.max():.1e}"
            lines.append(f"| {role} | {column} | {int(difference.notna().sum())} | {values} | {note} |")
    return lines


if __name__ == "__main__":
    main()
