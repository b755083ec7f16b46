"""Options and arguments that several verbs share, each declared once: one name, one help text, one type."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from edit_metrics.choices import choose


def choice(known: Collection[str], option: str, text: str) -> Any:
    """An option that takes one word of a set; a wrong one is our paragraph with the nearest word.

    typer would print its own box, of several lines and without a suggestion.

    Args:
        known: an enum, or the words of a ``Literal``.
        option: its name, for example ``--engine``.
        text: for ``--help``.
    """
    return typer.Option(option, parser=partial(choose, known, where=option), metavar="|".join(known), help=text)


Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout instead of tables.")]

Profile = Annotated[str | None, typer.Option(help="Shipped profile; 'embedded' unless --config is given.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="Config file; it may say 'extends: PROFILE'.")]
SetKeys = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="For every key of the config; repeatable.")
]

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, or any table with a column 'id'.")]
Root = Annotated[str | None, typer.Option(help="Folder that relative paths start from, if not the manifest's.")]
AllowOutsideRoot = Annotated[
    bool, typer.Option("--allow-outside-root", help="Also read pictures that lie outside that folder.")
]

RatingFiles = Annotated[
    list[Path], typer.Option("--ratings", help="From `ratings import`, or a long table; once for each batch.")
]
ExcludeRater = Annotated[list[str] | None, typer.Option(help="A rater whose ratings do not count; repeatable.")]
Target = Annotated[str, typer.Option(help="The rated dimension.")]
Join = Annotated[Path | None, typer.Option(help="A table with further columns by id, a judge's scores for example.")]
Group = Annotated[str, typer.Option(help="Column of items that are not independent.")]
RatingsAreRandom = Annotated[
    bool, typer.Option("--ratings-are-random", help="The rated items were drawn uniformly from RUN.")
]
FoldSeed = Annotated[int, typer.Option("--seed", help="Of the folds.", min=0)]

PairBy = Annotated[
    list[str] | None,
    typer.Option("--pair-by", metavar="COLUMN", help="Column that is equal for the same task; repeat for several."),
]
Higher = Annotated[
    list[str] | None,
    typer.Option("--higher", metavar="COLUMN", help="Column of another program of which more is better; repeatable."),
]
Lower = Annotated[
    list[str] | None,
    typer.Option("--lower", metavar="COLUMN", help="Column of another program of which less is better; repeatable."),
]
JudgeUrls = Annotated[
    list[str] | None,
    typer.Option("--base-url", metavar="URL", help="Of an OpenAI-compatible API, up to /v1; repeat for several."),
]
JudgeModel = Annotated[
    str | None, typer.Option("--model", help="As the server calls it; default: the only one that it lists.")
]
JudgePrompt = Annotated[
    Path | None, typer.Option("--template", help="A prompt of your own instead of configs/judge.yaml.")
]
JudgeYes = Annotated[bool, typer.Option("--yes", help="Send the pictures to another machine without asking.")]
