"""The other eight of the faults of benchmarks/failed_before.py: derived files, names, tables, packages, load."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from failed_before import Attempts, Checkout, Finding

FIXTURES = Path(__file__).resolve().parents[1] / "data" / "fixtures"
BLOCK = """
import importlib.abc, sys
class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "cv2", "sklearn", "transformers", "skimage", "torchvision"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""
UNSAFE = """
import numpy, edit_metrics.backends.stub as stub
whole = stub.StubSafety.probabilities
stub.StubSafety.probabilities = lambda self, images: numpy.asarray(whole(self, images)) * 0 - 4.95
"""
NO_MEMORY = """
from PIL import ImageFile
whole = ImageFile.ImageFile.load
def load(self):
    if self.size == (97, 97):
        raise MemoryError
    return whole(self)
ImageFile.ImageFile.load = load
"""
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def derived(at: Checkout) -> Iterator[Finding]:
    """9. A table derived from weights."""
    from edit_metrics.weights.store import models_folder

    at.rows("one.jsonl", {"id": "a", "source_caption": "a cat", "target_caption": "a dog"})
    models = at.folder / "models"
    models.mkdir()
    for path in models_folder().iterdir():
        if path.name != "derived":
            (models / path.name).symlink_to(path)
    env = {"EDIT_METRICS_MODELS": str(models)}

    def score(out: str) -> tuple[int, object]:
        options = ("--profile", "embedded", "--out", at.folder / out)
        code = at.run("score", at.data / "one.jsonl", *options, env=env).code
        path = at.folder / out / "scores.parquet"
        return code, pd.read_parquet(path).filter(regex="conse_._?$|conse_i$|conse_t$").iloc[
            0
        ].to_dict() if path.is_file() else None

    first = score("first")
    (table,) = (models / "derived").glob("conse-*.npy")
    whole = table.read_bytes()
    for what, data in (
        ("emptied", b""),
        ("with other values", whole[:4096] + bytes(byte ^ 1 for byte in whole[4096:-64]) + whole[-64:]),
    ):
        table.write_bytes(data)
        found = score(what.replace(" ", "-"))
        yield Finding(
            f"ConSE's table {what}", f"exit {found[0]}, {'equal' if found == first else 'other'} values", found == first
        )


def typos(at: Checkout) -> Iterator[Finding]:
    """10. Names that do not resolve."""
    for n, setting in enumerate(("flags.unsafe.metric=safety.saef", "backends.saftey.use=stub")):
        code = at.score("two.jsonl", f"typo{n}", "--set", setting).code
        yield Finding(f"`--set {setting}`", f"exit {code}", code == 2)


def terminal(at: Checkout) -> Iterator[Finding]:
    """11. Escapes and forged lines."""
    manifest = at.rows("x.jsonl", {"id": "a", "source": "../../\u001b[2J\nedit-metrics: all fine"})
    ended = at.score(manifest, "terminal", "--strict")
    raw = "\u001b[2J" in ended.err + ended.out
    forged = any(line.startswith("edit-metrics: all fine") for line in (ended.err + ended.out).splitlines())
    yield Finding(
        "a path with an escape and a line of its own", f"escape: {raw}, line: {forged}", not raw and not forged
    )


def tables(at: Checkout) -> Iterator[Finding]:
    """12. Tables and numbers."""
    rows = [f"i{n},0.{50 + n % 40}" for n in range(40)]
    good = "id,quality.score\n" + "\n".join(rows) + "\n"
    for name, text in (
        ("good", good), ("high", good.replace("0.50", "7.5")), ("infinite", good.replace("0.51", "inf")),
        ("text", good.replace("0.52", "fine")),
    ):  # fmt: skip
        (at.folder / f"{name}.csv").write_text(text)
    (at.folder / "list.jsonl").write_text("[1, 2]\n" * 5)
    calls = {
        "a score of 7.5": "compare good.csv high.csv --out c1",
        "a score of ∞": "compare good.csv infinite.csv --out c2",
        "a score in words": "compare good.csv text.csv --out c3",
        "JSONL of lists": "compare good.csv list.jsonl --out c4",
        "`compare --pass-at nan`": "compare good.csv good.csv --out c5 --pass-at nan",
        "`gate --json > /dev/full`": "gate good.csv good.csv --json > /dev/full",
        "`--seed -1`": "compare good.csv good.csv --out c6 --seed -1",
        "`alpha_background=[300,-5,2]`": "score data/two.jsonl --config data/profile.yaml --out c7 "
        "--set 'decode.alpha_background=[300,-5,2]'",
    }
    for what, script in calls.items():
        code = at.shell(f"$EM {script}")
        yield Finding(what, f"exit {code}", code in ((2, 4) if "full" in what else (2,)))
    at.score("two.jsonl", "unsafe", before=UNSAFE)
    table = pd.read_parquet(at.folder / "unsafe" / "scores.parquet")
    scores = [None if pd.isna(one) else float(one) for one in table["safety.score"]]
    yield Finding("a safety model that answers −4.95", f"safety.score {scores}", scores == [None, None])


