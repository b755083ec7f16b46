"""The Python entry point."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edit_metrics.config import Config, load_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.errors import ConfigError
from edit_metrics.io.manifest import items_from_rows, read_manifest

if TYPE_CHECKING:
    import pandas as pd


def score(
    items_or_manifest: str | Path | Iterable[Mapping[str, Any]],
    profile: str | Config = "embedded",
    out: str | Path | None = None,
    *,
    root: str | Path | None = None,
    allow_outside_root: bool = False,
    overrides: Iterable[str] = (),
) -> pd.DataFrame:
    """Score edits and return the table of ``scores.parquet``.

    Args:
        items_or_manifest: path of a manifest (JSONL, CSV, Parquet), or its rows as mappings.
        profile: name of a shipped profile, or a config made by :func:`edit_metrics.config.load_config`.
        out: run folder; without one the run lives in a temporary folder and only the table remains.
        root: folder that relative paths start from; the manifest's own, or the working directory for rows.
        allow_outside_root: accept paths that leave the root.
        overrides: ``key=value`` as on the command line's ``--set``.

    Returns:
        One row an item in the order given; rejected rows are in ``frame.attrs["rejected"]``, a list of mappings with
        ``line, id, field, expected, got``.

    Raises:
        UserError: see :mod:`edit_metrics.errors`.
    """
    import json

    import pandas as pd

    if isinstance(profile, Config) and list(overrides):
        raise ConfigError("overrides with the name of a profile", "a finished config", todo="Pass them to load_config.")
    config = profile if isinstance(profile, Config) else load_config(profile, overrides=overrides)
    if config.judge is not None:
        todo = "Score without its section 'judge', then ask: edit-metrics judge RUN."
        raise ConfigError("a profile without a judge, which only the command line asks", config.profile, todo=todo)
    where = str(root) if root is not None else None
    if isinstance(items_or_manifest, str | Path):
        manifest = read_manifest(items_or_manifest, root=where, allow_outside_root=allow_outside_root)
    else:
        manifest = items_from_rows(items_or_manifest, root=where, allow_outside_root=allow_outside_root)
    with tempfile.TemporaryDirectory(prefix="edit-metrics-") as temporary:
        folder = Path(out) if out is not None else Path(temporary)
        run(manifest, config, RunOptions(out=folder), Silent())
        frame = pd.read_parquet(folder / "scores.parquet")
        lines = (folder / "rejected.jsonl").read_text(encoding="utf-8").splitlines()
    frame.attrs["rejected"] = [json.loads(line) for line in lines]
    return frame
