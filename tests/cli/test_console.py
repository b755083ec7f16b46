"""Tables, messages and progress: what goes where, and that nothing from a manifest is read as markup."""

from __future__ import annotations

import io
import sys

import pytest

from edit_metrics.cli import console, progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_cells_read_as_people_expect() -> None:
    assert [console.format_cell(v) for v in (None, True, 0.12345, 7, "x")] == ["–", "yes", "0.123", "7", "x"]


def test_a_table_shows_markup_as_text_and_is_not_cut_when_piped(capsys: pytest.CaptureFixture[str]) -> None:
    name = "[red]not a colour[/red]" + "x" * 100
    console.table("title", ("name", "n"), [(name, 1)])
    printed = capsys.readouterr()
    assert name in printed.out
    assert printed.out.startswith("title")
    assert printed.err == ""


def test_messages_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    console.say("plain")
    console.warn("[b]careful[/b]")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "plain\nwarning: [b]careful[/b]\n"


def test_json_refuses_nan(capsys: pytest.CaptureFixture[str]) -> None:
    console.emit_json({"ö": 1})
    assert '"ö": 1' in capsys.readouterr().out
    with pytest.raises(ValueError, match="JSON"):
        console.emit_json({"x": float("nan")})


@pytest.mark.parametrize("no_color", [True, False])
def test_colours_on_a_terminal_only_and_never_with_no_color(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(sys, "stderr", terminal)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)
    console.warn("x")
    assert ("\x1b[33m" in terminal.getvalue()) is not no_color


def test_progress_is_lines_when_piped_and_a_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with progress.make_progress() as lines:
        lines.start(total=10, done=4)
        lines.note("Resuming")
        lines.advance(6)
    assert isinstance(lines, progress.LineProgress)
    printed = capsys.readouterr().err.splitlines()
    assert printed[:2] == ["scoring 6 items", "Resuming"]
    assert printed[2].startswith("scored 10/10, ")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with progress.make_progress() as bar:
        bar.start(total=10, done=4)
        bar.note("[b]as it is[/b]")
        bar.advance(6)
    assert isinstance(bar, progress.BarProgress)
    assert "10/10" in terminal.getvalue()
    assert "items/s" in terminal.getvalue()
    assert "[b]as it is[/b]" in terminal.getvalue()
