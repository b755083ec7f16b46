"""Whatever happens to a verb: one paragraph, an exit code that says what happened, and never a verdict by accident."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from edit_metrics.cli import failing, main
from edit_metrics.errors import RunError, UserError

BASELINE = "id,quality.score\n" + "".join(f"i{n},0.{50 + n % 40}\n" for n in range(60))
WORSE = "id,quality.score\n" + "".join(f"i{n},0.{10 + n % 40}\n" for n in range(60))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "base.csv").write_text(BASELINE)
    (tmp_path / "worse.csv").write_text(WORSE)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code


def paragraph(capsys: pytest.CaptureFixture[str]) -> str:
    printed = capsys.readouterr().err
    lines = [line for line in printed.splitlines() if line.startswith("edit-metrics: ")]
    assert len(lines) == 1, printed
    assert "Traceback" not in printed
    return lines[0]


def raising(error: BaseException) -> Callable[[], object]:
    def call() -> object:
        raise error

    return call


FAULTS = [
    (ZeroDivisionError("float division"), 4, "ZeroDivisionError: float division"),
    (SystemExit(0), 4, "a library that ended the program (exit 0)"),
    (SystemExit(1), 4, "a library that ended the program (exit 1)"),
    (SystemExit("Aborted."), 4, "a library that ended the program (exit 'Aborted.')"),
    (KeyboardInterrupt(), 4, "interrupted"),
    (typer.Abort(), 4, "interrupted"),
    (GeneratorExit(), 4, "GeneratorExit"),
    (MemoryError(), 4, "enough memory"),
    (RecursionError("maximum recursion depth exceeded"), 4, "RecursionError"),
    (UnicodeEncodeError("latin-1", "–", 0, 1, "ordinal not in range"), 4, "UnicodeEncodeError"),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), 4, "a closed pipe"),
    (OSError(errno.ENOSPC, "No space left on device", "x/scores.csv"), 4, "room on the disk"),
    (OSError(errno.ENOSPC, "No space left on device"), 4, "room on the disk"),
    (OSError(errno.EIO, "Input/output error", "x"), 4, "Input/output error (x)"),
    (NotADirectoryError(errno.ENOTDIR, "Not a directory", "x/y"), 2, "Not a directory (x/y)"),
    (PermissionError(errno.EACCES, "Permission denied", "models"), 2, "Permission denied (models)"),
    (FileNotFoundError(errno.ENOENT, "No such file or directory"), 4, "No such file or directory"),
    (ValueError("\x1b[2J\nedit-metrics: all fine"), 4, "\\x1b[2J"),
    (UserError("a", "b"), 2, "Expected a, got b."),
    (RunError("a", "b"), 4, "Expected a, got b."),
]


@pytest.mark.parametrize(("error", "code", "words"), FAULTS, ids=lambda value: str(value)[:30])
def test_an_exception_is_a_paragraph_and_never_a_verdict(
    error: BaseException, code: int, words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing.run_safely(raising(error)) == code
    assert words in paragraph(capsys)


def test_the_traceback_of_what_nobody_foresaw_is_kept_in_a_file_that_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing.run_safely(raising(ZeroDivisionError("x"))) == 4
    named = paragraph(capsys).rpartition("The traceback is in ")[2].removesuffix(".")
    log = Path(named)
    assert folder in log.parents
    assert "ZeroDivisionError: x" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0


def test_what_was_foreseen_leaves_no_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert failing.run_safely(raising(UserError("a", "b"))) == 2
    assert "traceback" not in paragraph(capsys)
    assert not (folder / "state").exists()


def test_debug_prints_the_traceback_wherever_the_word_stands(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("--debug", "show", "gone.csv"), ("show", "gone.csv", "--debug")):
        assert call(monkeypatch, *arguments) == 2
        printed = capsys.readouterr().err
        assert "Traceback (most recent call last)" in printed
        assert "edit-metrics: Expected a table file" in printed


def test_a_log_folder_that_cannot_be_written_costs_the_log_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    monkeypatch.setattr(failing.tempfile, "gettempdir", lambda: "/dev/null/tmp")
    assert failing.run_safely(raising(ZeroDivisionError("x"))) == 4
    assert "--debug" in paragraph(capsys)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("gate", "base.csv", "base.csv", "--no-such-option"), "--no-such-option"),
        (("gaet",), "gaet"),
        (("score", "m.jsonl"), "--out"),
        (("show", "base.csv", "-n", "many"), "'-n'"),
    ],
)
def test_a_call_that_the_parser_refuses_is_a_paragraph_too(
    arguments: tuple[str, ...],
    words: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert call(monkeypatch, *arguments) == 2
    text = paragraph(capsys)
    assert words in text
    assert "--help" in text


def test_without_a_verb_the_help_is_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch) == 2
    printed = capsys.readouterr()
    assert "score" in printed.out + printed.err


BAD_FILES = {
    "latin.yaml": "# für\nalpha: 0.05\n".encode("latin-1"),
    "nan.yaml": b"margin: .nan\n",
    "infinite.yaml": b"margin: .inf\n",
    "date.yaml": b"margin: 2026-13-45\n",
    "digits.yaml": b"margin: 1" + b"0" * 5000 + b"\n",
    "deep.yaml": b"margin: " + b"[" * 3000 + b"]" * 3000 + b"\n",
    "bomb.yaml": b"a: &a [x,x,x,x,x,x,x,x,x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(ord("b"), ord("j"))),
    "merge.yaml": b"a: &a {x: 1}\n"
    + b"".join(b"%c: &%c {<<: [%s]}\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(ord("b"), ord("j"))),
    "itself.yaml": b"&a margin: [*a]\n",
    "cycle.yaml": b"margin: &a [*a]\n",
    "python.yaml": b"margin: !!python/object/apply:os.system [ls]\n",
    "binary.yaml": bytes(range(256)),
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("verb", ["gate", "score"])
def test_a_file_of_settings_that_is_none_is_a_wrong_call(
    verb: str, name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).write_bytes(BAD_FILES[name])
    (folder / "m.jsonl").write_text('{"id": "a", "source": "s.png", "edited": "e.png", "instruction": "x"}\n')
    arguments = {"gate": ("base.csv", "worse.csv"), "score": ("m.jsonl", "--out", "run")}[verb]
    assert call(monkeypatch, verb, *arguments, "--config", name) == 2
    assert name in paragraph(capsys)


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
def test_a_curve_needs_anchors_that_are_numbers(
    value: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "m.jsonl").write_text('{"id": "a", "source": "s.png", "edited": "e.png", "instruction": "x"}\n')
    change = f"dimensions.preservation.curves.psnr.anchors=[[{value}, 0], [50, 1]]"
    assert call(monkeypatch, "score", "m.jsonl", "--out", "run", "--set", change) == 2
    assert "finite" in paragraph(capsys)


# The gate, whose exit code a build reads: `candidate` is worse, so that 1 is the verdict of a gate that finds a place
# for it, and whatever takes the place away must not look like one.


def gate(folder: Path, shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A real process: what is tested is how Python itself ends."""
    script = shell.replace("GATE", f"{sys.executable} -m edit_metrics gate base.csv")
    return subprocess.run(
        ["/bin/bash", "-c", f"{script}\nexit ${{PIPESTATUS[0]}}"],
        cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state"), **environment},
    )  # fmt: skip


