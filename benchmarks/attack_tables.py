"""Attacks on tables and manifests: strange rows through ``score``, strange tables through every verb that reads one."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from attacking import PROFILE, Attack, Ended, Outcome, call_here, small_set

STRANGE = (
    "\r", "\r\n", "\t", "\x00", "\x1b[2J", "\x85", "\u2028", "\u202e", "\ufeff", "=1+1", "＝1", "'", '"', ",", ";",
    "\x7f", "\ud800", "NaN", "None", "-0", "1e400", "007", "../..", "/etc/passwd", "s3://x/y", "file:///etc/passwd",
    "e",
    "<script>", "{{7*7}}", "%s", "\U0001f469\u200d\U0001f680", "ａ", "x" * 3000,
)  # fmt: skip
OTHERS: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 2**70, 0.5, math.nan, math.inf, -math.inf, [], [1, "a"], {}, {"a": [None]}, "",
)  # fmt: skip
FIELDS = (
    "id", "source", "edited", "instruction", "mask", "mask_white_means", "references", "group", "edit_type", "model",
    "target_caption", "frame", "geometry", "flags", "priority", "safety.score", "meta.id", "judge.why", "extra", "",
)  # fmt: skip
SCORES = ("quality.score", "quality.confidence", "preservation.score", "overall.min", "priority", "flags", "group")


def rows(attack: Attack) -> list[Outcome]:
    """Strange rows through ``score``: each is scored or rejected once; their order and their parts change no row."""
    small_set(attack.folder, 1, side=40)
    (attack.folder / "profile.json").write_text(json.dumps(PROFILE))
    wrong: list[str] = []
    scored = rejected = 0
    for n in range(attack.tries):
        made = [_row(attack, f"r{n}-{k}") for k in range(attack.draw.randint(1, 8))]
        found = [_score(attack, made, f"{n}a"), _score(attack, attack.draw.sample(made, len(made)), f"{n}b")]
        cut = attack.draw.randrange(len(made) + 1)
        found.append([part for half in (made[:cut], made[cut:]) if half for part in _score(attack, half, f"{n}c")])
        scored += sum(cells is not None for _, cells in found[0])
        rejected += sum(cells is None for _, cells in found[0])
        counted = [len(one) == len(made) for one in found]
        own = len({str(row["id"]) for row in made}) == len(made)
        same = [sorted(one, key=repr) for one in found]
        if not all(counted) or (own and not same[0] == same[1] == same[2]):
            wrong.append(f"set {n}: {counted}")
    said = f"{scored} rows scored, {rejected} rejected; each once, also shuffled and in two parts"
    return [
        Outcome(
            "manifests of strange rows, whole, shuffled and cut in two", attack.tries, said, _lost(wrong), not wrong
        )
    ]


def verbs(attack: Attack) -> list[Outcome]:
    """Strange tables through every verb that reads one: a paragraph and 2, or an answer; never 1 without a verdict."""
    codes: dict[str, Counter[int]] = {}
    wrong: list[str] = []
    for n in range(attack.tries):
        place = attack.folder / f"t{n}"
        place.mkdir()
        one, two = _table(attack, place / "one"), _table(attack, place / "two")
        calls = _calls(attack, place, one, two)
        verb = attack.draw.choice(sorted(calls))
        ended = call_here(*calls[verb])
        codes.setdefault(verb, Counter())[ended.code] += 1
        if problem := _problem(verb, ended):
            wrong.append(f"{n} {verb}: {problem}")
    said = "; ".join(f"{v} " + ", ".join(f"{c}×{k}" for c, k in sorted(codes[v].items())) for v in sorted(codes))
    return [
        Outcome("strange tables through the verbs (exit code × times)", attack.tries, said, _lost(wrong), not wrong)
    ]


def numbers(attack: Attack) -> list[Outcome]:
    """Options that take a number, given what is none."""
    place = attack.folder
    _table(attack, place / "one", damages=0)
    table = next(place.glob("one.*"))
    options = {
        "compare": [table, table, "--out", place / "c"], "gate": [table, table], "triage": [table, "--out", place / "q"]
    }  # fmt: skip
    names = {
        "compare": ["--margin", "--alpha", "--pass-at"], "gate": ["--margin", "--alpha", "--minimum-effect"],
        "triage": ["--budget", "--seed", "--max-error", "--confidence", "--audit", "--overlap"],
    }  # fmt: skip
    codes: Counter[int] = Counter()
    wrong: list[str] = []
    for _ in range(attack.tries):
        verb = attack.draw.choice(sorted(options))
        name = attack.draw.choice(names[verb])
        value = attack.draw.choice(["nan", "inf", "-inf", "-1", "1e400", "9" * 400, "", "x", "0x10", "½", "-0.0", "2"])
        ended = call_here(verb, *options[verb], f"{name}={value}")
        codes[ended.code] += 1
        if problem := _problem(verb, ended):
            wrong.append(f"{verb} {name}={value[:9]}: {problem}")
    said = ", ".join(f"exit {code} × {n}" for code, n in sorted(codes.items()))
    return [Outcome("numbers that are none, on the command line", attack.tries, said, _lost(wrong), not wrong)]


def _problem(verb: str, ended: Ended) -> str:
    if ended.traceback:
        return "a traceback"
    if ended.code == 4 or ended.code not in (0, 1, 2, 3):
        return f"exit {ended.code}: {ended.err[-300:]}"
    if ended.code == 1 and not (verb == "gate" and "regression" in ended.err):
        return "exit 1 without a regression"
    paragraphs = [line for line in ended.err.split("\n") if line.startswith("edit-metrics: ")]
    if ended.code == 2 and len(paragraphs) != 1:
        return f"exit 2 in {len(paragraphs)} paragraphs"
    moving = [char for char in ended.out + ended.err if ord(char) < 32 and char not in "\n"]
    return f"control characters {moving[:3]!r} on the terminal" if moving else ""


def _row(attack: Attack, name: str) -> dict[str, Any]:
    row: dict[str, Any] = {"id": name, "source": "s0.png", "edited": "e1.png", "instruction": "make it red"}
    for _ in range(attack.draw.randint(0, 3)):
        field = attack.draw.choice(FIELDS) if attack.draw.random() < 0.9 else _text(attack)
        row[field] = _value(attack) if field != "id" or attack.draw.random() < 0.3 else f"{name}{_text(attack)}"
    return row


def _text(attack: Attack) -> str:
    parts = [attack.draw.choice(STRANGE) for _ in range(attack.draw.randint(1, 3))]
    return "".join(parts) + chr(attack.draw.randrange(0x110000))


def _value(attack: Attack) -> Any:
    if attack.draw.random() < 0.5:
        return attack.draw.choice(OTHERS)
    value: Any = _text(attack)
    for _ in range(attack.draw.choice([0, 0, 0, 1, 5, 70, 900])):
        value = [value]
    return value


def _score(attack: Attack, made: list[dict[str, Any]], name: str) -> list[tuple[str, Any]]:
    """Id → cells that a row's own fate decides, None for a rejected one; empty where the run broke."""
    manifest, out = attack.folder / f"{name}.jsonl", attack.folder / f"out{name}"
    kept = (
        [out] if not name.endswith("c") else [out := attack.folder / f"out{name}{len(list(attack.folder.iterdir()))}"]
    )
    manifest.write_text("".join(json.dumps(row) + "\n" for row in made), encoding="utf-8")
    ended = call_here("score", manifest, "--config", attack.folder / "profile.json", "--out", kept[0])
    if ended.code == 2 and "a row that can be scored" in ended.err:
        return [("", None)] * len(made)
    if ended.code != 0:
        return []
    table = pd.read_parquet(
        out / "scores.parquet", columns=["id", "preservation.psnr", "safety.score", "flags", "group"]
    )
    with (out / "scores.csv").open(encoding="utf-8", newline="") as file:
        if len(list(csv.reader(file))) != len(table) + 1:
            return []
    lines = [line for line in (out / "rejected.jsonl").read_text(encoding="utf-8").split("\n") if line]
    return [(row[0], repr(row[1:])) for row in table.itertuples(index=False)] + [("", None)] * len(lines)


