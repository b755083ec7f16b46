"""Attacks on the gate's exit code: whatever breaks, wherever, it is not the 1 that a build reads as a regression."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from attacking import Attack, Ended, Outcome, call_here

ERRORS: dict[str, Callable[[], BaseException]] = {
    "no room on the disk": lambda: OSError(errno.ENOSPC, "No space left on device", "x"),
    "an unreadable file": lambda: PermissionError(errno.EACCES, "Permission denied", "x"),
    "a closed pipe": lambda: BrokenPipeError(errno.EPIPE, "Broken pipe"),
    "no memory": MemoryError,
    "a library that ends the program": lambda: SystemExit(1),
    "a library that ends it well": lambda: SystemExit(0),
    "a text that no encoding takes": lambda: UnicodeEncodeError("latin-1", "–", 0, 1, "ordinal not in range"),
    "a text that is none": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    "too deep a recursion": lambda: RecursionError("maximum recursion depth exceeded"),
    "a bug": lambda: ZeroDivisionError("division by zero"),
    "an interrupt": KeyboardInterrupt,
}


def faults_anywhere(attack: Attack) -> list[Outcome]:
    """An exception out of a random call of ours while the gate runs, which would pass: 0 only where it did nothing."""
    tables = _tables(attack.folder)
    arguments = ["gate", *tables, "--junit", attack.folder / "j.xml", "--markdown", attack.folder / "g.md"]
    call_here(*arguments)  # imports are over then
    calls = _count(arguments)
    outcomes = []
    for name, make in ERRORS.items():
        codes: Counter[int] = Counter()
        wrong: list[str] = []
        for _ in range(attack.tries):
            at = attack.draw.randrange(calls)
            code, where = _apart(lambda: _with_fault(arguments, at, make))  # noqa: B023 - called before the next turn
            codes[code] += 1
            if code not in (0, 2, 4):
                wrong.append(f"{where}: exit {code}")
        said = ", ".join(f"exit {code} × {n}" for code, n in sorted(codes.items()))
        outcomes.append(
            Outcome(f"gate: {name}, at a random one of {calls} calls", attack.tries, said, _lost(wrong), not wrong)
        )
    return outcomes


PLACES = {
    "stdout on a full disk": ("{gate} > /dev/full", {2, 4}),
    "stdout on a full disk, as JSON": ("{gate} --json > /dev/full", {2, 4}),
    "a closed stdout": ("{gate} --json >&-", {2, 4}),
    "a reader that is gone": ("{gate} | true", {2, 4}),
    "a JUnit file that cannot be": ("{gate} --junit /dev/null/j.xml", {2, 4}),
    "a JUnit file on a full device": ("{gate} --junit /dev/full", {2, 4}),
    "a JUnit file that is no file": ("{gate} --junit /dev/stdout | grep -c testsuite", {0}),
    "a summary that is a folder": ("{gate} --markdown .", {2, 4}),
    "a closed stdin": ("{gate} <&-", {0}),
    "a closed stderr": ("{gate} 2>&-", {0}),
    "stderr on a full disk": ("{gate} 2> /dev/full", {0}),
    "all three closed": ("{gate} <&- >&- 2>&-", {2, 4}),
    "a terminal in latin-1": ("PYTHONIOENCODING=latin-1 {gate}", {0}),
    "a terminal in ASCII, strict": ("PYTHONIOENCODING=ascii:strict {gate} --json", {0}),
    "no home": ("HOME=/nonexistent XDG_STATE_HOME=/dev/null/x {gate} --junit /dev/null/x/j.xml", {2, 4}),
    "settings in latin-1": ("printf '# f\\374r\\n' > l.yaml; {gate} --config l.yaml", {2}),
    "settings that are no number": ("echo 'margin: .nan' > n.yaml; {gate} --config n.yaml", {2}),
    "a table that is cut": ("head -c 300 a.csv > cut.csv; printf '\"' >> cut.csv; {python} gate a.csv cut.csv", {2}),
    "warnings as errors": ("PYTHONWARNINGS=error {gate}", {0, 4}),
}


def places(attack: Attack) -> list[Outcome]:
    """A gate that passes, in a process of its own, without a place for what it says."""
    _tables(attack.folder)
    python = f"{sys.executable} -m edit_metrics"
    root = str(Path(__file__).resolve().parents[1])
    outcomes = []
    for name, (shell, allowed) in PLACES.items():
        script = shell.format(gate=f"{python} gate a.csv a.csv", python=python) + "\nexit ${PIPESTATUS[0]}"
        environment = {**os.environ, "PYTHONPATH": root, "XDG_STATE_HOME": str(attack.folder / "state")}
        done = subprocess.run(
            ["/bin/bash", "-c", script], cwd=attack.folder, env=environment, capture_output=True, text=True, check=False
        )
        traceback = "Traceback" in done.stderr
        held = done.returncode in allowed and not traceback
        said = f"exit {done.returncode}{', a traceback' if traceback else ''}"
        outcomes.append(Outcome(f"gate: {name}", 1, said, "nothing" if held else done.stderr[-200:], held))
    return outcomes


def _tables(folder: Path) -> list[Path]:
    rows = "".join(f"i{n},g{n},0.{50 + n % 40}\n" for n in range(60))
    (folder / "a.csv").write_text(f"id,group,quality.score\n{rows}")
    return [folder / "a.csv", folder / "a.csv"]


def _is_ours(frame: FrameType) -> bool:
    name = str(frame.f_globals.get("__name__", ""))
    # What handles an error is not attacked: an exception out of it is one in the middle of another.
    return name.startswith("edit_metrics.") and not name.startswith(
        ("edit_metrics.cli.failing", "edit_metrics.printable")
    )


def _count(arguments: list[Any]) -> int:
    seen = 0

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal seen
        seen += event == "call" and _is_ours(frame)

    sys.setprofile(profile)
    try:
        call_here(*arguments)
    finally:
        sys.setprofile(None)
    return seen


def _apart(run: Callable[[], tuple[Ended, str]]) -> tuple[int, str]:
    """Do it in a process of its own that starts as this one stands: a fault in an import would outlive its call."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code, where = 99, ""
        try:
            ended, where = run()
            code = 98 if ended.traceback and "Exception ignored" not in ended.err else ended.code
        finally:
            os.write(writer, where.encode())
            os._exit(code)
    os.close(writer)
    _, status = os.waitpid(child, 0)
    with os.fdopen(reader) as stream:
        return os.waitstatus_to_exitcode(status), stream.read()


def _with_fault(arguments: list[Any], at: int, make: Callable[[], BaseException]) -> tuple[Ended, str]:
    left, where = at, ""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left, where
        if event != "call" or not _is_ours(frame):
            return
        left -= 1
        if left < 0:
            where = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_name}"
            sys.setprofile(None)
            raise make()

    sys.setprofile(profile)
    try:
        return call_here(*arguments), where
    finally:
        sys.setprofile(None)


def _lost(wrong: list[str]) -> str:
    return "; ".join(wrong[:5]) or "nothing"


FAMILIES = {"faults_anywhere": faults_anywhere, "places": places}
