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
    bundle: Annotated[
        Path | None, typer.Option(help="Pack the page with its full pictures into this .zip, to send or to keep.")
    ] = None,
    ids: Annotated[str | None, typer.Option(help="Only these items: a,b,c, or a file with one id a line.")] = None,
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

    options = ReportOptions(thumbnails, root, allow_outside_root, of, bundle, _ids(ids))
    made = write_report(run, out, options)
    with_pictures = "" if made.pictures is None else f" with {made.pictures} full pictures"
    say(f"{made.kind} report{with_pictures}, {made.size / MIB:.1f} MiB: {made.path}")


def _ids(text: str | None) -> tuple[str, ...] | None:
    from edit_metrics.errors import UserError

    if text is None:
        return None
    file = Path(text)
    # Ids may hold other separators than line feeds.
    lines = file.read_text(encoding="utf-8-sig").split("\n") if file.is_file() else text.split(",")
    names = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names:
        raise UserError("ids", "none", "--ids", "Write them as a,b,c or give a file with one id a line.")
    return names
