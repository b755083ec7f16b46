"""`edit-metrics rate`: look, press a key; every answer is on the disk before the next picture shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edit_metrics.cli.options import AllowOutsideRoot, Root, Run

if TYPE_CHECKING:
    import socket

LOOPBACK = "127.0.0.1"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("rate")(rate)


def rate(
    run: Run,
    rater: Annotated[str, typer.Option(help="Who rates; one file of answers a name.")],
    queue: Annotated[
        Path | None, typer.Option(help="A triage folder; default: RUN/triage, else the run's own order.")
    ] = None,
    dimensions: Annotated[
        str | None, typer.Option(help="d,d to ask; default: the calibration's target, else overall.")
    ] = None,
    overlap: Annotated[int | None, typer.Option(help="Raters an item; default: as the queue says.", min=1)] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the answers; default RUN/ratings.")] = None,
    rubric: Annotated[
        Path | None, typer.Option(help="Your own questions and anchors, like configs/rubric.yaml.")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to open the page on; anything else than this machine on purpose.")
    ] = LOOPBACK,
    port: Annotated[int, typer.Option(help="0: any free one.", min=0, max=65535)] = 0,
    blind: Annotated[bool, typer.Option(help="Show neither scores nor names: they anchor.")] = True,
    root: Root = None,
    allow_outside_root: AllowOutsideRoot = False,
) -> None:
    """Rate edits in the browser, one key a rating; resumes where you stopped."""
    from edit_metrics.cli.console import say, warn
    from edit_metrics.rate.opening import RateRequest, open_session
    from edit_metrics.rate.server import make_app

    asked = tuple(name.strip() for name in dimensions.split(",") if name.strip()) if dimensions else ()
    request = RateRequest(run, rater, queue, asked, overlap, out, rubric, blind, root, allow_outside_root)
    with open_session(request) as opened:
        listening = _listen(host, port)
        page = opened.page(_hosts(host, listening))
        here = "[::1]" if ":" in host else host
        if host != LOOPBACK:
            warn("everybody who can reach this machine and has the link can look and rate; the link is not encrypted")
        say(
            f"{len(page.items)} items in the order of {opened.plan_source}; asking {', '.join(page.session.dimensions)}"
        )
        say(f"answers → {opened.file}")
        say(f"open http://{here}:{listening.getsockname()[1]}/{page.token}/   (Ctrl-C ends; the same command goes on)")
        _serve(make_app(page), listening)
    say(f"next: edit-metrics ratings import {opened.file.parent}/*.jsonl --format rate --out ratings.parquet")


def _listen(host: str, port: int) -> socket.socket:
    import socket

    from edit_metrics.errors import UserError

    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        todo = "Take another one, or --port 0 for any free port."
        raise UserError("an address that can be bound", f"{error.strerror}", f"{host}:{port}", todo) from error


def _hosts(host: str, listening: socket.socket) -> frozenset[str]:
    """Host headers that are answered: a page elsewhere whose name points at this machine is not."""
    if host not in (LOOPBACK, "localhost", "::1"):
        return frozenset()  # opened on purpose, under names that only the user knows; the token guards it
    port = listening.getsockname()[1]
    return frozenset(f"{name}:{port}" for name in (LOOPBACK, "localhost", "[::1]"))


def _serve(app: object, listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", timeout_graceful_shutdown=2)  # type: ignore[arg-type]
    uvicorn.Server(config).run(sockets=[listening])