def _table(attack: Attack, path: Path, damages: int | None = None) -> Path:
    n = attack.draw.choice([1, 2, 30, 60])
    noise = np.random.default_rng(attack.draw.randrange(2**31))
    frame = pd.DataFrame({"id": [f"i{k}" for k in range(n)], "group": [f"g{k // 2}" for k in range(n)]})
    frame["quality.score"] = noise.random(n)
    frame["quality.confidence"] = noise.random(n)
    frame["preservation.score"] = np.where(noise.random(n) < 0.2, np.nan, noise.random(n))
    frame["priority"] = np.arange(n) + 1
    frame["flags"] = [attack.draw.choice(["", "unsafe", "no_op;face_lost"]) for _ in range(n)]
    frame["instruction"] = "make it red"
    columns = {name: list(frame[name]) for name in frame.columns}
    for _ in range(attack.draw.randint(0, 3) if damages is None else damages):
        name = attack.draw.choice([*columns, *SCORES, _text(attack).encode("utf-8", "replace").decode()])
        cells = columns.get(name, [None] * n)
        what = attack.draw.choice(["one", "all", "gone"])
        strange = _value(attack)
        strange = strange if not isinstance(strange, str) else strange.encode("utf-8", "replace").decode()
        if what == "gone":
            columns.pop(name, None)
        else:
            columns[name] = [strange] * n if what == "all" else [strange, *cells[1:]]
    return _write(attack, columns, path)


