"""The command line. One file a group of verbs; every body imports what it needs, so that `--help` stays fast."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable
from typing import Any, cast

import typer

from edit_metrics._version import __version__
from edit_metrics.cli import (
    accept,
    compare,
    demo,
    doctor,
    gate,
    human,
    judge,
    lint,
    manifest,
    models,
    rate,
    report,
    show,
)
from edit_metrics.cli import score as score_verb
from edit_metrics.cli.failing import run_safely
from edit_metrics.errors import UserError

DEBUG = "--debug"

app = typer.Typer(
    name="edit-metrics",
    help="Score AI image edits before people do: measure, order, compare, gate.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"edit-metrics {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
    debug: bool = typer.Option(False, DEBUG, help="Print the traceback of an error; may stand anywhere."),
) -> None:
    """Score AI image edits before people do: measure, order, compare, gate."""


for group in (
    score_verb, manifest, lint, models, judge, human, rate, compare, gate, accept, report, show, doctor, demo,
):  # fmt: skip
    group.register(app)


def main() -> None:
    """Entry point: run the verb; every error ends in one paragraph on stderr and an exit code of docs/exit-codes.md."""
    # Nothing of ours is called outside of run_safely, where an exception has an exit code of Python's own.
    debug = DEBUG in sys.argv[1 : sys.argv.index("--") if "--" in sys.argv else None]
    sys.exit(run_safely(lambda: _verb()(_arguments(), prog_name="edit-metrics", standalone_mode=False), debug=debug))


def _arguments() -> list[str]:
    arguments = sys.argv[1:]
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [one for place, one in enumerate(arguments) if one != DEBUG or place > end]


def _verb() -> Callable[..., object]:
    command: Any = typer.main.get_command(app)
    _refuse_nan(command)
    return cast(Callable[..., object], command)


def _refuse_nan(command: Any) -> None:
    """No number of the command line is NaN or infinite: ranges let NaN through, since it compares with nothing."""
    for inner in getattr(command, "commands", {}).values():
        _refuse_nan(inner)
    if command.callback is None:
        return
    names = {parameter.name: parameter.opts[0] for parameter in command.params}
    verb = command.callback

    @functools.wraps(verb)
    def checked(**given: object) -> object:
        for name, value in given.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"a finite number for {names.get(name, name)}", str(value))
        return verb(**given)

    command.callback = checked