def odd_files(at: Checkout) -> Iterator[Finding]:
    """13. Aliases, agents, orientations, an end."""
    from PIL import Image

    (at.data / "bomb.yaml").write_text(BOMB)
    run = at.begin("score", at.data / "two.jsonl", "--config", at.data / "bomb.yaml", "--out", at.folder / "bomb")
    ended = run.wait(60)
    said = f"exit {ended.code}" if ended.code >= 0 else "not through in 60 s"
    yield Finding("a YAML of aliases of aliases, eight deep", said, ended.code == 2)
    # Noise: of a smooth picture all is decoded before the end is missed.
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8))
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    (at.data / "short.jpg").write_bytes(stream.getvalue()[:-2])
    # One entry: tag 0x0112 as a LONG (4), of the value 6, the most significant byte first.
    exif = b"Exif\0\0MM\0*" + struct.pack(">IHHHIII", 8, 1, 0x0112, 4, 1, 6, 0)
    picture.save(at.data / "long.jpg", exif=exif)
    picture.save(at.data / "plain.png")
    picture.transpose(Image.Transpose.ROTATE_270).save(at.data / "turned.png")
    pairs = (
        ("a JPEG without its last two bytes", "plain.png", "short.jpg"),
        ("an orientation as LONG", "turned.png", "long.jpg"),
    )
    for n, (what, source, edited) in enumerate(pairs):
        at.score(at.rows(f"odd{n}.jsonl", {"id": "a", "source": source, "edited": edited}), f"odd{n}")
        row = pd.read_parquet(at.folder / f"odd{n}" / "scores.parquet").iloc[0]
        got = f"geometry {row.get('geometry')}, {row.get('feasibility.reasons') or 'feasible'}"
        yield Finding(what, got, row.get("geometry") == "same" and not row.get("feasibility.reasons"))
    yield from _agents(at)


def _agents(at: Checkout) -> Iterator[Finding]:
    from attack_world import _descendants

    out = at.folder / "ray"
    options = ("--config", at.data / "profile.yaml", "--out", out, "--engine", "ray", "--workers", "1")
    run = at.begin("score", at.data / "manifest.jsonl", *options)
    while not list((out / "shards").glob("0*.*")) and not run.ended:
        time.sleep(0.01)
    begun = not run.ended
    run.send(signal.SIGKILL)
    run.wait()
    deadline = time.monotonic() + 30
    while (left := _descendants(run.token)) and time.monotonic() < deadline:
        time.sleep(0.5)
    yield Finding("`kill -9` of a driver of Ray", f"{len(left)} processes left after 30 s", begun and not left)
    for pid in left:
        os.kill(pid, signal.SIGKILL)


def slim(at: Checkout) -> Iterator[Finding]:
    """14. Verbs that read tables, without what scoring needs."""
    at.score("two.jsonl", "a")
    a = at.folder / "a"
    calls = {
        "compare": (a, a, "--out", at.folder / "c"), "gate": (a, a), "report": (a,), "show": (a,),
        "triage": (a, "--out", at.folder / "q"), "accept": (a, "--into", at.folder / "base", "--reason", "first"),
    }  # fmt: skip
    for verb, arguments in calls.items():
        ended = at.run(verb, *arguments, before=BLOCK)
        # Two rows are too few to compare or to judge: that is an answer too, in words that name no package.
        held = not ended.traceback and "No module" not in ended.err and ended.code in (0, 2, 3)
        yield Finding(
            f"`{verb}` without torch, OpenCV, scikit-learn", f"exit {ended.code}", held and "extra" not in ended.err
        )


