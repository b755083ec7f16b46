"""`edit-metrics report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edit_metrics.cli.options import AllowOutsideRoot, Root

MIB = 2**20


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("report")(report)


def report(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="A run folder or score table, a comparison folder, or a triage folder."),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="The page; default report.html in the folder.")] = None,
    thumbnails: Annotated[int, typer.Option(help="Most items with pictures on the page.", min=0)] = 120,
    root: Root = None,
    allow_outside_root: AllowOutsideRoot = False,
    of: Annotated[
        Path | None,
        typer.Option("--run", help="For a triage folder: the run it was made from; default the folder above."),
    ] = None,
) -> None:
    """Write one HTML page: coverage, what cannot be seen, distributions, slices, and the items to look at first."""
    from edit_metrics.cli.console import say
    from edit_metrics.report.write import ReportOptions, write_report

    made = write_report(run, out, ReportOptions(thumbnails, root, allow_outside_root, of))
    say(f"{made.kind} report, {made.size / MIB:.1f} MiB: {made.path}")
