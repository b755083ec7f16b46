"""What the attacks share: an outcome, a small set of edits, and the command line in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "from edit_metrics.cli import main; main()"
TOKEN = "EDIT_METRICS_ATTACK"  # noqa: S105 - the name of a variable
"""In the environment of each process that is started, and of all that it starts."""
SECONDS = 600.0
"""After which a call counts as one that hangs."""

PROFILE = {
    "profile": "attacked",
    "backends": {"perceptual": {"use": "stub"}, "safety": {"use": "stub"}},
    "engine": {"shard_size": 8, "batch_size": 2, "workers": 2},
    "labels": ["geometry"],
    "dimensions": {
        "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}},
        "safety": {"metrics": ["safe", "nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr", "lpips"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
    "flags": {"unsafe": {"metric": "safety.safe", "below": 0}},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table in docs/reliability.md.

    Attributes:
        fault: what was done to the program.
        tries: how often.
        happened: what it did, in words with numbers.
        lost: results that were lost, in words; ``nothing`` is what the table is for.
        held: whether the program kept its word.
    """

    fault: str
    tries: int
    happened: str
    lost: str = "nothing"
    held: bool = True


@dataclass(frozen=True, slots=True)
class Attack:
    """What a family of attacks is given.

    Attributes:
        draw: every random choice comes from here, so that the seed repeats them.
        tries: of each fault, about.
        folder: empty; the attack's own.
    """

    draw: random.Random
    tries: int
    folder: Path


Family = Callable[[Attack], Sequence[Outcome]]


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended.

    Attributes:
        code: exit code, or minus the signal.
        peak_mib: the largest resident memory of the process itself.
    """

    code: int
    out: str
    err: str
    peak_mib: float
    seconds: float

    @property
    def traceback(self) -> bool:
        """Whether a user was shown one."""
        return "Traceback (most recent call last)" in self.err


@dataclass(slots=True)
class Running:
    """The command line, under way in a process of its own."""

    process: subprocess.Popen[bytes]
    files: tuple[Path, Path]
    token: str
    started: float = field(default_factory=time.monotonic)

    @property
    def ended(self) -> bool:
        """Whether it has; it stays to be waited for, which ``Popen.poll`` would have done."""
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def send(self, number: int) -> None:
        """A signal."""
        os.kill(self.process.pid, number)

    def wait(self, seconds: float = SECONDS) -> Ended:
        """Wait for its end; one that hangs is killed and has the code -9."""
        deadline = time.monotonic() + seconds
        while True:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.005)
        self.process.returncode = os.waitstatus_to_exitcode(status)
        out, err = (path.read_text(encoding="utf-8", errors="replace") for path in self.files)
        for path in self.files:
            path.unlink()
        return Ended(self.process.returncode, out, err, usage.ru_maxrss / 1024, time.monotonic() - self.started)


def start(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    before: str = "",
    cwd: Path | None = None,
) -> Running:
    """Start ``edit-metrics`` with these arguments.

    Args:
        arguments: of the command line.
        env: added to the environment; ``PYTHONPATH`` says whose code it is.
        prefix: goes before the interpreter (``bash -c …``).
        before: Python that runs first, in the same process: a fault to be put in.
        cwd: the folder that it starts in; Ray's workers import from there before they look elsewhere.
    """
    files = []
    for _ in range(2):
        descriptor, name = tempfile.mkstemp(prefix="attack-")
        os.close(descriptor)
        files.append(Path(name))
    token = secrets.token_hex(8)
    with files[0].open("wb") as out, files[1].open("wb") as err:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", f"{before}\n{PROGRAM}", *map(str, arguments)],
            stdout=out,
            stderr=err,
            cwd=cwd,
            env={**os.environ, TOKEN: token, **(env or {})},
            # A shell's background job ignores Ctrl-C, and so would all that it starts.
            preexec_fn=_listen_to_interrupts,  # noqa: PLW1509 - one thread, one line
        )
    return Running(process, (files[0], files[1]), token)


def _listen_to_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def call(
    *arguments: object, env: Mapping[str, str] | None = None, prefix: Sequence[str] = (), before: str = ""
) -> Ended:
    """Run it to its end; see :func:`start`."""
    return start(*arguments, env=env, prefix=prefix, before=before).wait()


def call_here(*arguments: object) -> Ended:
    """Run the command line in this process: hundreds of calls without hundreds of starts.

    What typer, our own ``main`` and the verb do is the same; how Python itself ends is not seen.
    """
    from edit_metrics.cli import main

    out, err = io.StringIO(), io.StringIO()
    held, sys.argv = sys.argv, ["edit-metrics", *map(str, arguments)]
    started = time.monotonic()
    code = 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        sys.argv = held
    return Ended(code, out.getvalue(), err.getvalue(), 0.0, time.monotonic() - started)


def small_set(folder: Path, items: int, side: int = 96, pictures: int = 8) -> list[dict[str, str]]:
    """``manifest.jsonl``, ``profile.yaml`` and pictures in a folder; returns the rows."""
    import numpy as np
    import yaml
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0)
    for n in range(pictures):
        coarse = noise.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        for name, pixels in (("s", coarse), ("e", coarse ^ 1)):
            Image.fromarray(pixels).resize((side, side)).save(folder / f"{name}{n}.png")
    rows = [
        {"id": f"i{n}", "source": f"s{n % pictures}.png", "edited": f"e{n * 7 % pictures}.png", "instruction": "x"}
        for n in range(items)
    ]
    write_manifest(rows, folder / "manifest.jsonl")
    (folder / "profile.yaml").write_text(yaml.safe_dump(PROFILE))
    return rows


def write_manifest(rows: Sequence[Mapping[str, str]], path: Path) -> Path:
    """A manifest of those rows."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Name → bytes of every file below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
