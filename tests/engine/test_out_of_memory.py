"""No memory, at any step: typed and tried again, or one paragraph and exit 4; what is done stays."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from edit_metrics.backends.stub import StubSafety
from edit_metrics.cli.failing import run_safely
from edit_metrics.config import Config, validate_config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.ray_losses import Losses, counted
from edit_metrics.engine.run import run
from edit_metrics.errors import ImageError, RunError, is_out_of_memory
from edit_metrics.io import formats, sources
from edit_metrics.io.images import decode_image
from edit_metrics.io.manifest import Manifest
from edit_metrics.scores.words import in_words
from edit_metrics.types import failed

TABLES = ("scores.parquet", "scores.csv", "rejected.jsonl")


class Notes(Silent):
    """What a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def score(manifest: Manifest, config: Config, out: Path) -> tuple[pd.DataFrame, list[str]]:
    told = Notes()
    run(manifest, config, RunOptions(out=out), told)
    return pd.read_parquet(out / "scores.parquet").set_index("id"), told.notes


@pytest.fixture
def expected(undisturbed: Path) -> pd.DataFrame:
    """The table of an undisturbed run."""
    return pd.read_parquet(undisturbed / "scores.parquet").set_index("id")


def no_memory_for(path: str, function: Any, where: int) -> Any:
    """The function, with no memory when the argument at that place names the file."""

    def without(*arguments: Any, **named: Any) -> Any:
        if str(arguments[where]) == path:
            raise MemoryError
        return function(*arguments, **named)

    return without


@pytest.mark.parametrize(("module", "name", "where"), [(formats, "_load", 4), (sources, "_read_local", 0)])
def test_a_picture_for_which_there_is_no_memory_is_no_broken_picture(
    module: Any, name: str, where: int, expected: pd.DataFrame, stub_config: Config, fixtures_manifest: Manifest,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    chosen = next(item for item in fixtures_manifest.items if expected.loc[item.id, "preservation.psnr.status"] == "ok")
    with monkeypatch.context() as patch:
        patch.setattr(module, name, no_memory_for(chosen.edited, getattr(module, name), where))
        table, notes = score(fixtures_manifest, stub_config, tmp_path / "run")
    row = table.loc[chosen.id]
    assert row["preservation.psnr.status"] == "failed"
    assert row["preservation.psnr.reason"].partition(":")[0] == "out_of_memory"
    assert row["feasibility.score"] == 1
    assert row["flags"] == expected.loc[chosen.id, "flags"]
    assert len(table) == len(expected)
    hit = sum(chosen.edited in (item.source, item.edited) for item in fixtures_manifest.items)
    assert notes[-1].startswith(f"{hit} items have a file that could not be fetched, or found no memory")
    again, notes = score(fixtures_manifest, stub_config, tmp_path / "run")
    assert notes == [f"Since this folder was written: 0 new, {hit} changed, {len(expected) - hit} kept."]
    pd.testing.assert_frame_equal(again, expected, rtol=1e-5)


def test_a_decoder_without_memory_does_not_speak_of_pixels(
    fixtures_manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = fixtures_manifest.items[0].source
    monkeypatch.setattr(formats, "_load", no_memory_for(path, formats._load, 4))
    with pytest.raises(ImageError, match="memory for a picture") as raised:
        decode_image(path)
    assert (raised.value.code, raised.value.passing) == ("out_of_memory", True)


def test_a_model_without_memory_is_asked_again_by_the_next_run(
    expected: pd.DataFrame,
    stub_config: Config,
    fixtures_manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:

        def without(self: Any, images: Any) -> Any:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 GB")

        patch.setattr(StubSafety, "probabilities", without)
        table, _ = score(fixtures_manifest, stub_config, tmp_path / "run")
    hit = table["safety.safe.reason"].str.startswith("out_of_memory: ")
    assert hit.any()
    assert set(table.loc[hit, "safety.safe.status"]) == {"failed"}
    assert table.loc[hit, "preservation.score"].equals(expected.loc[hit, "preservation.score"])
    again, _ = score(fixtures_manifest, stub_config, tmp_path / "run")
    pd.testing.assert_frame_equal(again, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("error", "is_it"),
    [
        (MemoryError(), True),
        (np._core._exceptions._ArrayMemoryError((9,), np.dtype("f8")), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 20 MiB"), True),
        (RuntimeError("can't start new thread"), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("std::bad_alloc"), True),
        (RuntimeError("index out of bounds"), False),
        (SystemExit("out of memory"), False),
    ],
)
def test_what_libraries_say_of_memory_is_one_code(error: BaseException, is_it: bool) -> None:
    assert is_out_of_memory(error) == is_it
    assert failed(error).reason.startswith("out_of_memory") == is_it
    if is_it:
        assert "not enough memory" in in_words(failed(error).reason)


def test_no_memory_outside_of_any_item_ends_with_four(capsys: pytest.CaptureFixture[str]) -> None:
    def call() -> None:
        raise RuntimeError("can't start new thread")

    assert run_safely(call) == 4
    assert "Expected enough memory, got can't start new thread." in capsys.readouterr().err


def kill_one(shards: Path, killed: list[str]) -> None:
    """SIGKILL of the first process that is seen inside a shard; its line says which it is."""
    deadline = time.monotonic() + 120
    while not killed and time.monotonic() < deadline:
        for path in shards.glob("*.attempts"):
            if not (words := path.read_text().split()):
                continue
            # Held still first: one that has finished its shard meanwhile would lose nothing.
            os.kill(int(words[1]), signal.SIGSTOP)
            if path.with_suffix(".done").exists():
                os.kill(int(words[1]), signal.SIGCONT)
                continue
            os.kill(int(words[1]), signal.SIGKILL)
            killed.append(path.stem)
            break
        time.sleep(0.002)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_one_of_several_processes_is_killed_and_the_same_call_ends_with_equal_bytes(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    engine = {"shard_size": 4, "batch_size": 2, "workers": 1}
    config = validate_config(stub_config.model_dump() | {"engine": engine | {"processes": 2}}, "test")
    alone = validate_config(stub_config.model_dump() | {"engine": engine}, "test")
    killed: list[str] = []
    killer = threading.Thread(target=kill_one, args=(tmp_path / "run" / "shards", killed))
    killer.start()
    with pytest.raises(RunError, match="was lost") as raised:
        run(fixtures_manifest, config, RunOptions(out=tmp_path / "run"), Silent())
    killer.join()
    assert raised.value.exit_code == 4
    assert f"{killed[0]} (from item " in str(raised.value)
    run(fixtures_manifest, alone, RunOptions(out=tmp_path / "run"), Silent())
    for name in TABLES:
        assert (tmp_path / "run" / name).read_bytes() == (undisturbed / name).read_bytes(), name


def test_workers_that_are_lost_without_end_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from edit_metrics.engine import ray_losses

    monkeypatch.setattr(ray_losses, "_SECONDS", 0.01)
    found = iter([(4, False), (9, False), *[(9 + n, True) for n in range(100)]])
    losses = Losses(2, lambda: next(found))
    assert not losses.too_many()
    assert not losses.too_many()
    losses.finished_one()
    with pytest.raises(KeyboardInterrupt), counted(losses):
        time.sleep(20)
    assert losses.given_up
    assert losses.lost == losses.allowed + 1 == 16
    assert losses.words.startswith("16 processes lost for want of memory")
