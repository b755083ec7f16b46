"""Faults of the world around a run: the disk, the clock, the network, memory, and kills while real models work."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attacking import TOKEN, Attack, Ended, Outcome, Running, call, small_set, start

ITEMS = 96
TABLES = ("scores.parquet", "scores.csv", "rejected.jsonl")
FIXTURES = Path(__file__).resolve().parents[1] / "data" / "fixtures"
CLOCK = """
import datetime, random, time
_draw, _time = random.Random({seed}), time.time
time.time = lambda: _time() + _draw.choice((-1, 1)) * _draw.random() * 10 * 365 * 86400
"""


def disk_full(attack: Attack) -> list[Outcome]:
    """A disk that takes no more, at a random size: exit 4, one paragraph, and the same command goes on once it does."""
    data, whole = _whole(attack)
    size = sum(path.stat().st_size for path in whole.iterdir())
    codes, other = [], []
    for n in range(attack.tries):
        with _small_disk(attack.folder / f"disk{n}", int(size * attack.draw.uniform(0.02, 1.5))) as (out, prefix):
            full = call(*_arguments(data, out), prefix=prefix)
            codes.append(full.code)
            other += _wrong(f"try {n}", full, (0, 4))
            kept = attack.folder / f"kept{n}"
            shutil.copytree(out, kept)
        again = call(*_arguments(data, kept))
        other += [] if _as_whole(again, kept, whole) else [f"try {n}: not resumed, exit {again.code}"]
        shutil.rmtree(kept)
    how = "a small tmpfs" if _can_mount() else "`ulimit -f`: no file over a random size"
    return [_outcome(f"no room on the disk ({how})", attack.tries, codes, other)]


def read_only(attack: Attack) -> list[Outcome]:
    """A run folder that cannot be written: exit 2 and one paragraph, before any picture is decoded."""
    data, _ = _whole(attack)
    places = ("/proc/edit-metrics", "/dev/null/run", "/sys/run", str(data / "s0.png"), str(data / "s0.png" / "run"))
    codes, other = [], []
    for place in places:
        ended = call(*_arguments(data, Path(place)))
        codes.append(ended.code)
        other += _wrong(place, ended, (2,))
    return [_outcome("`--out` on a read-only filesystem, a device, a file", len(places), codes, other)]


def vanished(attack: Attack) -> list[Outcome]:
    """A source that goes at a random moment and comes back: its rows are typed, the rest is scored, then all is."""
    data, whole = _whole(attack)
    codes, other, gone = [], [], 0
    seconds = _seconds(data, attack.folder / "timed")
    for n in range(attack.tries):
        out, victim = attack.folder / f"out{n}", data / f"s{attack.draw.randrange(8)}.png"
        run = start(*_arguments(data, out))
        time.sleep(attack.draw.uniform(0, seconds))
        held = victim.with_suffix(".away")
        victim.rename(held)
        ended = run.wait()
        codes.append(ended.code)
        other += _wrong(f"try {n}", ended, (0,))
        gone += b"source_missing_file" in (out / "scores.csv").read_bytes()
        held.rename(victim)
        again = call(*_arguments(data, out))
        same = again.code == 0 and _equal_values(out, whole)
        other += [] if same else [f"try {n}: not as an undisturbed run, exit {again.code}"]
        shutil.rmtree(out)
    row = _outcome(f"a source that vanishes while {ITEMS} items are scored, and comes back", attack.tries, codes, other)
    return [Outcome(row.fault, row.tries, f"{row.happened}; typed rows in {gone}", row.lost, row.held)]


def clock(attack: Attack) -> list[Outcome]:
    """A clock that jumps by up to ten years whenever it is read, and pictures from the future: equal bytes."""
    data, whole = _whole(attack)
    codes, other = [], []
    for n in range(attack.tries):
        folder = attack.folder / f"clock{n}"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(CLOCK.format(seed=attack.draw.randrange(10**6)))
        env = {"PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"}
        out = folder / "out"
        run = start(*_arguments(data, out), env=env)
        time.sleep(attack.draw.uniform(0.5, 4))
        run.send(signal.SIGKILL)
        run.wait()
        ended = call(*_arguments(data, out), env=env)
        codes.append(ended.code)
        other += [] if _as_whole(ended, out, whole) else [f"try {n}: exit {ended.code}"]
        shutil.rmtree(folder)
    return [_outcome("a clock that jumps by up to ten years at each look, and a kill", attack.tries, codes, other)]


def memory(attack: Attack) -> list[Outcome]:
    """Pictures far larger than memory allows: each costs its row, and the process stays within its budget."""
    from PIL import Image

    data, _ = _whole(attack)
    budget = 256 * 2**20
    Image.new("RGB", (10_000, 9_999)).save(data / "bomb.png")
    Image.new("RGB", (64, 1_000_000)).save(data / "tall.png")
    rows = [json.loads(line) for line in (data / "manifest.jsonl").read_text().splitlines()][:16]
    (data / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    usual = call("score", data / "few.jsonl", *_options(data, attack.folder / "usual"))
    large = ({"source": "bomb.png"}, {"edited": "bomb.png"}, {"source": "tall.png", "edited": "tall.png"})
    codes, other, peaks = [], [], []
    for n in range(min(attack.tries, 6)):
        mixed = [dict(row) for row in rows]
        for place in attack.draw.sample(range(len(mixed)), 3):
            mixed[place] |= attack.draw.choice(large)
        (data / "large.jsonl").write_text("".join(json.dumps(row) + "\n" for row in mixed))
        out = attack.folder / f"large{n}"
        options = [*_options(data, out), "--set", f"engine.memory_bytes={budget}"]
        ended = call("score", data / "large.jsonl", *options)
        codes.append(ended.code)
        peaks.append(ended.peak_mib)
        other += _wrong(f"try {n}", ended, (0,))
        if ended.peak_mib > usual.peak_mib + budget / 2**20:
            other.append(f"try {n}: {ended.peak_mib:.0f} MiB")
    row = _outcome(
        "3 of 16 rows with a 10000×9999 or 64×1,000,000 picture, a budget of 256 MiB", len(codes), codes, other
    )
    told = f"{row.happened}; peak {max(peaks):.0f} MiB, {usual.peak_mib:.0f} MiB with small pictures alone"
    return [Outcome(row.fault, row.tries, told, row.lost, row.held)]


def s3(attack: Attack) -> list[Outcome]:
    """An S3 server that fails one request in ten: the local table, or rows that the next run scores again."""
    data, whole = _whole(attack)
    codes, other, failed = [], [], 0
    with _failing_server(attack, data) as (env, failures):
        for n in range(min(attack.tries, 10)):
            out = attack.folder / f"out{n}"
            arguments = ["score", "s3://edits/set/manifest.jsonl", *_options(data, out)]
            ended = call(*arguments, env=env)
            if ended.code == 0 and not _equal_values(out, whole):
                ended = call(*arguments, env=env)
            codes.append(ended.code)
            other += _wrong(f"try {n}", ended, (0,))
            other += [] if ended.code or _equal_values(out, whole) else [f"try {n}: other values"]
        failed = failures[0]
    row = _outcome("S3 that answers one request in ten with 500", len(codes), codes, other)
    return [Outcome(row.fault, row.tries, f"{row.happened}; {failed} requests failed", row.lost, row.held)]


def ray_interrupts(attack: Attack) -> list[Outcome]:
    """Ctrl-C, or a worker that is killed as by the out-of-memory killer, under `--engine ray`."""
    data, whole = _whole(attack)
    outcomes = []
    for how in ("Ctrl-C", "a worker killed, as for want of memory"):
        codes, other = [], []
        tries = min(attack.tries, 5)
        for n in range(tries):
            out = attack.folder / f"{how[:3]}{n}"
            run = start(*_arguments(data, out), "--engine", "ray", "--workers", "2")
            wanted = attack.draw.randrange(1, 6)
            while len(list((out / "shards").glob("*.done"))) < wanted and not run.ended:
                time.sleep(0.01)
            if how == "Ctrl-C":
                run.send(signal.SIGINT)
            else:
                _kill_worker(out)
            ended = run.wait()
            codes.append(ended.code)
            other += _wrong(f"try {n}", ended, (0, 4))
            again = call(*_arguments(data, out))
            same = again.code == 0 and _equal_values(out, whole)
            other += [] if same else [f"try {n}: then exit {again.code}"]
            left = _ray_processes_of(run)
            other += [f"try {n}: {left} processes left"] if left else []
        outcomes.append(_outcome(f"{how} under `--engine ray` after 1–5 of 12 shards", tries, codes, other))
    return outcomes


def real_kills(attack: Attack) -> list[Outcome]:
    """`kill -9` of the embedded profile with its real weights, each after at least one more shard was committed."""
    whole = attack.folder / "whole"
    undisturbed = _real(whole).wait()
    kills = chains = 0
    other = [] if undisturbed.code == 0 else [f"undisturbed: exit {undisturbed.code}"]
    while kills < attack.tries and not other:
        out = attack.folder / f"chain{chains}"
        chains += 1
        while True:
            before = len(list((out / "shards").glob("*.done")))
            run = _real(out)
            while len(list((out / "shards").glob("*.done"))) <= before and not run.ended:
                time.sleep(0.02)
            time.sleep(attack.draw.uniform(0, 2))
            if run.ended or kills >= attack.tries:
                ended = run.wait()
                break
            run.send(signal.SIGKILL)
            run.wait()
            kills += 1
        other += [] if _as_whole(ended, out, whole) else [f"chain {chains}: exit {ended.code}"]
    return [
        Outcome(
            "`kill -9` of `--profile embedded` past the first shard, 29 fixtures in shards of 2, again and again",
            kills,
            f"{chains} runs ended byte-equal to an undisturbed one",
            "; ".join(other) or "nothing",
            not other,
        )
    ]


FAMILIES = {
    "disk-full": disk_full,
    "read-only": read_only,
    "vanished": vanished,
    "clock": clock,
    "memory": memory,
    "s3": s3,
    "ray": ray_interrupts,
    "real-kills": real_kills,
}


def _whole(attack: Attack) -> tuple[Path, Path]:
    """A small set, and the folder of an undisturbed run of it."""
    data, whole = attack.folder / "data", attack.folder / "whole"
    small_set(data, ITEMS)
    call(*_arguments(data, whole))
    return data, whole


def _options(data: Path, out: Path) -> list[object]:
    return ["--config", data / "profile.yaml", "--out", out]


def _arguments(data: Path, out: Path) -> list[object]:
    return ["score", data / "manifest.jsonl", *_options(data, out)]


def _real(out: Path) -> Running:
    options = ["--profile", "embedded", "--set", "engine.shard_size=2", "--set", "engine.batch_size=2"]
    return start("score", FIXTURES / "manifest.jsonl", "--out", out, *options)


def _seconds(data: Path, out: Path) -> float:
    return call(*_arguments(data, out)).seconds


def _as_whole(ended: Ended, out: Path, whole: Path) -> bool:
    return ended.code == 0 and all((out / name).read_bytes() == (whole / name).read_bytes() for name in TABLES)


def _equal_values(out: Path, whole: Path) -> bool:
    import pandas as pd

    tables = [pd.read_parquet(folder / "scores.parquet") for folder in (out, whole)]
    try:
        pd.testing.assert_frame_equal(*tables, rtol=1e-5)
    except AssertionError:
        return False
    return True


def _wrong(where: str, ended: Ended, allowed: tuple[int, ...]) -> list[str]:
    if ended.code in allowed and not ended.traceback:
        return []
    return [f"{where}: exit {ended.code}{', a traceback' if ended.traceback else ''}"]


def _outcome(fault: str, tries: int, codes: list[int], other: list[str]) -> Outcome:
    counted = ", ".join(f"{code}: {codes.count(code)}" for code in sorted(set(codes)))
    return Outcome(fault, tries, f"exit codes {counted}", "; ".join(other) or "nothing", not other)


def _can_mount() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        if os.system(f"mount -t tmpfs -o size=64k none {folder} 2>/dev/null"):  # noqa: S605 - our own folder
            return False
        os.system(f"umount {folder}")  # noqa: S605
        return True


@contextmanager
def _small_disk(folder: Path, size: int) -> Iterator[tuple[Path, list[str]]]:
    """A run folder on a disk of so many bytes, and what goes before the command."""
    folder.mkdir()
    if not _can_mount():
        blocks = max(1, size // 4096)  # of the largest file, not of all: the tables are about a quarter each
        yield folder / "out", ["bash", "-c", f'ulimit -f {blocks}; exec "$@"', "bash"]
        return
    os.system(f"mount -t tmpfs -o size={size} none {folder}")  # noqa: S605
    try:
        yield folder / "out", []
    finally:
        os.system(f"umount {folder}")  # noqa: S605


@contextmanager
def _failing_server(attack: Attack, data: Path) -> Iterator[tuple[dict[str, str], list[int]]]:
    """A server with the set in a bucket, the environment that leads to it, and the count of requests that failed."""
    import boto3
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend = DomainDispatcherApplication(create_backend_app)
    failures, armed, lock = [0], [False], threading.Lock()

    def application(environ: dict[str, object], respond: object) -> object:
        with lock:
            fails = armed[0] and attack.draw.random() < 0.1
            failures[0] += fails
        if fails:
            respond("500 Internal Server Error", [("Content-Type", "text/plain"), ("Content-Length", "0")])
            return [b""]
        return backend(environ, respond)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    env = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}", "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
    }  # fmt: skip
    try:
        client = boto3.client(
            "s3", endpoint_url=env["AWS_ENDPOINT_URL"], region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - of a server on this machine
        )  # fmt: skip
        client.create_bucket(Bucket="edits")
        for path in data.glob("*.*"):
            client.put_object(Bucket="edits", Key=f"set/{path.name}", Body=path.read_bytes())
        armed[0] = True
        yield env, failures
    finally:
        server.shutdown()
        thread.join()


def _kill_worker(out: Path) -> None:
    """`kill -9` of the process that has begun a shard and not ended it, as its log of attempts says."""
    for path in (out / "shards").glob("*.attempts"):
        words = path.read_text().split()
        if len(words) >= 2 and not path.with_suffix(".done").exists():
            try:
                os.kill(int(words[-1]), signal.SIGKILL)
            except ProcessLookupError:
                continue
            return


def _ray_processes_of(run: Running) -> int:
    """Processes of the run's own Ray that still live a while after it has ended."""
    deadline = time.monotonic() + 20
    while (found := _descendants(run.token)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return len(found)


def _descendants(token: str) -> list[int]:
    """Living processes whose environment says that they come from that start."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(TOKEN) == token:
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found
