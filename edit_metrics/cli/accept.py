"""`edit-metrics accept`."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from edit_metrics.cli.compare import declared_columns
from edit_metrics.cli.gate import By, GateFile, Margin, gate_settings
from edit_metrics.cli.options import Higher, Json, Lower, PairBy

_COMMIT_VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""Where GitHub and GitLab say which commit a job is about."""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("accept")(accept)


def accept(
    candidate: Annotated[str, typer.Argument(help="The run to accept.")],
    into: Annotated[Path, typer.Option("--into", help="Folder of the baseline; made, or replaced.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in accepted.json.")],
    baseline: Annotated[
        str | None, typer.Option("--baseline", help="What to hold it against; default: what is in DIR.")
    ] = None,
    config: GateFile = None,
    margin: Margin = None,
    by: By = None,
    commit: Annotated[
        str | None, typer.Option("--commit", help="Commit to record; default: the CI's variable, else git's HEAD.")
    ] = None,
    pair_by: PairBy = None,
    higher: Higher = None,
    lower: Lower = None,
    as_json: Json = False,
) -> None:
    """Make a run the baseline, whatever the gate says of it: exit 0 once it is written; the verdict is recorded."""
    from dataclasses import asdict

    from edit_metrics.cli.console import emit_json, say
    from edit_metrics.compare import baseline as baselines
    from edit_metrics.scores.table import TABLE_NAME, read_runs

    settings = gate_settings(config, margin=margin, by=by)
    before = baseline or (str(into) if (into / TABLE_NAME).is_file() else None)
    sides = read_runs([*([before] if before else []), candidate])
    found = baselines.accept(
        sides[-1],
        into,
        sides[0] if before else None,
        settings,
        reason=reason,
        commit=commit or _commit(),
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        declared=declared_columns(higher, lower),
        pair_by=tuple(pair_by or ("id",)),
    )
    if as_json:
        emit_json(asdict(found))
    say(f"Accepted {found.candidate} as {into}. The gate said: {found.said}")


def _commit() -> str | None:
    for name in _COMMIT_VARIABLES:
        if os.environ.get(name):
            return os.environ[name]
    git = shutil.which("git")
    if git is None:
        return None
    done = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip() or None if done.returncode == 0 else None
