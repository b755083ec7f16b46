"""`edit-metrics score`: a manifest to a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.choices import EngineName, EvidenceLevel
from edit_metrics.cli.console import emit_json, say, table, warn
from edit_metrics.cli.options import AllowOutsideRoot, ConfigFile, Json, JudgeYes, Profile, Root, SetKeys, choice
from edit_metrics.errors import ManifestError, RunError

if TYPE_CHECKING:
    from edit_metrics.config import Config
    from edit_metrics.io.manifest import Manifest
    from edit_metrics.scores.run_info import RunInfo
    from edit_metrics.scores.summary import Cause, Coverage, Summary


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
    strict: Annotated[bool, typer.Option(help="Exit 2 when a row is rejected, before anything is scored.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with what the folder holds.")] = True,
    yes: JudgeYes = False,
    as_json: Json = False,
) -> None:
    """Score a manifest of edits: one row an item, eight dimensions, an order for people."""
    from edit_metrics.cli.asking import judge_by_profile
    from edit_metrics.cli.progress import make_progress
    from edit_metrics.config import load_config
    from edit_metrics.engine.job import RunOptions
    from edit_metrics.engine.run import run
    from edit_metrics.io.manifest import read_manifest
    from edit_metrics.scores.summary import summarise_file
    from edit_metrics.scores.table import TABLE_NAME

    overrides = [*(set_ or [])]
    overrides += [f"engine.workers={workers}"] if workers is not None else []
    overrides += [f"engine.device={device}"] if device is not None else []
    settings = load_config(profile, config, overrides)
    rows = read_manifest(manifest, root=root, allow_outside_root=allow_outside_root, limit=limit)
    _report_rejections(rows, strict)
    options = RunOptions(
        out=out, resume=resume, engine=engine, cache=None if cache == "off" else Path(cache), evidence=evidence
    )
    try:
        with make_progress() as progress:
            info = run(rows, settings, options, progress)
    except KeyboardInterrupt:
        say("edit-metrics: interrupted; the same command goes on where it stopped.")
        raise typer.Exit(RunError.exit_code) from None
    judge_by_profile(out, settings, yes)
    summary = summarise_file(out / TABLE_NAME)
    if as_json:
        emit_json(_as_json(info, summary))
    else:
        _print_summary(info, summary, settings, out)


def _report_rejections(manifest: Manifest, strict: bool) -> None:
    rejected = manifest.rejections
    if not rejected:
        return
    first = rejected[0]
    text = f"line {first.line}, {first.field}: expected {first.expected}, got {first.got}"
    if strict:
        raise ManifestError("no rejected rows (--strict)", f"{len(rejected)}; the first: {text}", manifest.path)
    warn(f"{len(rejected)} of {len(rejected) + len(manifest.items)} rows rejected (rejected.jsonl); the first: {text}")


def _print_summary(info: RunInfo, summary: Summary, config: Config, out: Path) -> None:
    counts, seconds = info.totals
    flags = ", ".join(f"{name} {n}" for name, n in summary.flags) or "none"
    table(
        f"{counts.rows} rows: {counts.scored} scored, {counts.rejected} rejected · flags: {flags}",
        ("dimension", "n", "mean", "confidence", "without a score, and why"),
        [(c.name, c.n, c.mean, c.confidence, _reasons(c.missing)) for c in summary.dimensions],
    )
    table(
        "Coverage and means per metric",
        ("metric", "n", "mean", "missing, and why"),
        [(c.name, c.n, c.mean, _reasons(c.missing)) for c in summary.metrics],
    )
    stages = sorted(seconds.stages.items(), key=lambda pair: -pair[1])[:12]
    table("Seconds per stage (threads overlap, so they add up to more than the clock)", ("stage", "s"), stages)
    for text in config.cannot_see:
        say(f"not seen by this profile: {text}")
    say(f"{seconds.total:.1f} s, peak memory {info.peak_memory_mib} MiB, device {info.device}")
    say("Shipped curves are not calibrated to raters: read pre-scores as an order, not as ratings (docs/triage.md).")
    say(f"written: {out}/scores.parquet, scores.csv, rejected.jsonl, run.json")


def _reasons(missing: Sequence[Cause]) -> str:
    shown = ", ".join(f"{cause.n} {cause.code}" for cause in missing[:3])
    return shown + (" …" if len(missing) > 3 else "")


def _as_json(info: RunInfo, summary: Summary) -> dict[str, Any]:
    counts, seconds = info.totals
    return {
        "counts": counts.model_dump(),
        "flags": dict(summary.flags),
        "dimensions": {c.name: _coverage(c) | {"confidence": c.confidence} for c in summary.dimensions},
        "metrics": {c.name: _coverage(c) for c in summary.metrics},
        "seconds": seconds.model_dump(),
        "peak_memory_mib": info.peak_memory_mib,
    }


def _coverage(found: Coverage) -> dict[str, Any]:
    return {"n": found.n, "mean": found.mean, "missing": {cause.code: cause.n for cause in found.missing}}