def _write(attack: Attack, columns: dict[str, list[Any]], path: Path) -> Path:
    form = attack.draw.choice(["jsonl", "parquet", "csv", "json"])
    file = path.with_suffix(f".{form}")
    n = len(next(iter(columns.values()), []))
    records = [{name: cells[k] for name, cells in columns.items()} for k in range(n)]
    if form == "parquet":
        try:
            pq.write_table(pa.table(columns), file)
        except (pa.ArrowException, OverflowError, TypeError, ValueError):
            form, file = "jsonl", path.with_suffix(".jsonl")
    if form == "jsonl":
        file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    elif form == "json":
        file.write_text(json.dumps(records), encoding="utf-8")
    elif form == "csv":
        with file.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(columns)
            writer.writerows(zip(*columns.values(), strict=True))
    if attack.draw.random() < 0.1:
        data = bytearray(file.read_bytes())
        for _ in range(attack.draw.randint(1, 20)):
            data[attack.draw.randrange(len(data))] = attack.draw.randrange(256)
        file.write_bytes(bytes(data))
    return file


def _calls(attack: Attack, place: Path, one: Path, two: Path) -> dict[str, list[object]]:
    ratings = place / "ratings.csv"
    names = [f"i{k},{rater},quality,{1 + k % 5}" for k in range(30) for rater in ("ann", "bob")]
    ratings.write_text("\n".join(["id,rater,dimension,rating", *names]) + "\n")
    return {
        "compare": ["compare", one, two, "--out", place / "c"],
        "gate": ["gate", one, two, *(["--json"] if attack.draw.random() < 0.5 else [])],
        "accept": ["accept", one, "--into", place / "b", "--reason", "because"],
        "triage": ["triage", one, "--out", place / "q"],
        "report": ["report", one, "--out", place / "r.html"],
        "show": ["show", one],
        "show ID": ["show", one, "i0"],
        "show --worst": ["show", one, "--worst", "quality"],
        "estimate": ["estimate", one, "--ratings", ratings, "--target", "quality", "--feature", "quality.score"],
        "ratings import": ["ratings", "import", one, "--format", "csv", "--out", place / "r.parquet"],
        "ratings agreement": ["ratings", "agreement", one, "--resamples", 200],
        "score": ["score", one, "--out", place / "s"],
    }


def _lost(wrong: list[str]) -> str:
    return "; ".join(" ".join(one.split())[:300] for one in wrong[:5]).replace("|", "¦") or "nothing"


FAMILIES = {"rows": rows, "verbs": verbs, "numbers": numbers}
