"""Hold every score against ratings of real edits, and write docs/validity.md.

    python benchmarks/validity.py [--profile embedded] [--runs DIR] [--out docs/validity.md] [--save FILE.json]

Prints the claims that the profiles ship (``claims:`` in configs/base.yaml); ``--save benchmarks/validity_now.json`` is
what a test holds them against.

Scores the three sets that lie in ../shared/data (or under EDIT_METRICS_SHARED) with this checkout, unless DIR has a run
of each, ``DIR/SET/scores.parquet``. ``--save`` keeps the numbers; those of an earlier code, kept so, stand beside the
new ones (``--before``). Deterministic for given runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from rated_sets import ROOT, RatedSet, plain_metrics, read_sets, shared_folder
from validity_page import render
from validity_rows import all_rows, join
from validity_table import Row, row_from_json, supported_claims

BEFORE = Path(__file__).resolve().parent / "validity_before.json"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--profile", default="embedded")
    arguments.add_argument("--runs", type=Path, help="run folders, one a set; scored where absent")
    arguments.add_argument("--before", type=Path, default=BEFORE, help="numbers of an earlier code, saved with --save")
    arguments.add_argument("--out", type=Path, default=ROOT / "docs" / "validity.md")
    arguments.add_argument("--save", type=Path, help="also write the numbers as JSON")
    arguments.add_argument("--code", help="commit that made the runs; default: this checkout's")
    arguments.add_argument("--note", help="a sentence on the runs, for the head of the page")
    arguments.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "edit-metrics-validity")
    given = arguments.parse_args()
    runs = given.runs or given.cache / f"{given.profile}-{commit()}"
    sets = read_sets(shared_folder())
    for rated in sets:
        if not (runs / rated.name / "scores.parquet").is_file():
            score(rated, given.profile, runs / rated.name)
    scored = [join(rated, runs / rated.name, plain_metrics(rated, given.cache), given.profile) for rated in sets]
    rows = all_rows(scored)
    told = describe(given.profile, given.code or commit(), sets) | ({"note": given.note} if given.note else {})
    if given.save:
        data = {"about": told, "rows": [row.to_json() for row in rows]}
        given.save.write_text(json.dumps(data, indent=None, separators=(",", ":")) + "\n", encoding="utf-8")
    before, about = read_before(given.before)
    given.out.write_text(render(rows, before, head(told, about)), encoding="utf-8")
    print(given.out)
    print("# claims of configs/base.yaml, under each dimension")
    print(yaml.safe_dump(claims_as_data(rows), sort_keys=False, default_flow_style=None, width=120), end="")


def claims_as_data(rows: Sequence[Row]) -> dict[str, Any]:
    """What the table supports, as it stands in a profile."""
    return {
        dimension: {kind: claim.model_dump() for kind, claim in kinds.items()}
        for dimension, kinds in supported_claims(rows).items()
    }


def score(rated: RatedSet, profile: str, out: Path) -> None:
    """One run with this checkout."""
    from edit_metrics import score as score_manifest

    score_manifest(rated.manifest, profile=profile, out=out)


def commit() -> str:
    """Short hash of the checkout, with a mark when files differ from it."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--match", "no-tag"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return said.stdout.strip()


def describe(profile: str, code: str, sets: Sequence[RatedSet]) -> dict[str, Any]:
    """Profile, code and data of the numbers."""
    return {"profile": profile, "code": code} | {rated.name: len(rated.items) for rated in sets}


def read_before(path: Path) -> tuple[Mapping[str, Row], Mapping[str, Any]]:
    """Numbers of an earlier code by key, and what they were made with; nothing where there are none."""
    if not path.is_file():
        return {}, {}
    data = json.loads(path.read_text(encoding="utf-8"))
    return {row.key: row for row in map(row_from_json, data["rows"])}, data["about"]


def head(told: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Title and provenance."""
    lines = [
        "# Validity: what the scores say of edits that were rated",
        "",
        f"Printed by `python benchmarks/validity.py --profile {told['profile']}`, code {told['code']}. "
        + (f"*was*: code {before['code']}, profile {before['profile']}." if before else ""),
        *(["", told["note"]] if "note" in told else []),
        "",
        (
            f"Data: `rated_edits` ({told['rated_edits']} MagicBrush edits of one generator, rated by 3 to 5 people on "
            f"0–10), `multi_method` ({told['multi_method']} edits by 16 models) and `triples` ({told['triples']} edits "
            "of seven origins), the latter two looked at once, blind, by a vision-language model. Bad: below 5 of 10, "
            "or 2 and less of 5; for the queue, the weakest of the ratings (`rated_edits`: overall). Plain LPIPS "
            "(AlexNet), SSIM and PSNR are those of the `lpips` package and scikit-image on the whole pictures."
        ),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
