"""Attacks on the gate's exit code: whatever breaks, wherever, it is not the 1 that a build reads as a regression."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
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


UNSAID = 97
"""Exit code of a try that ended with 0, and did not leave what an undisturbed gate leaves."""


def faults_anywhere(attack: Attack) -> list[Outcome]:
    """An exception out of a random call of ours while the gate runs, which would pass: 0 only with all that it says."""
    gate = _Gate(attack.folder)
    return [
        gate.attacked(name, [attack.draw.randrange(len(gate.calls)) for _ in range(attack.tries)], "at a random one")
        for name in ERRORS
    ]


def faults_everywhere(attack: Attack) -> list[Outcome]:
    """The same out of the first call of each of our functions that the gate uses, and of its last: no drawing."""
    gate = _Gate(attack.folder)
    first = {where: n for n, where in reversed(list(enumerate(gate.calls)))}
    last = {where: n for n, where in enumerate(gate.calls)}
    places = sorted({*first.values(), *last.values()})
    return [gate.attacked(name, places, f"at the first and the last call of {len(first)} functions") for name in ERRORS]


class _Gate:
    """A gate that passes, and what it leaves: stdout, its verdict on stderr, two files.

    Args:
        folder: empty.
    """

    def __init__(self, folder: Path) -> None:
        self._files = (folder / "j.xml", folder / "g.md")
        self._arguments = ["gate", *_tables(folder), "--junit", self._files[0], "--markdown", self._files[1]]
        call_here(*self._arguments)  # imports are over then
        self.calls = _calls(self._arguments)
        self._left = self._read(call_here(*self._arguments))

    def attacked(self, name: str, places: Sequence[int], words: str) -> Outcome:
        """One kind of exception out of each of those calls; where the gate still ended with 0 is named."""
        codes: Counter[int] = Counter()
        wrong: list[str] = []
        survived: Counter[str] = Counter()
        for at in places:
            code = _apart(lambda: self._try(at, ERRORS[name]))  # noqa: B023 - called before the next turn
            codes[code] += 1
            if code == 0:
                survived[self.calls[at]] += 1
            elif code not in (2, 4):
                wrong.append(f"{self.calls[at]}: exit {code}")
        said = ", ".join(f"exit {code} × {n}" for code, n in sorted(codes.items()))
        said += f" ({', '.join(sorted(survived))})" if survived else ""
        fault = f"gate: {name}, {words} of {len(self.calls)} calls"
        return Outcome(fault, len(places), said, _lost(wrong), not wrong)

    def _try(self, at: int, make: Callable[[], BaseException]) -> int:
        for path in self._files:
            path.unlink(missing_ok=True)
        ended = _with_fault(self._arguments, at, make)
        if ended.code == 0 and self._read(ended) != self._left:
            return UNSAID
        # What Python says itself of an exception in a generator that is thrown away is no traceback of ours.
        return 98 if ended.traceback and "Exception ignored" not in ended.err else ended.code

    def _read(self, ended: Ended) -> list[str]:
        """All but the lines of stderr that are no verdict."""
        files = [path.read_text(encoding="utf-8") if path.is_file() else "" for path in self._files]
        return [ended.out, *(line for line in ended.err.splitlines() if line.startswith("pass: ")), *files]


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
    if (name, frame.f_code.co_name) == ("edit_metrics.cli", "main"):
        return False  # An exception out of its own call is one in whoever calls it.
    # What handles an error is not attacked: an exception out of it is one in the middle of another.
    return name.startswith("edit_metrics.") and not name.startswith(
        ("edit_metrics.cli.failing", "edit_metrics.printable")
    )


def _calls(arguments: list[Any]) -> list[str]:
    """File and function of each call of ours, in order."""
    seen: list[str] = []

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and _is_ours(frame):
            seen.append(f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_code.co_name}")

    sys.setprofile(profile)
    try:
        call_here(*arguments)
    finally:
        sys.setprofile(None)
    return seen


def _apart(run: Callable[[], int]) -> int:
    """Do it in a process of its own that starts as this one stands: a fault in an import would outlive its call."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = run()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def _with_fault(arguments: list[Any], at: int, make: Callable[[], BaseException]) -> Ended:
    left = at

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event != "call" or not _is_ours(frame):
            return
        left -= 1
        if left < 0:
            sys.setprofile(None)
            raise make()

    sys.setprofile(profile)
    try:
        return call_here(*arguments)
    finally:
        sys.setprofile(None)


def _lost(wrong: list[str]) -> str:
    return "; ".join(wrong[:5]) or "nothing"


FAMILIES = {"faults_anywhere": faults_anywhere, "faults_everywhere": faults_everywhere, "places": places}
