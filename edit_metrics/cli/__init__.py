"""The command line. One file a group of verbs; every body imports what it needs, so that `--help` stays fast."""

from __future__ import annotations

import sys
import warnings

import typer

from edit_metrics._version import __version__
from edit_metrics.cli import accept, compare, demo, doctor, gate, human, judge, manifest, models, rate, report, show
from edit_metrics.cli import score as score_verb
from edit_metrics.errors import EditMetricsError

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
) -> None:
    """Score AI image edits before people do: measure, order, compare, gate."""


for group in (score_verb, manifest, models, judge, human, rate, compare, gate, accept, report, show, doctor, demo):
    group.register(app)


def main() -> None:
    """Entry point: run the verb, turn our errors into one paragraph on stderr and an exit code."""
    # A warning is for the user of the program: without the line of our source that Python would print with it.
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    try:
        app()
    except EditMetricsError as error:
        sys.stderr.write(f"edit-metrics: {error}\n")
        sys.exit(error.exit_code)
