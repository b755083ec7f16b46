"""Attacks on the run folder: strangers' files, damage, kills, neighbours."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

from attacking import Attack, Ended, Outcome, Running, call, contents, small_set, start, write_manifest

ITEMS = 160
TABLES = ("scores.parquet", "scores.csv", "rejected.jsonl")


def strangers(attack: Attack) -> list[Outcome]:
    """Files of somebody else's where a run is told to write: none may be lost or changed."""
    data = attack.folder / "data"
    small_set(data, 2)
    places = ("shards/train-0000.tar", "evidence/me.jpg", "scores.csv", "run.json", "scores.parquet", "notes/a.txt")
    codes: list[int] = []
    lost: list[str] = []
    for n in range(attack.tries):
        out = attack.folder / f"out{n}"
        for place in attack.draw.sample(places, attack.draw.randint(1, 3)):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            (out / place).write_bytes(attack.draw.randbytes(20))
        before = contents(out)
        for further in ((), ("--no-resume",)):
            codes.append(_score(data, out, *further).code)
        after = contents(out)
        lost += [f"{out.name}/{name}" for name, data_ in before.items() if after.get(name) != data_]
    return [
        Outcome(
            "files of another program in `--out`, with and without `--no-resume`",
            len(codes),
            f"refused with exit 2: {codes.count(2)}",
            ", ".join(lost) or "nothing",
            not lost and set(codes) == {2},
        )
    ]


def kills(attack: Attack) -> list[Outcome]:
    """`kill -9` and Ctrl-C at a random moment: the same command must end as an undisturbed run does, bytes equal."""
    data = attack.folder / "data"
    small_set(data, ITEMS)
    whole = attack.folder / "whole"
    undisturbed = _score(data, whole)
    outcomes = []
    for how in (signal.SIGKILL, signal.SIGINT):
        equal, other = 0, []
        for n in range(attack.tries):
            out = attack.folder / f"{how.name}{n}"
            run = _start(data, out)
            time.sleep(attack.draw.uniform(0.3, max(0.4, undisturbed.seconds)))
            run.send(how)
            run.wait()
            again = _score(data, out)
            same = again.code == 0 and all((out / f).read_bytes() == (whole / f).read_bytes() for f in TABLES)
            equal += same
            other += [] if same else [f"{out.name}: exit {again.code}"]
            shutil.rmtree(out)
        outcomes.append(
            Outcome(
                f"{how.name} at a random moment of {ITEMS} items, then the same command",
                attack.tries,
                f"tables byte-equal to an undisturbed run's: {equal}",
                "; ".join(other) or "nothing",
                not other,
            )
        )
    return outcomes


def damage(attack: Attack) -> list[Outcome]:
    """A killed run's folder with a file emptied, cut, altered, swapped or gone: it must heal, bytes equal."""
    data = attack.folder / "data"
    small_set(data, ITEMS)
    whole, killed = attack.folder / "whole", attack.folder / "killed"
    _score(data, whole)
    run = _start(data, killed)
    while len(list((killed / "shards").glob("*.done"))) < 4 and not run.ended:
        time.sleep(0.002)
    run.send(signal.SIGKILL)
    run.wait()
    kinds = ("emptied", "cut", "altered", "swapped", "gone")
    equal, other = 0, []
    for n in range(attack.tries):
        out = attack.folder / f"out{n}"
        shutil.copytree(killed, out)
        kind = kinds[n % len(kinds)]
        name = _damage(attack, out / "shards", kind)
        again = _score(data, out)
        same = again.code == 0 and all((out / f).read_bytes() == (whole / f).read_bytes() for f in TABLES)
        equal += same
        other += [] if same else [f"{kind} {name}: exit {again.code}"]
        shutil.rmtree(out)
    return [
        Outcome(
            f"a file of `shards/` {', '.join(kinds)} after a kill, then the same command",
            attack.tries,
            f"healed, tables byte-equal: {equal}",
            "; ".join(other) or "nothing",
            not other,
        )
    ]


