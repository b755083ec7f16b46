"""The run folder: only what a run wrote is removed, what is not whole is not done, and a difference is scored alone."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.config import Config, validate_config
from edit_metrics.engine import local
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.lock import LOCK_NAME, locked
from edit_metrics.engine.run import run
from edit_metrics.engine.scoring import Scorer, ShardResult
from edit_metrics.errors import RunError, SignatureError, UserError
from edit_metrics.io import sources
from edit_metrics.io.atomic import sweep, write_text
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.types import EditItem

ROWS = [
    {"id": f"i{n:02d}", "source": f"s{n % 3}.png", "edited": f"e{n % 7}.png", "instruction": "x", "seed": n}
    for n in range(29)
]
PROFILE = {
    "profile": "small",
    "backends": {"safety": {"use": "stub"}},
    "engine": {"shard_size": 8, "batch_size": 4, "workers": 2},
    "labels": ["geometry", "mask_source"],
    "dimensions": {
        "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}},
        "safety": {"metrics": ["safe", "nudity_max"], "curves": {"nudity_max": {"anchors": [[0, 1], [1, 0]]}}},
        "preservation": {"metrics": ["psnr"], "curves": {"psnr": {"anchors": [[10, 0], [50, 1]]}}},
    },
    "flags": {"unsafe": {"metric": "safety.safe", "below": 0}},
}
TABLES = ("scores.parquet", "scores.csv", "scores_compact.csv", "rejected.jsonl")


class Told(Silent):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.advanced = 0

    def advance(self, items: int) -> None:
        self.advanced += items

    def note(self, text: str) -> None:
        self.notes.append(text)


def score(manifest: Manifest, config: Config, out: Path, **options: Any) -> Told:
    told = Told()
    run(manifest, config, RunOptions(out=out, **options), told)
    return told


def written(rows: Sequence[dict[str, Any]], path: Path) -> Manifest:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_manifest(path)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def same_tables(a: Path, b: Path) -> bool:
    return all((a / name).read_bytes() == (b / name).read_bytes() for name in TABLES)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """29 items of ten small pictures."""
    folder = tmp_path_factory.mktemp("data")
    noise = np.random.default_rng(0)
    for name in (*(f"s{n}" for n in range(3)), *(f"e{n}" for n in range(7))):
        Image.fromarray(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(folder / f"{name}.png")
    Image.new("L", (50, 20)).save(folder / "odd.png")
    return folder


@pytest.fixture(scope="module")
def config() -> Config:
    return validate_config(PROFILE, "tests")


@pytest.fixture(scope="module")
def manifest(data: Path) -> Manifest:
    return written(ROWS, data / "manifest.jsonl")


@pytest.fixture(scope="module")
def whole(config: Config, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an undisturbed run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    score(manifest, config, out)
    return out


@pytest.fixture(scope="module")
def three_done(config: Config, manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three shards of four, as a kill leaves it."""
    out = tmp_path_factory.mktemp("killed") / "run"
    run_shards = local.run_shards

    def die(job: Any, shards: Any, progress: Any) -> Any:
        run_shards(job, shards[:3], progress)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local, "run_shards", die)
        with pytest.raises(KeyboardInterrupt):
            score(manifest, config, out)
    return out


@pytest.fixture
def killed(three_done: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(three_done, tmp_path / "killed"))


@pytest.fixture
def finished(whole: Path, tmp_path: Path) -> Path:
    """A copy of the undisturbed run's folder."""
    return Path(shutil.copytree(whole, tmp_path / "run"))


@pytest.mark.parametrize("place", ["shards/train-0000.tar", "evidence/me.jpg", "scores.csv", "run.json", "notes.txt"])
def test_a_folder_that_no_run_wrote_is_refused_and_nothing_in_it_is_touched(
    config: Config, manifest: Manifest, tmp_path: Path, place: str
) -> None:
    out = tmp_path / "mine"
    (out / place).parent.mkdir(parents=True, exist_ok=True)
    (out / place).write_text("precious")
    for resume in (True, False):
        with pytest.raises(UserError, match=r"no record of a run .*Nothing was touched"):
            score(manifest, config, out, resume=resume)
    assert contents(out) == {place: b"precious"}


