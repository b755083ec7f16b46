"""`score` and `Scorer`."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from edit_metrics.api.frame import Scores, framed
from edit_metrics.api.inputs import completed, is_manifest, rows_of, rows_of_pairs
from edit_metrics.api.progress import shown_progress
from edit_metrics.config import Config, load_config
from edit_metrics.engine.job import Job, Outcome, Progress, RunOptions, ShardWorker, load_backends
from edit_metrics.engine.run import run
from edit_metrics.engine.shards import Shard
from edit_metrics.errors import ConfigError, ManifestError, UserError
from edit_metrics.io.manifest import Manifest, items_from_rows, read_manifest
from edit_metrics.io.remedies import remedy
from edit_metrics.io.tables import json_lines


class Scorer:
    """Scores edits; the models are loaded with the first call and kept.

    Args:
        profile: name of a shipped profile, or a config made by :func:`edit_metrics.config.load_config`.
        overrides: ``key=value`` as on the command line's ``--set``.

    Raises:
        ConfigError: an unknown profile or key; or a profile with a judge, which only the command line asks.
    """

    def __init__(self, profile: str | Config = "embedded", *, overrides: Iterable[str] = ()) -> None:
        changes = list(overrides)
        if isinstance(profile, Config) and changes:
            got = "a finished config"
            raise ConfigError("overrides with the name of a profile", got, todo="Pass them to load_config.")
        self.config = profile if isinstance(profile, Config) else load_config(profile, overrides=changes)
        if self.config.judge is not None:
            todo = "Score without its section 'judge', then ask: edit-metrics judge RUN."
            expected = "a profile without a judge, which only the command line asks"
            raise ConfigError(expected, self.config.profile, todo=todo)
        self._backends: Mapping[str, Any] | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        loaded = "not loaded yet" if self._backends is None else f"{len(self._backends)} models loaded"
        return f"Scorer({self.config.profile!r}, {loaded})"

    def score(
        self, items: Any, edited: Any = None, instruction: str | Sequence[str] | None = None, /, *, mask: Any = None,
        out: str | Path | None = None, root: str | Path | None = None, allow_outside_root: bool = False,
        progress: bool | None = None, **columns: Any,
    ) -> Scores:  # fmt: skip
        """Score edits and return the table; see :func:`score`."""
        where = str(root) if root is not None else None
        with self._lock, tempfile.TemporaryDirectory(prefix="edit-metrics-") as temporary:
            folder = Path(out) if out is not None else Path(temporary) / "run"
            if edited is None and is_manifest(items):
                _refuse_extra(instruction, mask, columns)
                manifest = read_manifest(items, root=where, allow_outside_root=allow_outside_root)
            else:
                rows = _rows(items, edited, instruction, mask, columns)
                rows = completed(rows, cache(lambda: _picture_folder(out)))
                manifest = items_from_rows(rows, root=where, allow_outside_root=allow_outside_root)
            _refuse_nothing(manifest)
            with shown_progress(progress) as told:
                run(manifest, self.config, RunOptions(out=folder), told, self._engine)
            return _read(folder, manifest)

    __call__ = score

    def _engine(self, job: Job, shards: Sequence[Shard], progress: Progress) -> Outcome:
        if self._backends is None:
            self._backends = load_backends(job)
        worker = ShardWorker(job, self._backends)
        return Outcome(tuple(worker.work(shard, progress.advance) for shard in shards))


def score(
    items: Any, edited: Any = None, instruction: str | Sequence[str] | None = None, /, *, mask: Any = None,
    profile: str | Config = "embedded", out: str | Path | None = None, root: str | Path | None = None,
    allow_outside_root: bool = False, overrides: Iterable[str] = (), progress: bool | None = None, **columns: Any,
) -> Scores:  # fmt: skip
    """Score edits and return the table of ``scores.parquet``.

        score("manifest.jsonl")
        score(source, edited, "make it orange", mask=mask)
        score([s1, s2], [e1, e2], ["make it orange", "remove the cat"])
        score([{"source": …, "edited": …, "instruction": …}, …])          or a DataFrame with these columns

    Pictures are paths, PIL pictures, arrays (H×W×3, bytes or floats in [0, 1]) or tensors (3×H×W too). Every call loads
    the models anew: :class:`Scorer` keeps them.

    Args:
        items: path of a manifest (JSONL, CSV, Parquet), rows, a DataFrame, or the source(s).
        edited: the edited picture(s), as many as sources.
        instruction: what was asked, one for all or as many.
        mask: where the edit was wanted (white), one or as many.
        profile: name of a shipped profile, or a config made by :func:`edit_metrics.config.load_config`.
        out: run folder; without one the run lives in a temporary folder and only the table remains.
        root: folder that relative paths start from; the manifest's own, or the working directory for rows.
        allow_outside_root: accept paths that leave the root.
        overrides: ``key=value`` as on the command line's ``--set``.
        progress: a bar; None: in a notebook and on a terminal.
        columns: further columns of pairs: ``id=…, target_caption=…, model=…``.

    Returns:
        One row an item in the order given; rejected rows are in ``frame.attrs["rejected"]``, a list of mappings with
        ``line, id, field, expected, got``.

    Raises:
        ManifestError: nothing is left to score.
        UserError: see :mod:`edit_metrics.errors`.
    """
    return Scorer(profile, overrides=overrides).score(
        items, edited, instruction, mask=mask, out=out, root=root, allow_outside_root=allow_outside_root,
        progress=progress, **columns,
    )  # fmt: skip


def _rows(items: Any, edited: Any, instruction: Any, mask: Any, columns: Mapping[str, Any]) -> list[dict[str, Any]]:
    if edited is None:
        _refuse_extra(instruction, mask, columns)
        return rows_of(items)
    if instruction is None and "target_caption" not in columns:
        todo = "Call score(source, edited, instruction); a profile is named: score(manifest, profile=NAME)."
        raise UserError("an instruction (or target_caption=…) for the pair", "none", todo=todo)
    return rows_of_pairs(items, edited, instruction, mask, columns)


def _refuse_extra(instruction: Any, mask: Any, columns: Mapping[str, Any]) -> None:
    given = [
        name for name, value in (("instruction", instruction), ("mask", mask), *columns.items()) if value is not None
    ]
    if given:
        raise UserError("these as columns of the rows", f"{', '.join(given)} beside them")


def _refuse_nothing(manifest: Manifest) -> None:
    if manifest.items:
        return
    first = manifest.rejections[0]
    text = f"{first.field}: expected {first.expected}, got {first.got}"
    got = f"{len(manifest.rejections)} rejected rows; the first: {text}"
    raise ManifestError("a row that can be scored", got, manifest.path, remedy(first))


def _picture_folder(out: str | Path | None) -> Path:
    """Beside the run, or a folder that lives as long as this process: a frame shows its pictures later."""
    if out is not None:
        return Path(out).with_name(f"{Path(out).name}-pictures")
    return Path(tempfile.mkdtemp(prefix="pictures-", dir=_session_folder()))


@cache
def _session_folder() -> str:
    folder = tempfile.mkdtemp(prefix="edit-metrics-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _read(folder: Path, manifest: Manifest) -> Scores:
    import pandas as pd

    frame = pd.read_parquet(folder / "scores.parquet")
    return framed(frame, manifest.root, [row for _, row in json_lines(folder / "rejected.jsonl")])