def packages(at: Checkout) -> Iterator[Finding]:
    """15. Wheel, sdist, what they say of themselves."""
    built = {}
    for what in ("wheel", "sdist"):
        code = f"import sys; from hatchling.build import build_{what}; print(build_{what}(sys.argv[1]))"
        done = subprocess.run(
            [sys.executable, "-c", code, str(at.folder)], cwd=at.code, capture_output=True, text=True, check=False
        )
        built[what] = at.folder / done.stdout.split()[-1] if done.returncode == 0 else None
        yield Finding(f"the {what} is built", f"exit {done.returncode}", built[what] is not None)
    if built["wheel"] is None or built["sdist"] is None:
        return
    with zipfile.ZipFile(built["wheel"]) as archive:
        names = archive.namelist()
        text = archive.read(next(name for name in names if name.endswith("/METADATA"))).decode()
    with tarfile.open(built["sdist"]) as source:
        inside = [name.partition("/")[2] for name in source.getnames()]
    yield Finding(
        "the sdist holds what the wheel is made of", f"{len(inside)} files", "edit_metrics/cli/__init__.py" in inside
    )
    for what in ("edit_metrics/py.typed", "Python :: 3.13"):
        held = what in text or what in names
        yield Finding(f"`{what}` in the wheel", "there" if held else "absent", held)
    for name in ("SECURITY.md", "docs/licences.md"):
        held = (at.code / name).is_file()
        yield Finding(f"`{name}`", "there" if held else "absent", held)


def load(at: Checkout) -> Iterator[Finding]:
    """16. The world around a run."""
    from PIL import Image

    # The folder's own limit, not the machine's: no file of more than 4 KiB.
    code = at.shell("ulimit -f 4; $EM score data/manifest.jsonl --config data/profile.yaml --out full")
    yield Finding("no room for a file over 4 KiB", f"exit {code}", code == 4)
    code = at.shell("$EM score data/two.jsonl --config data/profile.yaml --out /proc/run")
    yield Finding("`--out` on a read-only filesystem", f"exit {code}", code == 2)
    picture = Image.open(at.data / "s0.png").resize((97, 97))
    picture.save(at.data / "odd.png")
    manifest = at.rows("memory.jsonl", {"id": "a"}, {"id": "b", "source": "odd.png", "edited": "odd.png"})
    at.score(manifest, "memory", before=NO_MEMORY)
    row = pd.read_parquet(at.folder / "memory" / "scores.parquet").set_index("id").loc["b"]
    got = row["feasibility.reasons"] or row["safety.nudity_max.reason"]
    yield Finding("no memory for one picture", str(got), "pixels" not in str(got) and row["feasibility.score"] == 1)
    at.score(manifest, "memory")
    row = pd.read_parquet(at.folder / "memory" / "scores.parquet").set_index("id").loc["b"]
    yield Finding("then the same command", f"safety.score {row['safety.score']}", bool(pd.notna(row["safety.score"])))
    run = at.begin(
        "score", at.data / "manifest.jsonl", "--config", at.data / "profile.yaml", "--out", at.folder / "gone"
    )
    while not list((at.folder / "gone" / "shards").glob("*.done")) and not run.ended:
        time.sleep(0.005)
    (at.data / "s1.png").rename(at.data / "away.png")
    run.wait()
    (at.data / "away.png").rename(at.data / "s1.png")
    at.score("manifest.jsonl", "gone")
    table = pd.read_parquet(at.folder / "gone" / "scores.parquet")
    missing = int(table["feasibility.reasons"].astype(str).str.contains("missing_file").sum())
    yield Finding(
        "a source that vanishes and comes back, the same command again", f"{missing} rows without it", not missing
    )


MORE: dict[int, Attempts] = {
    9: derived, 10: typos, 11: terminal, 12: tables, 13: odd_files, 14: slim, 15: packages, 16: load,
}  # fmt: skip