PLACES = [
    ("GATE worse.csv --junit /dev/null/j.xml", 2, "a place that can be read or written"),
    ("GATE worse.csv --markdown .", 2, "a place that can be read or written"),
    ("GATE worse.csv --json > /dev/full", 4, "room on the disk"),
    ("GATE worse.csv > /dev/full", 4, "room on the disk"),
    ("GATE worse.csv --json >&-", 4, "Bad file descriptor"),
    ("GATE worse.csv | true", 4, "a closed pipe"),
    ("GATE gone.csv --junit /dev/null/j.xml", 2, "no such file"),
]


@pytest.mark.parametrize(("shell", "code", "words"), PLACES, ids=[place[0] for place in PLACES])
def test_a_gate_without_a_place_for_its_verdict_says_it_and_does_not_end_with_one(
    shell: str, code: int, words: str, folder: Path
) -> None:
    done = gate(folder, shell)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    if "gone" not in shell:
        assert "regression in quality" in done.stderr


def test_a_terminal_of_another_encoding_gets_the_verdict(folder: Path) -> None:
    done = gate(folder, "GATE worse.csv --json", PYTHONIOENCODING="latin-1")
    assert done.returncode == 1
    assert "regression in quality" in done.stderr
    assert gate(folder, "GATE base.csv", PYTHONIOENCODING="ascii").returncode == 0


def test_a_stderr_that_takes_nothing_leaves_the_verdict_as_it_is(folder: Path) -> None:
    assert gate(folder, "GATE worse.csv 2> /dev/full").returncode == 1
    assert gate(folder, "GATE base.csv 2>&-").returncode == 0
