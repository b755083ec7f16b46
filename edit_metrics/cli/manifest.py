"""`edit-metrics manifest`: a benchmark's own layout to a manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from edit_metrics.choices import WhiteMeans
from edit_metrics.cli.options import Json, choice
from edit_metrics.errors import ConfigError, UserError
from edit_metrics.io.layouts import own_layouts

_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("manifest")(manifest)


def manifest(
    layout: Annotated[str, typer.Argument(metavar="FORMAT", help=" · ".join(own_layouts()))],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH", help="The benchmark's folder or file; of parity, both runs.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Manifest to write, JSONL; pictures go beside it if needed.")],
    edited: Annotated[
        Path | None, typer.Option("--edited", help="Folder of the edits, or of the models' folders.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The model's name, where no folder or column has it.")
    ] = None,
    mask_white_means: Annotated[
        WhiteMeans | None,
        choice(get_args(WhiteMeans), "--mask-white-means", "If the benchmark does not say."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="FIELD=COLUMN", help="hf-parquet: which column is which; repeatable."),
    ] = None,
    pictures: Annotated[
        Path | None,
        typer.Option("--pictures", help="imgedit-train: what the archives of pictures were unpacked into."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a manifest of a benchmark; say for each row what is missing or ambiguous."""
    from edit_metrics.cli.console import emit_json, say, warn
    from edit_metrics.io.layout import get_layout
    from edit_metrics.io.layout_rows import files_folder, write_manifest

    if out.suffix != ".jsonl":
        raise UserError("--out FILE.jsonl", repr(str(out)))
    if len(paths) > 2:
        raise UserError("one PATH, or two for parity", f"{len(paths)}: {', '.join(map(str, paths))}")
    given = {
        "candidate": paths[1] if len(paths) > 1 else None,
        "edited": edited,
        "model": model,
        "white_means": mask_white_means,
        "columns": _columns(column) or None,
        "pictures": pictures,
    }
    given = {name: value for name, value in given.items() if value is not None}
    converted = get_layout(layout).read(paths[0], files_folder(out), given)
    written = write_manifest(converted, out)
    for problem in converted.problems[:_SHOWN]:
        warn(f"{problem.id or problem.where}: {problem.what}; {problem.action}")
    if len(converted.problems) > _SHOWN:
        warn(f"and {len(converted.problems) - _SHOWN} more in {written.problems}")
    say(f"{written.rows} rows, {len(converted.problems)} problems: {out}")
    if written.outside:
        say(f"{written.outside} rows name files outside {out.parent}: score them with --allow-outside-root.")
    if as_json:
        emit_json({"rows": written.rows, "problems": len(converted.problems), "outside": written.outside})


def _columns(texts: list[str] | None) -> dict[str, str]:
    pairs = dict(text.partition("=")[::2] for text in texts or ())
    if not all(field and column for field, column in pairs.items()):
        raise ConfigError("--column FIELD=COLUMN", repr(texts))
    return pairs
