"""`edit-metrics lint`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edit_metrics.cli.options import AllowOutsideRoot, Json, Root


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("lint")(lint)


def lint(
    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="JSONL, CSV or Parquet, as for score.")],
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Also write a page with pictures.")
    ] = None,
    fail_on: Annotated[
        str | None,
        typer.Option(
            "--fail-on", metavar="CODES", help="Exit 1 where one of these was found: codes, or error, warning, note."
        ),
    ] = None,
    shown: Annotated[int, typer.Option("-n", help="Rows shown of each finding.", min=0)] = 5,
    limit: Annotated[int | None, typer.Option(help="Only the first rows.", min=1)] = None,
    root: Root = None,
    allow_outside_root: AllowOutsideRoot = False,
    as_json: Json = False,
) -> None:
    """Look for what is wrong with a set itself, before anything is spent: files, masks, doubles, words. No models."""
    from edit_metrics.cli.console import emit_json, say
    from edit_metrics.lint.findings import as_json as findings_as_json
    from edit_metrics.lint.findings import as_text, codes_to_fail_on
    from edit_metrics.lint.findings import lint as find

    wanted = codes_to_fail_on(fail_on)
    found = find(manifest, root=root, allow_outside_root=allow_outside_root, limit=limit, progress=_Progress())
    if as_json:
        emit_json(findings_as_json(found))
    else:
        sys.stdout.write("\n".join(as_text(found, shown)) + "\n")
    if html is not None:
        from edit_metrics.lint.page import write_page

        say(f"page, {write_page(found, html) / 2**20:.1f} MiB: {html}")
    failing = found.failing(wanted)
    if failing:
        say(f"failed on {', '.join(one.check.code for one in failing)}")
        raise typer.Exit(1)


class _Progress:
    """A line on stderr whenever another tenth of a large set's files is done."""

    LARGE = 2000

    def __init__(self) -> None:
        self.told = 0

    def __call__(self, done: int, total: int) -> None:
        from edit_metrics.cli.console import say

        tenth = done * 10 // total
        if total >= self.LARGE and tenth > self.told:
            self.told = tenth
            say(f"{done} of {total} files looked at")
