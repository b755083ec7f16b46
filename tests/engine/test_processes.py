"""Several processes on one machine write what one writes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.engine import local
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.errors import RunError
from edit_metrics.io.manifest import Manifest


def in_processes(config: Config, count: int) -> Config:
    return validate_config(config.model_dump() | {"engine": {"shard_size": 7, "processes": count}}, "test")


class Counter(Silent):
    """Adds up what a run says it has done."""

    def __init__(self) -> None:
        self.items = 0

    def advance(self, items: int) -> None:
        self.items += items


def test_two_processes_write_the_same_table(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    counter = Counter()
    run(fixtures_manifest, in_processes(stub_config, 2), RunOptions(out=tmp_path / "two"), counter)
    assert counter.items == len(fixtures_manifest.items)
    tables = [pd.read_parquet(folder / "scores.parquet") for folder in (undisturbed, tmp_path / "two")]
    pd.testing.assert_frame_equal(*tables)


def test_a_model_that_does_not_load_is_said_by_the_first_shard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "ShardWorker", _without_weights)
    monkeypatch.setattr(local, "_problem", [])
    local._load(None)  # type: ignore[arg-type]
    said = local._work(None)  # type: ignore[arg-type]
    assert isinstance(said, str)
    assert "no weights here" in said


def test_a_lost_process_is_said_and_costs_nothing_done(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_work", _dies)
    with pytest.raises(RunError, match="was lost"):
        run(fixtures_manifest, in_processes(stub_config, 2), RunOptions(out=tmp_path / "run"), Silent())
    monkeypatch.undo()
    info = run(fixtures_manifest, in_processes(stub_config, 1), RunOptions(out=tmp_path / "run"), Silent())
    assert info.counts.scored + info.counts.rejected == info.counts.rows


def _without_weights(job: object) -> None:
    raise RunError("weights", "no weights here", str(job))


def _dies(shard: object) -> str:
    import os

    os._exit(9 if shard else 8)
