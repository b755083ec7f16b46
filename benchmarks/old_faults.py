"""The first eight of the faults of benchmarks/failed_before.py: the run folder, exit codes, rows, memory."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pandas as pd
from failed_before import Attempts, Checkout, Finding

SLOW = """
import pathlib, time
from PIL import ImageFile
whole, seen = ImageFile.ImageFile.load, []
def load(self):
    seen.append(1)
    if len(seen) == 240:
        pathlib.Path({marker!r}).touch()
    time.sleep(0.02)
    return whole(self)
ImageFile.ImageFile.load = load
"""
"""Half of 160 items' three pictures decoded: a file says so, and there is time to interrupt."""
MIB_WITH_A_BOMB = 2000
"""Peak of a stub profile's run on one pair of 10,000×9,999, on code that decodes it: over 3,000."""


def strangers(at: Checkout) -> Iterator[Finding]:
    """1. What is not its own."""
    for name, more in (("shards/train-0000.tar", ()), ("evidence/me.jpg", ("--no-resume",))):
        path = at.folder / name.replace("/", "-") / name
        path.parent.mkdir(parents=True)
        path.write_text("precious")
        ended = at.score("two.jsonl", name.replace("/", "-"), *more)
        yield Finding(f"`{name}` in `--out` {' '.join(more)}", f"exit {ended.code}", path.is_file())


def neighbours(at: Checkout) -> Iterator[Finding]:
    """2. Two runs in one folder."""
    other = ("score", at.data / "manifest.jsonl", "--config", at.data / "other.yaml", "--out")
    for delay in (0.5, 1.5):
        out = at.folder / f"both{delay}"
        first = at.begin("score", at.data / "manifest.jsonl", "--config", at.data / "profile.yaml", "--out", out)
        while not out.is_dir() and not first.ended:
            time.sleep(0.01)
        time.sleep(delay)
        second = at.run(*other, out, "--no-resume")
        ended = first.wait()
        kinds = pd.read_parquet(out / "scores.parquet")["preservation.score"].round(3).nunique()
        alone = (
            at.score("manifest.jsonl", f"alone{delay}").code == 0
            and pd.read_parquet(at.folder / f"alone{delay}" / "scores.parquet")["preservation.score"].round(3).nunique()
        )
        held = (ended.code, second.code) in ((0, 2), (0, 0)) and kinds == alone
        yield Finding(
            f"another profile {delay} s later, one folder", f"exits {ended.code}, {second.code}; {kinds} scores", held
        )


def carriage_return(at: Checkout) -> Iterator[Finding]:
    """3. A lone CR in a cell."""
    at.score(at.rows("cr.jsonl", {"id": "a", "instruction": "red\r=1+cmd"}, {"id": "b"}), "cr")
    ids = list(pd.read_csv(at.folder / "cr" / "scores.csv")["id"])
    yield Finding(
        "an instruction with a lone CR, `scores.csv` read by pandas", f"ids {ids}".replace("\r", " "), ids == ["a", "b"]
    )


def exit_codes(at: Checkout) -> Iterator[Finding]:
    """4. Exit 1 without a regression."""
    at.score("manifest.jsonl", "r")
    calls = {
        "`gate --junit /dev/null/j.xml`": "$EM gate r r --junit /dev/null/j.xml",
        "`gate` on a latin-1 terminal": "PYTHONIOENCODING=latin-1 $EM gate r r",
        "`gate > /dev/full`": "$EM gate r r > /dev/full",
        "`gate` with settings in latin-1": "printf '# f\\374r\\n' > l.yaml; $EM gate r r --config l.yaml",
        "`score --out /dev/null/x`": "$EM score data/two.jsonl --config data/profile.yaml --out /dev/null/x",
    }
    for what, script in calls.items():
        code = at.shell(script)
        yield Finding(what, f"exit {code}", code in (0, 2, 4) and (code != 0 or "latin-1 term" in what))


def strict(at: Checkout) -> Iterator[Finding]:
    """5. A row that decoding rejects."""
    code = at.score(at.rows("st.jsonl", {"id": "a"}, {"id": "b", "mask": "bad.png"}), "strict", "--strict").code
    yield Finding("`--strict`, a mask of another shape", f"exit {code}", code == 2)


