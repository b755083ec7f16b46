"""A judged run folder: one writer at a time, and a changed manifest afterwards."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from cases import CHEAP, edit_metrics, make_edits, served, write_scored

from edit_metrics.backends import chat_endpoints
from edit_metrics.config import validate_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.lock import locked
from edit_metrics.engine.run import run as score_run
from edit_metrics.io.manifest import read_manifest
from edit_metrics.scores.run_info import OUTPUT_NAMES, file_sha256, read_run_info

COUNT = 6


class Told(Silent):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.advanced = 0

    def advance(self, items: int) -> None:
        self.advanced += items

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(autouse=True)
def own_cache_and_no_long_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EDIT_METRICS_JUDGE_CACHE", str(tmp_path / "answers"))
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.005)
    monkeypatch.setattr(chat_endpoints, "_LONGEST_WAIT", 0.02)
    return iter(())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_scored(tmp_path, make_edits(COUNT))


def test_a_second_judge_in_the_same_folder_is_refused_and_a_dry_run_is_not(run: Path) -> None:
    before = (run / "scores.parquet").read_bytes()
    with served(make_edits(COUNT)) as (server, url), locked(run):
        refused = edit_metrics("judge", run, "--base-url", url, "--all", exit_code=2)
        assert "nobody else writes, got process" in str(refused.exception)
        edit_metrics("judge", run / "scores.parquet", "--base-url", url, "--all", exit_code=2)
        edit_metrics("judge", run, "--base-url", url, "--all", "--dry-run")
    assert server.log.calls == []
    assert (run / "scores.parquet").read_bytes() == before


def test_a_judged_run_is_whole_and_a_row_more_is_scored_beside_rows_as_metrics_alone_score_them(
    run: Path, tmp_path: Path
) -> None:
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all")
    info = read_run_info(run)
    assert info is not None
    assert info.files == {name: file_sha256(run / name) for name in OUTPUT_NAMES}
    path = tmp_path / "manifest.jsonl"
    config = validate_config(CHEAP, "tests")
    told = Told()
    score_run(read_manifest(path), config, RunOptions(run), told)
    assert told.notes[0].endswith("nothing to do.")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows.append(rows[0] | {"id": "new"})
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    told = Told()
    score_run(read_manifest(path), config, RunOptions(run), told)
    assert told.notes == [
        f"Since this folder was written: 1 new, 0 changed, {COUNT} kept.",
        "A judge was asked about the earlier table: ask again with edit-metrics judge.",
    ]
    assert told.advanced == 1
    score_run(read_manifest(path), config, RunOptions(tmp_path / "fresh"), Silent())
    tables = [pd.read_parquet(folder / "scores.parquet") for folder in (run, tmp_path / "fresh")]
    pd.testing.assert_frame_equal(*tables)
    info = read_run_info(run)
    assert info is not None
    assert info.judge is None


def test_a_kill_before_the_judged_table_is_in_place_leaves_a_run_that_was_not_judged(
    run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from edit_metrics.io import tables

    shutil.copytree(run, tmp_path / "before")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with served(make_edits(COUNT)) as (_, url), monkeypatch.context() as patch:
        patch.setattr(tables, "write_parquet", die)
        with pytest.raises(AssertionError):
            edit_metrics("judge", run, "--base-url", url, "--all")
    told = Told()
    score_run(read_manifest(tmp_path / "manifest.jsonl"), validate_config(CHEAP, "tests"), RunOptions(run), told)
    assert "nothing to score; written anew: scores.csv" in told.notes[0]
    for name in OUTPUT_NAMES:
        assert (run / name).read_bytes() == (tmp_path / "before" / name).read_bytes()
