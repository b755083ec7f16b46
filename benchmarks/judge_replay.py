"""The recorded judge's answers replayed through ``edit-metrics judge``: what arrives in the table, held against people.

A replay server (``tests/judge/replay.py``) stands in for the model; everything else is the real thing: a run folder
scored by a small profile, the command line, the table that it writes. Then what the recorded answers alone say: how far
the judge agrees with itself, how far canaries may move, how alike edits of one source are judged.

    python benchmarks/judge_replay.py [--work FOLDER] [--config FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from ordering import concordance, estimate
from scipy.stats import spearmanr

from edit_metrics.claims import supported_confidence
from edit_metrics.scores.judging import ASKED_TWICE_SD
from edit_metrics.types import Float64

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("EDIT_METRICS_SHARED", ROOT.parent / "shared" / "data"))
NAMES: Final = ("success", "untouched", "natural", "clean")
SMALL: Final = """\
profile: replay
dimensions:
  feasibility: {metrics: [verdict], curves: {verdict: {anchors: [[0, 0], [1, 1]]}}}
  adherence: {metrics: [no_op], gates: {no_op: {above: 1, score: 0, confidence: 0.9}}}
flags: {no_op: {metric: adherence.no_op, above: 1}}
"""
RULE: Final = {
    "adherence.score": ("alignment", "success"),
    "preservation.score": ("consistency", "untouched"),
    "quality.score": ("quality", "quality"),
    "overall.min": ("overall", "overall"),
}
"""Column of the table → what raters were asked, and the recorded answer beside it."""
DRAWS: Final = 20_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--work", type=Path, help="Keep the run here, and use the one that is there.")
    arguments.add_argument("--config", type=Path, help="Score with this profile instead of two metrics.")
    given = arguments.parse_args()
    data = SHARED / "rated_edits"
    if not (data / "judge.jsonl").is_file():
        raise SystemExit(f"expected the rated edits in {SHARED}; set EDIT_METRICS_SHARED to their folder")
    with tempfile.TemporaryDirectory() as temporary:
        work = given.work or Path(temporary)
        run = scored(data, work, given.config)
        with replaying(data) as url:
            command("judge", run, "--base-url", url, "--all", "--cache", work / "answers")
        print_table(data, pd.read_parquet(run / "scores.parquet").set_index("id"))
    print_recorded(read_answers(data), read_groups(data))


def scored(data: Path, work: Path, config: Path | None) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    if config is None:
        config = work / "small.yaml"
        config.write_text(SMALL)
    command("score", data / "manifest.jsonl", "--config", config, "--out", work / "run")
    return work / "run"


def command(*arguments: object) -> None:
    words = [sys.executable, "-c", "from edit_metrics.cli import main; main()", *map(str, arguments)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)})


@contextmanager
def replaying(data: Path | None, *further: str) -> Iterator[str]:
    """The replay server as a process of its own."""
    sys.path.insert(0, str(ROOT / "tests" / "judge"))
    from replay import free_port

    port = free_port()
    recorded = [] if data is None else ["--data", str(data)]
    words = [sys.executable, str(ROOT / "tests/judge/replay.py"), "--port", str(port), *recorded, *further]
    server = subprocess.Popen(words, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait()


def read_answers(data: Path) -> pd.DataFrame:
    """One row an answer: id, repetition and the four numbers."""
    lines = [json.loads(line) for line in (data / "judge.jsonl").read_text().splitlines()]
    return pd.DataFrame(
        {"id": line["id"], "repetition": line["repetition"], **dict(zip(NAMES, line["sc"] + line["pq"], strict=True))}
        for line in lines
    )


def read_groups(data: Path) -> pd.Series:
    lines = [json.loads(line) for line in (data / "manifest.jsonl").read_text().splitlines()]
    return pd.Series({line["id"]: line["group"] for line in lines})


def read_ratings(data: Path) -> pd.DataFrame:
    ratings = pd.read_csv(data / "ratings.csv", dtype={"id": str})
    return ratings.pivot_table(index="id", columns="dimension", values="rating", aggfunc="mean")


def print_table(data: Path, table: pd.DataFrame) -> None:
    people = read_ratings(data).reindex(table.index)
    answers = read_answers(data)
    recorded = answers[answers["repetition"] == 1].set_index("id").reindex(table.index)
    recorded["quality"] = recorded[["natural", "clean"]].mean(axis=1)
    recorded["overall"] = recorded[["success", "untouched", "quality"]].min(axis=1)
    groups = read_groups(data).reindex(table.index).to_numpy()
    print(f"{len(table)} edits, {len(set(groups))} sources; Spearman with the mean rating, 95 % over sources\n")
    print("| column | raters' | n | table | recorded answers alone | pairs in order (lower 90 %) | confidence |")
    print("|---|---|---|---|---|---|---|")
    for column, (construct, answer) in RULE.items():
        known = (table[column].notna() & people[construct].notna()).to_numpy()
        score, rating = table[column].to_numpy()[known], people[construct].to_numpy()[known]
        alone = spearmanr(recorded[answer], people[construct], nan_policy="omit").statistic
        pairs = estimate(concordance(score, rating), groups[known])
        claim = supported_confidence(pairs.lower_tenth or 0.0, pairs.n, pairs.groups)
        rho = spearmanr(score, rating).statistic
        print(
            f"| `{column}` | {construct} | {known.sum()} | {rho:.3f} | {alone:.3f} | {pairs.value:.3f} "
            f"({pairs.lower_tenth:.3f}) | {claim:.2f} |"
        )
    print(f"\nflags: {table['flags'].value_counts().to_dict()}; settled: {(table['judge.model'].isna()).sum()}")


def print_recorded(answers: pd.DataFrame, groups: pd.Series) -> None:
    wide = answers.pivot_table(index="id", columns="repetition", values=list(NAMES))
    both = wide.dropna()
    print(f"\nThe judge asked twice, {len(both)} edits:")
    differences: dict[str, Float64] = {}
    for name in NAMES:
        first, second = (both[name][k].to_numpy(float) for k in (1, 2))
        differences[name] = (second - first) / 10
        print(
            f"  {name:10s} Spearman with itself {spearmanr(first, second).statistic:.2f}, "
            f"difference: mean {differences[name].mean():+.3f}, SD {differences[name].std(ddof=1):.3f}"
        )
    print_canaries(differences)
    print("\nIntraclass correlation of answers about edits of one source (one-way):")
    first = answers[answers["repetition"] == 1].set_index("id")
    for name in NAMES:
        print(f"  {name:10s} {intraclass(first[name].to_numpy(float), groups.reindex(first.index).to_numpy()):.2f}")


def print_canaries(differences: dict[str, Float64]) -> None:
    """How often eight canaries of an unchanged judge would exceed the limits of ``find_drift``."""
    rng = np.random.default_rng(0)
    noise = np.array(list(ASKED_TWICE_SD.values()))
    centred = np.stack([values - values.mean() for values in differences.values()], axis=1)
    drawn = centred[rng.integers(0, len(centred), size=(DRAWS, 8))]
    for judge, moved in (("unchanged", 0.0), ("one point milder", 0.1)):
        z = (drawn + moved) / noise
        means = np.abs(z.mean(axis=1)) * np.sqrt(8)
        scatter = np.sqrt((z**2).mean(axis=(1, 2)))
        print(
            f"  {DRAWS} draws of 8, {judge}: "
            f"a column's mean beyond 4 standard errors {(means > 4).any(axis=1).mean():.2%}, "
            f"scatter beyond 1.9 {(scatter > 1.9).mean():.2%}"
        )


def intraclass(values: Float64, groups: Sequence[str]) -> float:
    """ICC(1) of unequal groups (Donner, 1986)."""
    frame = pd.DataFrame({"value": values, "group": groups})
    sizes = frame.groupby("group")["value"].size()
    means = frame.groupby("group")["value"].transform("mean")
    between = ((means - values.mean()) ** 2).sum() / (len(sizes) - 1)
    within = ((frame["value"] - means) ** 2).sum() / (len(frame) - len(sizes))
    size = (len(frame) - (sizes**2).sum() / len(frame)) / (len(sizes) - 1)
    return float((between - within) / (between + (size - 1) * within))


if __name__ == "__main__":
    main()
