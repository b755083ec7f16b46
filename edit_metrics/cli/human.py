"""All verbs between a score table and people: ``ratings``, ``calibrate``, ``triage``, ``estimate``."""

from __future__ import annotations

import typer

from edit_metrics.cli import calibrate, estimate, ratings, triage


def register(app: typer.Typer) -> None:
    """Add their verbs."""
    for one in (ratings, calibrate, triage, estimate):
        one.register(app)