def test_what_a_run_did_not_write_outlives_every_run_in_its_folder(
    config: Config, manifest: Manifest, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    score(manifest, config, out, evidence="all")
    drawn = contents(out / "evidence")
    mine = {"notes.txt", "evidence/me.webp", "evidence/me-change.webp", "shards/x.tar", "ratings/a.jsonl"}
    for name in mine:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("precious")
    score(manifest, config, out, resume=False)
    assert len(drawn) > 10
    assert {name for name, data in contents(out).items() if data == b"precious"} == mine
    assert set(contents(out)) == mine | {*TABLES, "run.json"}, "pictures that no longer hold are gone"


def test_a_table_that_somebody_changed_is_moved_aside_never_overwritten(
    config: Config, manifest: Manifest, finished: Path
) -> None:
    out = finished
    whole = (out / "scores.csv").read_bytes()
    (out / "scores.csv").write_text("my notes")
    told = score(manifest, config, out)
    assert "scores.csv (the one that was there is scores.changed-1.csv now)" in told.notes[0]
    assert (out / "scores.csv").read_bytes() == whole
    (out / "scores_compact.csv").write_text("more notes")
    score(manifest, config, out, resume=False)
    assert (out / "scores.changed-1.csv").read_text() == "my notes"
    assert (out / "scores_compact.changed-1.csv").read_text() == "more notes"


@pytest.mark.parametrize("name", ["scores.csv", "scores_compact.csv", "rejected.jsonl"])
@pytest.mark.parametrize("how", ["lost", "emptied"])
def test_a_finished_folder_is_mended_from_its_parquet(
    config: Config, manifest: Manifest, finished: Path, name: str, how: str
) -> None:
    out = finished
    before = contents(out)
    (out / name).unlink() if how == "lost" else (out / name).write_bytes(b"")
    told = score(manifest, config, out)
    # An empty rejected.jsonl is as it should be here: no row was rejected.
    untouched = (name, how) == ("rejected.jsonl", "emptied")
    assert told.notes[0].endswith("nothing to do." if untouched else f"nothing to score; written anew: {name}.")
    assert told.advanced == 0
    assert contents(out) == before


@pytest.mark.parametrize("damage", ["emptied", "cut", "altered", "gone"])
@pytest.mark.parametrize("victim", ["000001.parquet", "000001.rejected.jsonl", "000001.done", "record.json"])
def test_a_damaged_file_of_an_unfinished_run_costs_its_shard_and_no_more(
    config: Config, manifest: Manifest, whole: Path, killed: Path, damage: str, victim: str
) -> None:
    path = killed / "shards" / victim
    data = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        middle = len(data) // 2
        flipped = data[:middle] + bytes(byte ^ 85 for byte in data[middle : middle + 1]) + data[middle + 1 :]
        path.write_bytes({"emptied": b"", "cut": data[:middle], "altered": flipped}[damage])
    harmless = victim == "record.json" or (path.exists() and path.read_bytes() == data)
    told = score(manifest, config, killed)
    assert told.notes == [f"Resuming: {24 if harmless else 16} of 29 items are done."]
    assert same_tables(killed, whole)


def test_swapped_shards_are_found_by_their_hash(
    config: Config, manifest: Manifest, tmp_path: Path, whole: Path, killed: Path
) -> None:
    first, second = (killed / "shards" / f"00000{n}.parquet" for n in (0, 1))
    first.rename(tmp_path / "held")
    second.rename(first)
    (tmp_path / "held").rename(second)
    assert score(manifest, config, killed).notes == ["Resuming: 8 of 29 items are done."]
    assert same_tables(killed, whole)


def test_a_shard_of_another_run_is_not_this_runs(
    config: Config, manifest: Manifest, tmp_path: Path, killed: Path
) -> None:
    other = validate_config(config.model_dump() | {"decode": {"alpha_background": (0, 0, 0)}}, "test")
    with pytest.raises(SignatureError, match=r"alpha_background: \[255, 255, 255\] → \[0, 0, 0\]"):
        score(manifest, other, killed)
    (killed / "shards" / "record.json").unlink()
    with pytest.raises(SignatureError, match="its signature is another one"):
        score(manifest, other, killed)
    score(manifest, other, killed, resume=False)
    assert not (killed / "shards").exists()


def test_a_shard_that_changes_while_its_run_goes_on_is_not_merged(
    config: Config, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_shards = local.run_shards

    def meddle(job: Any, shards: Any, progress: Any) -> Any:
        outcome = run_shards(job, shards, progress)
        shutil.copy(job.out / "shards" / "000000.parquet", job.out / "shards" / "000001.parquet")
        return outcome

    with monkeypatch.context() as patch:
        patch.setattr(local, "run_shards", meddle)
        with pytest.raises(RunError, match=r"000001\.parquet changed"):
            score(manifest, config, tmp_path / "run")
    assert score(manifest, config, tmp_path / "run").notes == ["Resuming: 21 of 29 items are done."]


def test_an_interrupt_keeps_the_batches_that_are_finished(
    config: Config, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = validate_config(config.model_dump() | {"engine": {"shard_size": 256, "batch_size": 4}}, "test")
    score(manifest, config, tmp_path / "whole")
    batches = Scorer.batches

    def interrupted(scorer: Scorer, items: Sequence[EditItem]) -> Any:
        for number, batch in enumerate(batches(scorer, items)):
            if number == 4:
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(Scorer, "batches", interrupted)
        with pytest.raises(KeyboardInterrupt):
            score(manifest, config, tmp_path / "run")
    told = score(manifest, config, tmp_path / "run")
    assert told.notes == ["Resuming: 16 of 29 items are done."]
    assert told.advanced == 29 - 16
    assert same_tables(tmp_path / "run", tmp_path / "whole")


def test_an_interrupt_inside_the_scorer_still_hands_over_what_is_under_way(
    config: Config, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edit_metrics.engine import scoring

    given = 0
    next_of = scoring._next_of

    def interrupt_at_the_third(pending: Any) -> ShardResult:
        nonlocal given
        given += 1
        if given == 3:
            raise KeyboardInterrupt
        return next_of(pending)

    monkeypatch.setattr(scoring, "_next_of", interrupt_at_the_third)
    config = validate_config(config.model_dump() | {"engine": {"shard_size": 256, "batch_size": 4}}, "test")
    with pytest.raises(KeyboardInterrupt):
        score(manifest, config, tmp_path / "run")
    (part,) = RunFolder(tmp_path / "run").files.marks()
    assert len(part.mark.scored) >= 3 * 4
    assert [name for name, _ in part.mark.scored] == [i.id for i in manifest.items[: len(part.mark.scored)]]


Change = Callable[[list[Any]], list[Any]]
CHANGES: dict[str, tuple[Change, str, int]] = {
    "a row more": (lambda rows: [rows[0] | {"id": "new"}, *rows], "1 new, 0 changed, 29 kept.", 1),
    "a row less": (lambda rows: rows[:3] + rows[4:], "0 new, 0 changed, 28 kept, 1 gone.", 0),
    "another text": (
        lambda rows: [*rows[:5], rows[5] | {"instruction": "make it blue"}, *rows[6:]],
        "0 new, 1 changed, 28 kept.",
        1,
    ),
    "another order": (lambda rows: rows[::-1], "0 new, 0 changed, 29 kept.", 0),
    "a column more": (lambda rows: [row | {"lab": n} for n, row in enumerate(rows)], "0 new, 0 changed, 29 kept.", 0),
    "a bad row": (lambda rows: [{"id": "bad"}, *rows], "0 new, 0 changed, 29 kept.", 0),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_manifest_scores_the_difference_and_ends_as_a_fresh_run(
    config: Config, data: Path, tmp_path: Path, finished: Path, name: str
) -> None:
    change, said, scored = CHANGES[name]
    rows = list(ROWS)
    out = finished
    changed = written(change(rows), data / "m.jsonl")
    told = score(changed, config, out)
    assert told.notes == [f"Since this folder was written: {said}"]
    assert told.advanced == scored
    score(changed, config, tmp_path / "fresh")
    fresh, table = (pd.read_parquet(folder / "scores.parquet") for folder in (tmp_path / "fresh", out))
    pd.testing.assert_frame_equal(table, fresh, rtol=1e-5)
    assert (out / "rejected.jsonl").read_bytes() == (tmp_path / "fresh" / "rejected.jsonl").read_bytes()
    infos = [json.loads((folder / "run.json").read_text()) for folder in (out, tmp_path / "fresh")]
    for key in ("run_signature", "score_signature", "counts", "items", "manifest"):
        assert infos[0][key] == infos[1][key]
    assert score(changed, config, out).notes[0].endswith("nothing to do.")


def test_a_kill_while_the_difference_is_scored_loses_no_row(
    config: Config, data: Path, tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(ROWS)
    out = finished
    changed = written([rows[0] | {"id": "new"}, *rows], data / "m.jsonl")

    def die(folder: RunFolder, *_: Any) -> Any:
        (folder.folder / "scores.parquet").write_bytes(b"half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_rejected", die)
        with pytest.raises(KeyboardInterrupt):
            score(changed, config, out)
    told = score(changed, config, out)
    assert told.notes == ["Resuming: 30 of 30 items are done."]
    score(changed, config, tmp_path / "fresh")
    assert set(contents(out)) == {*TABLES, "run.json"}
    tables = [pd.read_parquet(folder / "scores.parquet") for folder in (out, tmp_path / "fresh")]
    pd.testing.assert_frame_equal(*tables, rtol=1e-5)


def test_a_row_that_decoding_rejected_is_kept_rejected_with_the_line_it_has_now(
    config: Config, data: Path, tmp_path: Path
) -> None:
    good = ROWS[0]
    bad = good | {"id": "odd", "mask": "odd.png"}
    score(written([good, bad], data / "m.jsonl"), config, tmp_path / "run")
    assert score(written([good, bad], data / "m.jsonl"), config, tmp_path / "run").advanced == 0
    told = score(written([good | {"id": "new"}, good, bad], data / "m.jsonl"), config, tmp_path / "run")
    assert told.notes == ["Since this folder was written: 1 new, 0 changed, 2 kept."]
    (rejected,) = (json.loads(line) for line in (tmp_path / "run" / "rejected.jsonl").read_text().splitlines())
    assert (rejected["id"], rejected["line"]) == ("odd", 3)
    assert len(pd.read_parquet(tmp_path / "run" / "scores.parquet")) == 2


def test_evidence_of_a_row_that_changed_or_went_goes_and_the_others_stays(
    config: Config, data: Path, tmp_path: Path
) -> None:
    rows = list(ROWS)
    out = tmp_path / "run"
    score(written(rows, data / "m.jsonl"), config, out, evidence="all")
    before = contents(out / "evidence")
    rows = [rows[0] | {"instruction": "make it blue"}, *rows[2:]]
    score(written(rows, data / "m.jsonl"), config, out, evidence="none")
    after = contents(out / "evidence")
    keys = {name.partition("-")[0] for name in before} - {name.partition("-")[0] for name in after}
    assert len(keys) == 2
    assert after == {name: data for name, data in before.items() if name.partition("-")[0] not in keys}


@pytest.mark.parametrize("victim", ["run.json", "scores.parquet"])
@pytest.mark.parametrize("damage", ["emptied", "cut"])
def test_a_finished_folder_without_its_table_or_its_record_is_scored_again_and_nothing_in_it_is_overwritten(
    config: Config, manifest: Manifest, whole: Path, finished: Path, victim: str, damage: str
) -> None:
    path = finished / victim
    half = path.read_bytes()[: 0 if damage == "emptied" else path.stat().st_size // 2]
    path.write_bytes(half)
    told = score(manifest, config, finished)
    assert told.advanced == 29
    assert same_tables(finished, whole)
    aside = {p.name: p.read_bytes() for p in finished.glob("*.changed-1*")}
    if victim == "run.json":  # nothing says any more that the tables are its own
        assert {name.replace(".changed-1", "") for name in aside} == {*TABLES} - {"rejected.jsonl"}
    else:
        assert aside == ({} if damage == "emptied" else {"scores.changed-1.parquet": half})
    assert score(manifest, config, finished).notes[0].endswith("nothing to do.")


def test_a_file_that_could_not_be_fetched_is_tried_again_by_the_next_run_and_one_that_is_broken_is_not(
    config: Config, manifest: Manifest, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    read = sources._read_local
    failing = {"s0.png": OSError(errno.EIO, "the disk fails"), "e3.png": OSError(errno.ENETDOWN, "no network")}

    def flaky(path: str, max_bytes: int) -> bytes:
        if (error := failing.get(Path(path).name)) is not None:
            raise error
        return read(path, max_bytes)

    with monkeypatch.context() as patch:
        patch.setattr(sources, "_read_local", flaky)
        told = score(manifest, config, out)
    hit = {item.id for item in manifest.items if Path(item.source).name in failing or Path(item.edited).name in failing}
    said = f"{len(hit)} items have a file that could not be fetched, or found no memory: the same command tries again."
    assert told.notes == [said]
    table = pd.read_parquet(out / "scores.parquet").set_index("id")
    failed = table["feasibility.reasons"].str.contains("source_unreadable|edited_unreadable")
    assert set(table.index[failed]) == hit
    told = score(manifest, config, out)
    assert told.notes == [f"Since this folder was written: 0 new, {len(hit)} changed, {29 - len(hit)} kept."]
    assert told.advanced == len(hit)
    fresh, again = (pd.read_parquet(folder / "scores.parquet") for folder in (whole, out))
    pd.testing.assert_frame_equal(again, fresh, rtol=1e-5)
    assert score(manifest, config, out).notes[0].endswith("nothing to do.")
    failing = {"s0.png": PermissionError(errno.EACCES, "no permission")}
    with monkeypatch.context() as patch:
        patch.setattr(sources, "_read_local", flaky)
        assert score(manifest, config, tmp_path / "closed").notes == []
    assert score(manifest, config, tmp_path / "closed").notes[0].endswith("nothing to do.")


def test_a_source_that_vanishes_while_the_run_goes_on_and_comes_back_is_scored_by_the_next(
    config: Config, manifest: Manifest, whole: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    run_shards = local.run_shards

    def vanish(job: Any, shards: Any, progress: Any) -> Any:
        (data / "s1.png").rename(data / "s1.away")
        try:
            return run_shards(job, shards, progress)
        finally:
            (data / "s1.away").rename(data / "s1.png")

    with monkeypatch.context() as patch:
        patch.setattr(local, "run_shards", vanish)
        told = score(manifest, config, out)
    hit = sum(Path(item.source).name == "s1.png" for item in manifest.items)
    assert told.notes == [
        f"{hit} items have a file that could not be fetched, or found no memory: the same command tries again."
    ]
    table = pd.read_parquet(out / "scores.parquet")
    assert table["feasibility.reasons"].str.contains("source_missing_file").sum() == hit
    assert score(manifest, config, out).advanced == hit
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "scores.parquet"), pd.read_parquet(whole / "scores.parquet"), rtol=1e-5
    )


def test_a_file_that_was_never_there_is_not_tried_again(config: Config, data: Path, tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1] | {"source": "nowhere.png"}]
    absent = written(rows, data / "m.jsonl")
    assert score(absent, config, tmp_path / "run").notes == []
    assert score(absent, config, tmp_path / "run").notes[0].endswith("nothing to do.")


HOLD = """
import sys, time
from pathlib import Path
from edit_metrics.engine.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_one_writer_a_folder_and_a_lock_that_dies_with_its_owner(
    config: Config, manifest: Manifest, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for resume in (True, False):
            with pytest.raises(UserError, match=rf"nobody else writes, got process {holder.pid} on .* has it since"):
                score(manifest, config, out, resume=resume)
        holder.kill()
    assert (out / LOCK_NAME).exists(), "a stale one lies there"
    score(manifest, config, out)
    assert set(contents(out)) == {*TABLES, "run.json"}


def test_two_threads_of_one_process_do_not_share_a_folder(tmp_path: Path) -> None:
    with locked(tmp_path / "run"), pytest.raises(UserError, match="nobody else writes"), locked(tmp_path / "run"):
        pass
    assert not (tmp_path / "run").exists(), "nothing came of it"


def test_what_dead_writers_left_half_written_is_swept_and_the_rest_is_not(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as ended:
        pass
    write_text("x", tmp_path / "kept.txt")
    host = next(iter(_temporary_names(tmp_path))).split("-")[1]
    dead, alive = f".tmp-{host}-{ended.pid}-{'0' * 12}", f".tmp-{host}-{os.getpid()}-{'0' * 12}"
    elsewhere, old = f".tmp-{'f' * 8}-{ended.pid}-{'0' * 12}", f".tmp-{'f' * 8}-{ended.pid}-{'1' * 12}"
    mine = ".tmp-mine"
    for name in (dead, alive, elsewhere, old, mine):
        (tmp_path / name).write_text("half")
    os.utime(tmp_path / old, (time.time() - 2 * 86_400,) * 2)
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"kept.txt", alive, elsewhere, mine}


def _temporary_names(folder: Path) -> set[str]:
    """The name under which a file is written before it is there."""
    from edit_metrics.io.atomic import write_atomically

    seen: set[str] = set()

    def write(temporary: Path) -> None:
        seen.add(temporary.name)
        temporary.write_text("x")

    write_atomically(folder / "kept.txt", write)
    return seen
