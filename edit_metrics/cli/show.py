"""`edit-metrics show`: a run, one item, or the worst of a dimension, in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.options import Json, Run

if TYPE_CHECKING:
    from edit_metrics.scores.items import Item
    from edit_metrics.scores.run_info import RunInfo
    from edit_metrics.scores.summary import Cause, Summary
    from edit_metrics.scores.table import ScoreTable


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("show")(show)


def show(
    run: Run,
    item: Annotated[str | None, typer.Argument(metavar="[ID]", help="Explain this item.")] = None,
    worst: Annotated[str | None, typer.Option(help="The lowest scores of this dimension, or 'overall'.")] = None,
    n: Annotated[int, typer.Option("-n", help="How many with --worst.", min=1)] = 10,
    as_json: Json = False,
) -> None:
    """Say in words what a run found: everything, one item, or the worst of a dimension."""
    from edit_metrics.errors import UserError
    from edit_metrics.scores.sentences import explain_in_words, lowest
    from edit_metrics.scores.table import read_scores

    if item is not None and worst is not None:
        raise UserError("an ID or --worst", "both")
    loaded = read_scores(run)
    if item is not None:
        _emit(explain_in_words(_item(loaded, item), loaded.frame), as_json)
    elif worst is not None:
        _print_worst(lowest(_items(loaded), worst, n), worst, as_json)
    else:
        _print_run(loaded, run, as_json)


def print_all(summary: Summary, info: RunInfo | None, cannot_see: Sequence[str]) -> None:
    """Every table of a run: dimensions, metrics, seconds, what the profile cannot see."""
    from edit_metrics.cli.console import say, table

    flags = ", ".join(f"{name} {n}" for name, n in summary.flags) or "none"
    table(
        f"{summary.rows} rows · flags: {flags}",
        ("dimension", "n", "mean", "confidence", "without a score, and why"),
        [(c.name, c.n, c.mean, c.confidence, _reasons(c.missing)) for c in summary.dimensions],
    )
    table(
        "Coverage and means per metric",
        ("metric", "n", "mean", "missing, and why"),
        [(c.name, c.n, c.mean, _reasons(c.missing)) for c in summary.metrics],
    )
    seconds = None if info is None else info.seconds
    if info is not None and seconds is not None:
        stages = sorted(seconds.stages.items(), key=lambda pair: -pair[1])[:12]
        table("Seconds per stage (threads overlap, so they add up to more than the clock)", ("stage", "s"), stages)
        say(f"{seconds.total:.1f} s, peak memory {info.peak_memory_mib} MiB, device {info.device}")
    for text in cannot_see:
        say(f"not seen by this profile: {text}")
    say("Shipped curves are not calibrated to raters: read pre-scores as an order, not as ratings (docs/triage.md).")


def _items(loaded: ScoreTable) -> list[Item]:
    from edit_metrics.scores.items import reachable_confidence, read_items

    return read_items(loaded.frame, reachable_confidence(loaded.info, loaded.frame))


def _item(loaded: ScoreTable, name: str) -> Item:
    from edit_metrics.errors import TableError, suggest

    found = next((one for one in _items(loaded) if one.id == name), None)
    if found is None:
        raise TableError("an id of the run", repr(name), str(loaded.path), suggest(name, loaded.frame["id"]))
    return found


def _emit(text: str, as_json: bool) -> None:
    import sys

    from edit_metrics.cli.console import emit_json

    if as_json:
        emit_json({"explanation": text})
    else:
        sys.stdout.write(f"{text}\n")


def _print_worst(found: Sequence[Item], dimension: str, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json, table
    from edit_metrics.scores.sentences import reasons_in_words, score_of

    rows = [(item.id, score_of(item, dimension), item.instruction, reasons_in_words(item, dimension)) for item in found]
    if as_json:
        emit_json([dict(zip(("id", "score", "instruction", "why"), row, strict=True)) for row in rows])
    else:
        table(f"Lowest {dimension}", ("id", "score", "instruction", "why"), rows)


def _print_run(loaded: ScoreTable, run: Path, as_json: bool) -> None:
    from edit_metrics.cli.console import emit_json
    from edit_metrics.scores.summary import summarise

    summary = summarise(loaded.frame)
    if as_json:
        emit_json(summary_record(summary))
        return
    profile = None if loaded.info is None else loaded.info.profile_record
    print_all(summary, loaded.info, () if profile is None else profile.cannot_see)


def summary_record(summary: Summary) -> dict[str, Any]:
    """A summary as JSON."""
    return {
        "flags": dict(summary.flags),
        "dimensions": {c.name: _coverage(c) | {"confidence": c.confidence} for c in summary.dimensions},
        "metrics": {c.name: _coverage(c) for c in summary.metrics},
    }


def _coverage(found: Any) -> dict[str, Any]:
    return {"n": found.n, "mean": found.mean, "missing": {cause.code: cause.n for cause in found.missing}}


def _reasons(missing: Sequence[Cause]) -> str:
    shown = ", ".join(f"{cause.n} {cause.code}" for cause in missing[:3])
    return shown + (" …" if len(missing) > 3 else "")
