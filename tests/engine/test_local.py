"""The local engine: every row once, typed missing values, resume, signatures, independence of batches and order."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

import edit_metrics
from edit_metrics import registry
from edit_metrics.api.scoring import score
from edit_metrics.config import Config, validate_config
from edit_metrics.engine import local
from edit_metrics.engine.job import RunOptions, ShardWorker, Silent
from edit_metrics.engine.run import run
from edit_metrics.errors import ConfigError, RunError, SignatureError
from edit_metrics.io import sources
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.registry import metric
from edit_metrics.scores.run_info import Counts
from edit_metrics.types import DIMENSIONS, RGB, Direction

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"


class Recorder(Silent):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.advanced = 0

    def advance(self, items: int) -> None:
        self.advanced += items

    def note(self, text: str) -> None:
        self.notes.append(text)


def scores(manifest: Manifest, config: Config, out: Path, **options: Any) -> pd.DataFrame:
    run(manifest, config, RunOptions(out=out, **options), Silent())
    return pd.read_parquet(out / "scores.parquet")


def changed(config: Config, **sections: Any) -> Config:
    return validate_config(config.model_dump() | sections, "test")


def numbers(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.set_index("id").select_dtypes("number").drop(columns="priority").sort_index()


@pytest.fixture
def scratch_metrics() -> Iterator[None]:
    registry.load_all()
    before = dict(registry._METRICS)
    yield
    registry._METRICS.clear()
    registry._METRICS.update(before)


def test_every_row_is_scored_in_manifest_order_and_every_missing_value_is_typed(
    fixtures_manifest: Manifest, undisturbed: Path
) -> None:
    frame = pd.read_parquet(undisturbed / "scores.parquet")
    assert list(frame["id"]) == [item.id for item in fixtures_manifest.items]
    for name in (*(f"{d}.score" for d in DIMENSIONS), "preservation.psnr", "adherence.conse_t"):
        status = frame[name.removesuffix(".score") + ".status"]
        assert ((status == "ok") == frame[name].notna()).all(), name
        reason = frame[name.removesuffix(".score") + (".reasons" if name.endswith(".score") else ".reason")]
        assert (reason[frame[name].isna()] != "").all(), name
    assert sorted(frame["priority"]) == list(range(1, len(frame) + 1))


def test_files_that_do_not_decode_are_scored_rows_with_a_reason(undisturbed: Path) -> None:
    frame = pd.read_parquet(undisturbed / "scores.parquet").set_index("id")
    for name, reason in (("cat_unreadable", "edited_unreadable"), ("cat_missing_file", "edited_missing_file")):
        assert frame.loc[name, "feasibility.score"] == 0
        assert reason in frame.loc[name, "feasibility.reasons"]
        assert frame.loc[name, "preservation.status"] == "not_applicable"
        assert frame.loc[name, "preservation.reasons"] == "infeasible"
        assert "infeasible" in frame.loc[name, "flags"]


def test_the_run_folder_holds_what_the_contract_names(undisturbed: Path) -> None:
    assert {path.name for path in undisturbed.iterdir()} == {
        "scores.parquet",
        "scores.csv",
        "scores_compact.csv",
        "rejected.jsonl",
        "run.json",
    }
    info = json.loads((undisturbed / "run.json").read_text())
    assert set(info["score_signature"]) == set(DIMENSIONS)
    assert info["counts"] == {"rows": 13, "scored": 13, "rejected": 0}
    assert info["config"]["profile"] == "stub"
    assert info["peak_memory_mib"] > 0


def test_the_same_run_writes_the_same_bytes(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    scores(fixtures_manifest, stub_config, tmp_path / "run")
    for file in ("scores.parquet", "scores.csv"):
        assert (tmp_path / "run" / file).read_bytes() == (undisturbed / file).read_bytes()


@pytest.mark.parametrize(("shard_size", "batch_size", "workers"), [(4, 1, 1), (8, 3, 3), (99, 32, 2)])
def test_shards_batches_and_workers_change_no_value(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path,
    shard_size: int, batch_size: int, workers: int,
) -> None:  # fmt: skip
    engine = {"shard_size": shard_size, "batch_size": batch_size, "workers": workers}
    config = changed(stub_config, engine=stub_config.engine.model_dump() | engine)
    other = scores(fixtures_manifest, config, tmp_path / "run")
    first = pd.read_parquet(undisturbed / "scores.parquet")
    pd.testing.assert_frame_equal(numbers(first), numbers(other), rtol=1e-5)


def test_permuting_or_splitting_the_manifest_changes_no_score(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    kept = {item.id for item in fixtures_manifest.items}
    lines = (FIXTURES / "manifest.jsonl").read_text().splitlines()
    lines = [line for line in lines[::-1] if json.loads(line)["id"] in kept]
    whole = pd.read_parquet(undisturbed / "scores.parquet")
    parts = []
    for number, part in enumerate((lines[:5], lines[5:])):
        path = tmp_path / f"part{number}.jsonl"
        path.write_text("\n".join(part) + "\n")
        parts.append(score(path, profile=stub_config, root=FIXTURES))
    pd.testing.assert_frame_equal(numbers(whole), numbers(pd.DataFrame(pd.concat(parts))), rtol=1e-5)


def test_a_shard_whose_column_is_all_missing_has_the_same_schema(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    engine = stub_config.engine.model_dump() | {"shard_size": 1}
    frame = scores(fixtures_manifest, changed(stub_config, engine=engine), tmp_path / "run")
    assert frame["preservation.psnr"].dtype == "float64"
    assert pq.read_schema(tmp_path / "run" / "scores.parquet").field("model").type == "string"


def test_a_killed_run_resumes_where_it_stopped_and_ends_the_same(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits = 0
    commit = ShardWorker.commit

    def die_at_the_third(*arguments: Any) -> Any:
        nonlocal commits
        commits += 1
        if commits == 3:
            raise KeyboardInterrupt
        return commit(*arguments)

    monkeypatch.setattr(ShardWorker, "commit", die_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        scores(fixtures_manifest, stub_config, tmp_path / "killed")
    monkeypatch.setattr(ShardWorker, "commit", commit)
    recorder = Recorder()
    run(fixtures_manifest, stub_config, RunOptions(out=tmp_path / "killed"), recorder)
    assert recorder.advanced == 13 - 8
    assert recorder.notes == ["Resuming: 8 of 13 items are done."]
    tables = [pd.read_parquet(folder / "scores.parquet") for folder in (tmp_path / "killed", undisturbed)]
    pd.testing.assert_frame_equal(*tables)


def test_a_finished_run_is_not_scored_again(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    recorder = Recorder()
    run(fixtures_manifest, stub_config, RunOptions(out=tmp_path / "run"), recorder)
    assert recorder.advanced == 0
    assert "nothing to do" in recorder.notes[0]


def test_a_changed_setting_is_refused_with_the_difference(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    shutil.copytree(undisturbed, tmp_path / "run")
    other = changed(stub_config, decode={"alpha_background": (0, 0, 0)})
    with pytest.raises(SignatureError, match=r"alpha_background: \[255, 255, 255\] → \[0, 0, 0\]"):
        scores(fixtures_manifest, other, tmp_path / "run")
    frame = scores(fixtures_manifest, other, tmp_path / "run", resume=False)
    assert len(frame) == 13


def test_a_picture_that_changed_since_is_scored_again(
    stub_config: Config, tmp_path: Path, fixtures_in: Callable[[Path], Manifest]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(FIXTURES, data)
    manifest = fixtures_in(data)
    before = scores(manifest, stub_config, tmp_path / "run").set_index("id")
    shutil.copy(data / "images" / "coffee_recolour_blurred.png", data / "images" / "coffee_recolour_clean.png")
    recorder = Recorder()
    run(manifest, stub_config, RunOptions(out=tmp_path / "run"), recorder)
    after = pd.read_parquet(tmp_path / "run" / "scores.parquet").set_index("id")
    assert "changed" in recorder.notes[0]
    name = "coffee_recolour_clean"
    assert after.loc[name, "preservation.psnr"] < before.loc[name, "preservation.psnr"]


def test_a_picture_that_changes_while_the_run_goes_on_keeps_its_rows_counted_and_is_scored_again_next_time(
    stub_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fixtures_in: Callable[[Path], Manifest]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(FIXTURES, data)
    manifest = fixtures_in(data)
    commit = ShardWorker.commit

    def change_a_picture(*arguments: Any) -> Any:
        (data / "images" / "coffee.png").touch()
        return commit(*arguments)

    monkeypatch.setattr(ShardWorker, "commit", change_a_picture)
    info = run(manifest, stub_config, RunOptions(out=tmp_path / "run"), Silent())
    monkeypatch.setattr(ShardWorker, "commit", commit)
    rows = len(pd.read_parquet(tmp_path / "run" / "scores.parquet"))
    assert info.counts == Counts(rows=13, scored=13, rejected=0)
    assert info.counts.scored == rows
    assert info.seconds.stages
    recorder = Recorder()
    run(manifest, stub_config, RunOptions(out=tmp_path / "run"), recorder)
    changed = sum("coffee.png" in item.source for item in manifest.items)
    assert recorder.notes == [f"Since this folder was written: 0 new, {changed} changed, {13 - changed} kept."]
    assert recorder.advanced == changed


def test_a_run_looks_at_each_picture_once(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: Counter[str] = Counter()
    look = sources.stat_tag

    def counted(path: str) -> str:
        looks[path] += 1
        return look(path)

    monkeypatch.setattr(sources, "stat_tag", counted)
    scores(fixtures_manifest, stub_config, tmp_path / "run")
    items = fixtures_manifest.items
    files = {path for i in items for path in (i.source, i.edited, i.mask, *i.references) if path}
    assert looks == Counter(files)


def test_a_mask_of_another_shape_is_rejected_with_its_line(stub_config: Config, tmp_path: Path) -> None:
    row = {
        "id": "odd",
        "source": "images/coffee.png",
        "edited": "images/coffee.png",
        "instruction": "x",
        "mask": "images/astronaut.jpg",
    }
    path = tmp_path / "m.jsonl"
    path.write_text("\n" + json.dumps(row) + "\n")
    frame = score(path, profile=stub_config, root=FIXTURES)
    assert len(frame) == 0
    (rejected,) = frame.attrs["rejected"]
    assert (rejected["id"], rejected["field"], rejected["line"]) == ("odd", "mask", 2)
    assert "aspect" in rejected["expected"]


def test_a_metric_of_a_role_that_the_profile_does_not_configure_is_unavailable(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    data = stub_config.model_dump()
    data["backends"].pop("conse")
    frame = scores(fixtures_manifest, validate_config(data, "test"), tmp_path / "run")
    feasible = frame[frame["feasibility.score"] > 0]
    assert set(feasible["adherence.conse_i.status"]) == {"unavailable"}
    assert set(feasible["adherence.conse_i.reason"]) == {"no_conse_backend"}


@pytest.mark.usefixtures("scratch_metrics")
def test_a_metric_that_raises_costs_its_own_value_only(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    @metric("quality.breaks", direction=Direction.NEITHER, bounds=(None, None), unit="")
    def breaks(edited_native: RGB) -> float:
        if edited_native.shape[:2] == (280, 280):
            raise ZeroDivisionError("a square\npicture")
        return 1.0

    data = stub_config.model_dump()
    data["dimensions"]["quality"] = {"metrics": ["breaks"], "curves": {"breaks": {"anchors": [[0, 0], [1, 1]]}}}
    frame = scores(fixtures_manifest, validate_config(data, "test"), tmp_path / "run").set_index("id")
    broken = frame[frame["quality.breaks.status"] == "failed"]
    assert list(broken.index) == ["coffee_other_shape"]
    assert broken["quality.breaks.reason"].item() == "ZeroDivisionError: a square picture"
    assert broken["safety.score"].notna().all()
    assert frame.loc["coffee_no_op", "quality.breaks"] == 1


@pytest.mark.usefixtures("scratch_metrics")
def test_a_value_that_is_not_finite_is_a_failure_not_a_number(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    @metric("quality.infinite", direction=Direction.NEITHER, bounds=(None, None), unit="")
    def infinite(source: RGB) -> float:
        return float("inf") * source.shape[0]

    data = stub_config.model_dump()
    data["dimensions"]["quality"] = {"metrics": ["infinite"]}
    frame = scores(fixtures_manifest, validate_config(data, "test"), tmp_path / "run")
    feasible = frame[frame["feasibility.score"] > 0]
    assert (feasible["quality.infinite.status"] == "failed").all()
    assert feasible["quality.infinite"].isna().all()


def test_one_bad_item_in_a_model_batch_costs_only_itself(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edit_metrics.backends.stub import StubSafety

    probabilities = StubSafety.probabilities

    def fails_on_that_size(self: StubSafety, images: Any) -> Any:
        if any(image.shape[:2] == (280, 280) for image in images):
            raise RuntimeError("a square")
        return probabilities(self, images)

    monkeypatch.setattr(StubSafety, "probabilities", fails_on_that_size)
    frame = scores(fixtures_manifest, stub_config, tmp_path / "run").set_index("id")
    failed = frame.index[frame["safety.nudity_max.status"] == "failed"]
    assert list(failed) == ["coffee_other_shape"]


def test_a_shard_that_vanished_breaks_the_run_with_its_name(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_shards = local.run_shards

    def lose_one(job: Any, shards: Any, progress: Any) -> Any:
        outcome = run_shards(job, shards, progress)
        (job.out / "shards" / "000001.parquet").unlink()
        return outcome

    monkeypatch.setattr(local, "run_shards", lose_one)
    with pytest.raises(RunError, match="000001"):
        scores(fixtures_manifest, stub_config, tmp_path / "run")


def test_python_rows_need_no_file(stub_config: Config) -> None:
    rows = [
        {
            "id": 1,
            "source": str(FIXTURES / "images" / "coffee.png"),
            "edited": str(FIXTURES / "images" / "coffee_jpeg75.jpg"),
            "instruction": "nothing",
            "lab": "ours",
        }
    ]
    frame = edit_metrics.score(rows, profile=stub_config)
    assert frame.loc[0, "id"] == "1"
    assert frame.loc[0, "lab"] == "ours"


def test_overrides_belong_to_a_profile_name(stub_config: Config) -> None:
    with pytest.raises(ConfigError, match="finished config"):
        score([], profile=stub_config, overrides=["engine.shard_size=2"])


def test_a_warm_cache_spares_the_models_and_changes_no_value(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edit_metrics.backends.stub import StubEncoder

    plain = pd.read_parquet(undisturbed / "scores.parquet")
    scores(fixtures_manifest, stub_config, tmp_path / "first", cache=tmp_path / "cache")
    encode, seen = StubEncoder.encode_images, 0

    def counting(self: StubEncoder, images: Any) -> Any:
        nonlocal seen
        seen += len(images)
        return encode(self, images)

    monkeypatch.setattr(StubEncoder, "encode_images", counting)
    warm = scores(fixtures_manifest, stub_config, tmp_path / "second", cache=tmp_path / "cache")
    feasible = int((plain["feasibility.score"] > 0).sum())
    assert seen == feasible, "only the edited pictures are encoded again"
    pd.testing.assert_frame_equal(numbers(plain), numbers(warm), rtol=1e-5)


def test_a_changed_prompt_or_picture_is_never_served_a_stale_feature(stub_config: Config, tmp_path: Path) -> None:
    row = {"id": "same", "source": "coffee.png", "edited": "coffee_jpeg75.jpg", "instruction": "x"}
    captions = ("a red cup", "a green cup")

    def clip_t(caption: str, cache: Path | None, out: str) -> float:
        path = tmp_path / "m.jsonl"
        path.write_text(json.dumps(row | {"target_caption": caption}))
        manifest = read_manifest(path, root=FIXTURES / "images")
        return float(scores(manifest, stub_config, tmp_path / out, cache=cache)["adherence.conse_t"].item())

    cached = [clip_t(caption, tmp_path / "cache", f"c{n}") for n, caption in enumerate(captions)]
    fresh = [clip_t(caption, None, f"f{n}") for n, caption in enumerate(captions)]
    assert cached == pytest.approx(fresh, abs=1e-6)
    assert cached[0] != pytest.approx(cached[1], abs=1e-3)
