"""Options that verbs share mean one thing everywhere, and a word outside a set is one paragraph with the nearest."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, get_args

import pytest
import typer

from edit_metrics.choices import EngineName, Level, choose
from edit_metrics.cli import app, main
from edit_metrics.errors import UserError


def commands(group: Any) -> Iterator[Any]:
    for command in group.commands.values():
        yield from commands(command) if hasattr(command, "commands") else [command]


SHARED = (
    "--json", "--set", "--root", "--allow-outside-root", "--join", "--group", "--target", "--ratings",
    "--ratings-are-random", "--pair-by", "--higher", "--lower",
)  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_an_option_that_verbs_share_is_described_alike_in_all_of_them(name: str) -> None:
    parameters = [p for command in commands(typer.main.get_command(app)) for p in command.params if name in p.opts]
    assert len(parameters) > 1
    assert len({(parameter.help, parameter.metavar, parameter.required) for parameter in parameters}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("score m --out x --engine locl", "Expected local or ray, got 'locl' (--engine). Did you mean 'local'?"),
        ("score m --out x --evidence al", "Expected none, flagged or all, got 'al' (--evidence). Did you mean 'all'?"),
        ("ratings import f --out r --format cvs", "Expected csv, label-studio or rate, got 'cvs' (--format). Did"),
        ("ratings import f --out r --format csv --level ordnal", "Expected nominal, ordinal or interval, got 'ordnal'"),
        ("triage t --out x --promise fial", "Expected both, fail, pass or none, got 'fial' (--promise). Did you mean"),
        ("estimate t --ratings r --target q --by modle", "Expected model, got 'modle' (--by). Did you mean 'model'?"),
        ("calibrate t --ratings r --target q --out c --by type", "Expected edit_type, got 'type' (--by)."),
        ("manifest folders p --out m.jsonl --mask-white-means edit", "got 'edit' (--mask-white-means). Did you mean"),
        ("manifest folder p --out m.jsonl", "rise or webdataset, got 'folder' (FORMAT). Did you mean 'folders'?"),
    ],
)
def test_a_word_that_is_no_choice_is_one_paragraph_with_the_nearest(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *arguments.split()])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("edit-metrics: Expected ")
    assert error.count("\n") == 1
    assert message in error


def test_choose_returns_the_member() -> None:
    assert choose(EngineName, "ray", "--engine") is EngineName.RAY
    assert choose(get_args(Level), "ordinal", "--level") == "ordinal"
    with pytest.raises(UserError, match="Expected local or ray, got 'x'"):
        choose(EngineName, "x", "--engine")
