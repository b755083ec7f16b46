"""`edit-metrics demo`: the fixtures scored and reported, from an installed wheel or a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

PROFILE = "embedded"


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("demo")(demo)


def demo(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")] = Path("edit-metrics-demo"),
    limit: Annotated[int | None, typer.Option(help="Only the first N of the 29 edits.", min=1)] = None,
) -> None:
    """Score 29 small edits whose truth is known and write their report: a first look, about a minute."""
    from edit_metrics.choices import EvidenceLevel
    from edit_metrics.cli.console import say
    from edit_metrics.cli.report import MIB
    from edit_metrics.cli.score import score
    from edit_metrics.report.write import write_report
    from edit_metrics.weights.catalogue import weights_of_profile
    from edit_metrics.weights.pull import pull

    fixtures = fixtures_folder()
    say(f"weights of the profile {PROFILE!r} (fetched once, checked by their hashes)")
    pull(weights_of_profile(PROFILE), progress=say)
    score(str(fixtures / "manifest.jsonl"), out, limit=limit, evidence=EvidenceLevel.FLAGGED)
    made = write_report(out)
    say(f"report, {made.size / MIB:.1f} MiB: open {made.path.resolve()} in a browser")
    say(f"the pictures and their manifest: {fixtures}")


def fixtures_folder() -> Path:
    """Where the demonstration's pictures lie: inside an installed wheel, or in a checkout.

    Raises:
        UserError: neither: the wheel was built without them.
    """
    from edit_metrics.errors import UserError

    package = Path(__file__).resolve().parents[1]
    for folder in (package / "fixtures", package.parent / "data" / "fixtures"):
        if (folder / "manifest.jsonl").is_file():
            return folder
    raise UserError("the demonstration's pictures", "none", str(package / "fixtures"), "Install the wheel again.")
