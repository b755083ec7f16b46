"""`edit-metrics doctor`: environment, weights and self-tests of a profile on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edit_metrics.cli.options import (
    ConfigFile,
    Json,
    JudgeModel,
    JudgePrompt,
    JudgeUrls,
    JudgeYes,
    Profile,
    SetKeys,
)

if TYPE_CHECKING:
    from edit_metrics.config import Config
    from edit_metrics.doctor import Diagnosis


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("doctor")(doctor)


def doctor(
    profile: Profile = None,
    config: ConfigFile = None,
    set_: SetKeys = None,
    judge: Annotated[
        bool, typer.Option("--judge", help="Test the judge instead: does it look, does it read, is it steady.")
    ] = False,
    base_url: JudgeUrls = None,
    model: JudgeModel = None,
    template: JudgePrompt = None,
    yes: JudgeYes = False,
    as_json: Json = False,
) -> None:
    """Check this machine: packages, weights, and self-tests of every metric; exit 1 when one fails."""
    from edit_metrics.cli.console import emit_json
    from edit_metrics.config import load_config
    from edit_metrics.doctor import examine

    settings = load_config(profile, config, set_ or ())
    if judge:
        name, diagnosis = _examine_judge(settings, base_url, model, template, yes)
    else:
        name, diagnosis = settings.profile, examine(settings)
    if as_json:
        emit_json(_as_json(name, diagnosis))
    else:
        _print(name, diagnosis)
    if not diagnosis.healthy:
        raise typer.Exit(1)


def _examine_judge(
    config: Config, base_url: Sequence[str] | None, model: str | None, template: Path | None, yes: bool
) -> tuple[str, Diagnosis]:
    import asyncio

    from edit_metrics.cli.asking import agree, judge_settings, open_judge
    from edit_metrics.doctor import Diagnosis
    from edit_metrics.doctor.judge import examine_judge
    from edit_metrics.judge.template import load_template

    backend = open_judge(judge_settings(config, base_url, model, ()))
    agree(backend, yes)
    name = asyncio.run(backend.find_model())
    return name, Diagnosis(tuple(examine_judge(backend, load_template(template))), (), {})


def _print(profile: str, diagnosis: Diagnosis) -> None:
    from edit_metrics.cli.console import say, table

    groups = dict.fromkeys(check.group for check in diagnosis.checks)
    for group in groups:
        rows = [(check.name, check.state.value, check.detail) for check in diagnosis.checks if check.group == group]
        table(group, ("check", "state", "what was found"), rows)
    if diagnosis.stages:
        table(
            "speed (processor seconds, information only)",
            ("stage, one item of about 200 px", "s"),
            [(stage.stage, stage.cpu_seconds) for stage in diagnosis.stages if stage.cpu_seconds >= 0.0005],
        )
        table("", ("loading", "s"), list(diagnosis.loading.items()))
    counts = ", ".join(f"{n} {state}" for state, n in _counts(diagnosis).items() if n)
    say(f"{profile}: {'healthy' if diagnosis.healthy else 'NOT healthy'} ({counts})")


def _counts(diagnosis: Diagnosis) -> dict[str, int]:
    from edit_metrics.doctor import State

    states = [check.state for check in diagnosis.checks]
    return {state.value: states.count(state) for state in State}


def _as_json(profile: str, diagnosis: Diagnosis) -> dict[str, Any]:
    return {
        "profile": profile,
        "healthy": diagnosis.healthy,
        "counts": _counts(diagnosis),
        "checks": [
            {"group": c.group, "name": c.name, "state": c.state.value, "detail": c.detail} for c in diagnosis.checks
        ],
        "cpu_seconds": {
            "stages": {stage.stage: round(stage.cpu_seconds, 4) for stage in diagnosis.stages},
            "loading": {role: round(seconds, 3) for role, seconds in diagnosis.loading.items()},
        },
    }
