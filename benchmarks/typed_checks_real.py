"""The typed checks on edits with a known or rated truth: generated cases, and the rated edits.

    python benchmarks/typed_checks_real.py [cases] [colour] [rated]

``cases``: each case of ``../shared/data/cases/checks`` with its verdict, and how many are wrong. ``colour``: each
colour edit of ``rated_edits`` with the verdict beside the raters' mean alignment. ``rated``: of each check the
precision of its yes and of its no on ``rated_edits``, where an edit counts as done from a mean alignment of 5 on.
Scores with the checks and the embedded text reader alone. EDIT_METRICS_SHARED names another folder.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pandas as pd

from edit_metrics.api.scoring import score
from edit_metrics.config import load_config

SHARED = Path(os.environ.get("EDIT_METRICS_SHARED") or Path(__file__).resolve().parents[2] / "shared" / "data")
CHECKS = ("colour", "tone", "text", "geometry", "change_area")
YES = 0.5
DONE = 5.0
"""Mean alignment, of 0 to 10, from which on raters call an edit done: the middle of their scale."""
CONFIG = """
extends: base
profile: checks
description: the typed checks alone
backends: {ocr: {use: rapidocr}}
dimensions:
  adherence:
    metrics: [check_colour, check_tone, check_text, check_geometry, check_change_area]
    gates: {blank_edited: null, no_op: null, unrelated: null}
    curves: {clip_directional: null, clip_t_gain: null, clip_instruction_gain: null}
"""


def score_checks(manifest: Path) -> pd.DataFrame:
    """The score table of a manifest with the checks alone."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "checks.yaml"
        file.write_text(CONFIG, encoding="utf-8")
        return score(manifest, profile=load_config(file=file))


def verdict_of(row: pd.Series[Any]) -> tuple[str, float] | None:
    """The check that has a verdict, and the verdict; None where all abstain."""
    found = [(name, row[f"adherence.check_{name}"]) for name in CHECKS]
    return next(((name, value) for name, value in found if not pd.isna(value)), None)


def why(row: pd.Series[Any]) -> str:
    """Why no check has a verdict: the reasons other than "another kind of edit"."""
    reasons = dict.fromkeys(str(row[f"adherence.check_{name}.reason"]) for name in CHECKS)
    return ", ".join(reason for reason in reasons if not reason.startswith("edit_type_is")) or ", ".join(reasons)


def show_cases() -> None:
    """Every case, and how many are right, wrong, abstained."""
    table = score_checks(SHARED / "cases" / "checks" / "manifest.jsonl")
    counts: dict[str, int] = defaultdict(int)
    for _, row in table.iterrows():
        found = verdict_of(row)
        said = "abstain" if found is None else ("right" if found[1] >= YES else "wrong")
        kind = "abstained" if found is None else ("agrees" if said == row["expect"] else "DISAGREES")
        counts[kind] += 1
        undecided = found is None and (row["control"] or row["family"] in {"near text", "shade"})
        counts["undecided that must be"] += undecided
        seen = why(row) if found is None else f"{found[0]} {found[1]:.2f}, {row['adherence.check_evidence']}"
        print(f"{row['id']:16s} {row['expect']:8s}{kind:10s} {row['instruction']!r}: {seen}")
    print(dict(counts))


def alignments() -> dict[str, float]:
    """Item → the raters' mean alignment."""
    found: dict[str, list[float]] = defaultdict(list)
    with (SHARED / "rated_edits" / "ratings.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["dimension"] == "alignment":
                found[row["id"]].append(float(row["rating"]))
    return {name: sum(values) / len(values) for name, values in found.items()}


def rated_table() -> pd.DataFrame:
    """The rated edits with verdicts and mean alignment."""
    table = score_checks(SHARED / "rated_edits" / "manifest.jsonl")
    table["alignment"] = table["id"].map(alignments())
    return table


def show_colour(table: pd.DataFrame) -> None:
    """The colour edits one by one."""
    for _, row in table[table["edit_kind"] == "Color Changes"].sort_values("alignment").iterrows():
        found = verdict_of(row)
        said = f"abstains ({why(row)})" if found is None else f"{found[0]} {found[1]:.2f}"
        print(f"{row['alignment']:5.2f}  {said:42s} {row['instruction']}  [{row['adherence.check_evidence'] or ''}]")


def show_rated(table: pd.DataFrame) -> None:
    """Precision of yes and of no, a check."""
    print("| check | verdicts | yes | of them done | no | of them not done |\n|---|---|---|---|---|---|")
    for name in CHECKS:
        values = table[~table[f"adherence.check_{name}"].isna()]
        yes = values[f"adherence.check_{name}"] >= YES
        done = values["alignment"] >= DONE
        print(
            f"| {name} | {len(values)} | {yes.sum()} | {(yes & done).sum()} | {(~yes).sum()} | {(~yes & ~done).sum()} |"
        )
    done = (table["alignment"] >= DONE).mean()
    print(f"done, of all {len(table)}: {done:.3f}")


def main() -> None:
    """Run the parts that are named, or all."""
    parts = sys.argv[1:] or ["cases", "colour", "rated"]
    if "cases" in parts:
        show_cases()
    if {"colour", "rated"} & set(parts):
        table = rated_table()
        if "colour" in parts:
            show_colour(table)
        if "rated" in parts:
            show_rated(table)


if __name__ == "__main__":
    main()