def neighbours(attack: Attack) -> list[Outcome]:
    """Two runs of other settings in one folder: one of them is refused, and the table is of one kind."""
    import pandas as pd
    import yaml

    data = attack.folder / "data"
    small_set(data, ITEMS)
    profile = yaml.safe_load((data / "profile.yaml").read_text())
    profile["dimensions"]["preservation"]["curves"]["psnr"]["anchors"] = [[0, 0], [20, 1]]
    (data / "other.yaml").write_text(yaml.safe_dump(profile))
    alone = {}
    for name in ("profile", "other"):
        _score(data, attack.folder / name, config=name)
        alone[name] = pd.read_parquet(attack.folder / name / "scores.parquet")["preservation.score"]
    codes, mixed = [], []
    for n in range(attack.tries):
        out = attack.folder / f"out{n}"
        first = _start(data, out)
        time.sleep(attack.draw.uniform(0.0, 2.5))
        second = _score(data, out, "--no-resume", config="other")
        ended = first.wait()
        codes.append((ended.code, second.code))
        found = pd.read_parquet(out / "scores.parquet")["preservation.score"]
        if not any(found.equals(table) for table in alone.values()):
            mixed.append(out.name)
        shutil.rmtree(out)
    refused = sum(2 in pair for pair in codes)
    return [
        Outcome(
            "a second run of other settings with `--no-resume`, 0–2.5 s after the first began",
            attack.tries,
            f"one refused with exit 2: {refused}; the others came after its end; exit codes {sorted(set(codes))}",
            ", ".join(mixed) or "nothing",
            not mixed and all(set(pair) <= {0, 2} for pair in codes),
        )
    ]


def manifests(attack: Attack) -> list[Outcome]:
    """A finished folder and a manifest with rows added, changed, taken out and moved: the table of a fresh run."""
    import pandas as pd

    data = attack.folder / "data"
    rows = small_set(data, 40)
    out = attack.folder / "out"
    _score(data, out)
    wrong, kept = [], 0
    for n in range(attack.tries):
        for _ in range(attack.draw.randint(1, 4)):
            _mutate(attack, rows, n)
        write_manifest(rows, data / "manifest.jsonl")
        ended = _score(data, out)
        kept += " kept" in ended.err
        fresh = attack.folder / f"fresh{n}"
        _score(data, fresh)
        tables = [pd.read_parquet(folder / "scores.parquet") for folder in (out, fresh)]
        try:
            pd.testing.assert_frame_equal(*tables, rtol=1e-5)
        except AssertionError as error:
            wrong.append(f"try {n}: {str(error).splitlines()[0]}")
        shutil.rmtree(fresh)
    return [
        Outcome(
            "1–4 rows added, changed, taken out or moved in the manifest of a finished folder",
            attack.tries,
            f"scored the difference: {kept}; table as a fresh run's: {attack.tries - len(wrong)}",
            "; ".join(wrong) or "nothing",
            not wrong,
        )
    ]


FAMILIES = {
    "strangers": strangers,
    "kills": kills,
    "damage": damage,
    "neighbours": neighbours,
    "manifests": manifests,
}


def _arguments(data: Path, out: Path, config: str) -> list[object]:
    return ["score", data / "manifest.jsonl", "--config", data / f"{config}.yaml", "--out", out]


def _start(data: Path, out: Path, config: str = "profile") -> Running:
    return start(*_arguments(data, out, config))


def _score(data: Path, out: Path, *further: str, config: str = "profile") -> Ended:
    return call(*_arguments(data, out, config), *further)


def _damage(attack: Attack, shards: Path, kind: str) -> str:
    files = sorted(path for path in shards.iterdir() if path.is_file())
    victim = attack.draw.choice(files)
    bytes_ = victim.read_bytes()
    if kind == "emptied":
        victim.write_bytes(b"")
    elif kind == "cut":
        victim.write_bytes(bytes_[: len(bytes_) // 2])
    elif kind == "altered" and bytes_:
        place = attack.draw.randrange(len(bytes_))
        victim.write_bytes(bytes_[:place] + bytes([bytes_[place] ^ 0x55]) + bytes_[place + 1 :])
    elif kind == "swapped":
        tables = sorted(shards.glob("*.parquet"))
        first, second = attack.draw.sample(tables, 2)
        held = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(held)
        return f"{first.name} and {second.name}"
    elif kind == "gone":
        victim.unlink()
    return victim.name


def _mutate(attack: Attack, rows: list[dict[str, str]], n: int) -> None:
    place = attack.draw.randrange(len(rows))
    match attack.draw.choice(("added", "changed", "out", "moved")):
        case "added":
            rows.insert(place, rows[place] | {"id": f"new{n}-{attack.draw.random()}"})
        case "changed":
            rows[place] = rows[place] | {"edited": f"e{attack.draw.randrange(8)}.png"}
        case "out" if len(rows) > 1:
            rows.pop(place)
        case _:
            rows.append(rows.pop(place))