def rows(at: Checkout) -> Iterator[Finding]:
    """6. One row or column stops the run."""
    nested = '{"id":"deep","source":"s0.png","edited":"e1.png","instruction":"x","m":' + "[" * 900 + "]" * 900 + "}\n"
    separators = ({"id": "a"}, {"id": "b\u2028c\u0085d", "mask": "bad.png"})
    manifests = {
        "a column `geometry`": at.rows("g.jsonl", {"id": "a", "geometry": "round"}, {"id": "b"}),
        "an id with U+2028 and U+0085 that decoding rejects": at.rows("u.jsonl", *separators),
        "JSON nested 900 deep": at.rows("n.jsonl", {"id": "a"}, {"id": "b"}),
    }
    with (at.data / "n.jsonl").open("a") as file:
        file.write(nested)
    for n, (what, manifest) in enumerate(manifests.items()):
        ended = at.score(manifest, f"rows{n}")
        held = ended.code == 0 and not ended.traceback
        yield Finding(what, f"exit {ended.code}{', a traceback' if ended.traceback else ''}", held)


def folders(at: Checkout) -> Iterator[Finding]:
    """7. A damaged, changed or interrupted folder."""
    options = ("--config", at.data / "profile.yaml", "--out")
    for what, how in (("a shard emptied after `kill -9`", signal.SIGKILL), ("Ctrl-C in a shard of 160", signal.SIGINT)):
        out = at.folder / how.name
        size = 8 if how == signal.SIGKILL else 160
        more = ("--set", f"engine.shard_size={size}", "--set", "engine.batch_size=2")
        marker = at.folder / f"{how.name}-half"
        slow = SLOW.format(marker=str(marker)) if how == signal.SIGINT else ""
        run = at.begin("score", at.data / "manifest.jsonl", *options, out, *more, before=slow)
        while not run.ended and not (marker.exists() or len(list((out / "shards").glob("*.done"))) >= 3):
            time.sleep(0.005)
        run.send(how)
        run.wait()
        for path in sorted((out / "shards").glob("*.parquet"))[: how == signal.SIGKILL]:
            path.write_bytes(b"")
        kept = sum(1 for _ in (out / "shards").glob("*.done"))
        again = at.run("score", at.data / "manifest.jsonl", *options, out, *more)
        held = again.code == 0 and (how == signal.SIGKILL or kept > 0)
        yield Finding(f"{what}, then the same command", f"exit {again.code}, {kept} marks kept", held)
    at.score("two.jsonl", "changed")
    at.rows("two.jsonl", {"id": "a", "mask": "m.png"}, {"id": "b", "source": "s2.png", "mask": "m.png"}, {"id": "c"})
    again = at.score("two.jsonl", "changed")
    yield Finding("a row added to the manifest of a finished folder", f"exit {again.code}", again.code == 0)
    for path in (at.folder / "changed").glob("scores*.csv"):
        path.unlink()
    again = at.score("two.jsonl", "changed")
    there = (at.folder / "changed" / "scores.csv").is_file()
    yield Finding(
        "`scores.csv` of a finished folder lost", f"exit {again.code}, mended: {there}", again.code == 0 and there
    )


def memory(at: Checkout) -> Iterator[Finding]:
    """8. A bomb."""
    from PIL import Image

    Image.new("RGB", (10_000, 9_999)).save(at.data / "big.png")
    manifest = at.rows("big.jsonl", {"id": "a"}, {"id": "big", "source": "big.png", "edited": "big.png"})
    ended = at.score(manifest, "big", "--set", "decode.max_pixels=200000000")
    got = f"exit {ended.code}, peak {ended.peak_mib:.0f} MiB"
    yield Finding("a pair of 10,000×9,999", got, ended.code == 0 and ended.peak_mib < MIB_WITH_A_BOMB)


ITEMS: dict[int, Attempts] = {
    1: strangers, 2: neighbours, 3: carriage_return, 4: exit_codes, 5: strict, 6: rows, 7: folders, 8: memory,
}  # fmt: skip
