"""`edit-metrics score`: a manifest to a run folder."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edit_metrics.choices import EngineName, EvidenceLevel
from edit_metrics.cli.console import emit_json, say, warn
from edit_metrics.cli.options import AllowOutsideRoot, ConfigFile, Json, JudgeYes, Profile, Root, SetKeys, choice
from edit_metrics.errors import ManifestError, RunError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edit_metrics.scores.items import Item
    from edit_metrics.types import Rejection

MOST_SHOWN = 20
"""Rejected rows on the terminal: a screenful."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("score")(score)


def score(
    manifest: Annotated[str, typer.Argument(help="JSONL, CSV or Parquet: id, source, edited, instruction, …")],
    out: Annotated[Path, typer.Option(help="Run folder.")],
    profile: Profile = None,
    config: ConfigFile = None,
    engine: Annotated[EngineName, choice(EngineName, "--engine", "What runs the shards.")] = EngineName.LOCAL,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Threads for decoding and model-free metrics; worker processes under --engine ray."),
    ] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score the first N rows only.")] = None,
    set_: SetKeys = None,
    root: Root = None,
    allow_outside_root: AllowOutsideRoot = False,
    cache: Annotated[str, typer.Option(help="Folder of the feature cache, or 'off'.")] = "off",
    evidence: Annotated[
        EvidenceLevel, choice(EvidenceLevel, "--evidence", "Which items get evidence pictures.")
    ] = EvidenceLevel.NONE,
    strict: Annotated[
        bool, typer.Option(help="Exit 2 when a row is rejected: before scoring, or while decoding.")
    ] = False,
    resume: Annotated[bool, typer.Option(help="Go on with what the folder holds.")] = True,
    yes: JudgeYes = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="All tables too; later: edit-metrics show RUN.")] = False,
    as_json: Json = False,
) -> None:
    """Score a manifest of edits: one row an item, eight dimensions, an order for people."""
    from edit_metrics.cli.asking import judge_by_profile
    from edit_metrics.cli.overview import print_overview
    from edit_metrics.cli.progress import make_progress
    from edit_metrics.cli.show import print_all, summary_record
    from edit_metrics.config import load_config
    from edit_metrics.engine.job import RunOptions
    from edit_metrics.engine.run import run
    from edit_metrics.io.manifest import read_manifest
    from edit_metrics.scores.summary import summarise_file
    from edit_metrics.scores.table import TABLE_NAME, read_rejections

    overrides = [*(set_ or [])]
    overrides += [f"engine.workers={workers}"] if workers is not None else []
    overrides += [f"engine.device={device}"] if device is not None else []
    settings = load_config(profile, config, overrides)
    rows = read_manifest(manifest, root=root, allow_outside_root=allow_outside_root, limit=limit)
    _report_rejections(rows.rejections, len(rows.items), manifest, strict)
    options = RunOptions(
        out=out, resume=resume, engine=engine, cache=None if cache == "off" else Path(cache), evidence=evidence
    )
    try:
        with make_progress() as progress, _terminated_as_interrupted():
            info = run(rows, settings, options, progress)
    except KeyboardInterrupt:
        say("edit-metrics: interrupted; the same command goes on where it stopped.")
        raise typer.Exit(RunError.exit_code) from None
    counts, _ = info.totals
    decoding = read_rejections(out)[len(rows.rejections) :]
    _report_rejections(decoding, counts.scored, manifest, strict)
    judge_by_profile(out, settings, yes)
    summary = summarise_file(out / TABLE_NAME)
    if as_json:
        counts, seconds = info.totals
        extra = {"seconds": seconds.model_dump(), "peak_memory_mib": info.peak_memory_mib}
        emit_json({"counts": counts.model_dump(), **summary_record(summary), **extra})
        return
    if verbose:
        print_all(summary, info, settings.cannot_see)
    print_overview(info, summary, _worst(out / TABLE_NAME), out)


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """A scheduler that takes the machine back (SIGTERM) ends a run as Ctrl-C does: what is finished is kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _report_rejections(rejected: Sequence[Rejection], others: int, where: str, strict: bool) -> None:
    """Rows that break the contract: before anything is scored those of the manifest, afterwards those of decoding.

    Args:
        rejected: rows.
        others: rows that are not.
        where: the manifest.
        strict: refuse them.

    Raises:
        ManifestError: there are some under ``--strict``, or no others.
    """
    from edit_metrics.io.remedies import remedy

    if not rejected:
        return
    first = rejected[0]
    text = f"line {first.line}, {first.field}: expected {first.expected}, got {first.got}"
    if strict:
        raise ManifestError("no rejected rows (--strict)", f"{len(rejected)}; the first: {text}", where, remedy(first))
    if not others:
        got = f"{len(rejected)} rejected rows; the first: {text}"
        raise ManifestError("a row that can be scored", got, where, remedy(first))
    warn(f"{len(rejected)} of {len(rejected) + others} rows rejected (rejected.jsonl):")
    for one in rejected[:MOST_SHOWN]:
        say(f"  line {one.line}, {one.field}: expected {one.expected}, got {one.got}. {remedy(one)}".rstrip())
    if len(rejected) > MOST_SHOWN:
        say(f"  and {len(rejected) - MOST_SHOWN} more")


def _worst(path: Path) -> list[Item]:
    """The first of the queue; of a long table only the columns that a sentence needs are read."""
    import pandas as pd
    import pyarrow.parquet as pq

    from edit_metrics.cli.overview import WORST
    from edit_metrics.scores.columns import FLAGS, OVERALL_MINIMUM, PRIORITY, DimensionColumns, dimensions_in
    from edit_metrics.scores.items import read_items

    names = pq.read_schema(path).names
    wanted = {"id", FLAGS, OVERALL_MINIMUM, PRIORITY}
    for own in map(DimensionColumns, dimensions_in(names)):
        wanted |= {own.score, own.confidence, own.status, own.reasons}
    frame = pd.read_parquet(path, columns=[name for name in names if name in wanted])
    return read_items(frame.nsmallest(WORST, PRIORITY), {})
