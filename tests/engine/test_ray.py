"""The Ray engine: the local engine's table, a worker that is killed, a worker that cannot work."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from edit_metrics.config import Config, validate_config
from edit_metrics.engine import ray as engine
from edit_metrics.engine.attempts import ATTEMPTS, AttemptLog
from edit_metrics.engine.folder import RunFolder
from edit_metrics.engine.job import Job, RunOptions, Silent
from edit_metrics.engine.ray import ShardActor
from edit_metrics.engine.ray_cluster import Pool, connected, import_ray, size_of_pool
from edit_metrics.engine.run import run
from edit_metrics.engine.shards import cut_into_shards
from edit_metrics.errors import ConfigError, MissingExtraError, RunError
from edit_metrics.io.manifest import Manifest
from edit_metrics.scores.rows import TableLayout
from edit_metrics.scores.run_info import RunInfo, read_run_info

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray.*")  # Ray Data reads its own old settings.


class Recorder(Silent):
    """Keeps what a run tells."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.advanced = 0

    def advance(self, items: int) -> None:
        self.advanced += items

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    """Ray with two cores, started once for the module: each run then brings its own workers."""
    pytest.importorskip("ray", reason="the Ray engine needs the extra edit-metrics[ray]")
    with connected(import_ray(), 2):
        yield


def score(manifest: Manifest, config: Config, out: Path) -> tuple[pd.DataFrame, RunInfo, Recorder]:
    """On Ray."""
    recorder = Recorder()
    info = run(manifest, config, RunOptions(out=out, engine="ray"), recorder)
    return pd.read_parquet(out / "scores.parquet"), info, recorder


def job_for(config: Config, out: Path) -> Job:
    return Job(config, TableLayout(pa.schema([]), (), "/"), 2, "cpu", out, None, "none")


def node(**resources: float) -> dict[str, Any]:
    return {"Alive": True, "Resources": resources}


@pytest.mark.usefixtures("two_workers")
def test_two_workers_write_the_table_of_the_local_engine(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    expected, local_info = pd.read_parquet(undisturbed / "scores.parquet"), read_run_info(undisturbed)
    assert local_info is not None
    table, info, recorder = score(fixtures_manifest, stub_config, tmp_path / "ray")
    pd.testing.assert_frame_equal(table, expected, rtol=1e-5)
    assert info.counts == local_info.counts
    assert info.run_signature == local_info.run_signature
    assert info.retries == 0
    assert recorder.advanced == len(fixtures_manifest.items)
    assert recorder.notes == ["Ray workers: 2; cores of each: 1; GPUs of each: 0."]
    assert {path.name for path in (tmp_path / "ray").iterdir()} == {path.name for path in undisturbed.iterdir()}


def kill_a_worker(shards: Path, victims: list[int]) -> None:
    """``kill -9`` the first worker that is seen inside a shard."""
    seen: set[Path] = set()
    deadline = time.monotonic() + 300
    while not victims and time.monotonic() < deadline:
        for path in set(shards.glob("*.attempts")) - seen:
            if not (words := path.read_text().split()):
                continue
            seen.add(path)
            # Held still first: a worker that has finished its shard meanwhile would lose nothing.
            os.kill(int(words[1]), signal.SIGSTOP)
            if path.with_suffix(".done").exists():
                os.kill(int(words[1]), signal.SIGCONT)
                continue
            os.kill(int(words[1]), signal.SIGKILL)
            victims.append(int(words[1]))
            break
        time.sleep(0.005)


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
@pytest.mark.usefixtures("two_workers")
def test_a_worker_killed_in_the_middle_costs_nothing_but_time_and_is_counted(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, undisturbed: Path
) -> None:
    expected = pd.read_parquet(undisturbed / "scores.parquet")
    victims: list[int] = []
    killer = threading.Thread(target=kill_a_worker, args=(tmp_path / "ray" / "shards", victims))
    killer.start()
    table, info, recorder = score(fixtures_manifest, stub_config, tmp_path / "ray")
    killer.join()
    assert len(victims) == 1
    pd.testing.assert_frame_equal(table, expected, rtol=1e-5)
    assert info.retries == json.loads((tmp_path / "ray" / "run.json").read_text())["retries"] == 1
    assert recorder.notes[-1] == "Shards begun again because their worker was lost: 1."
    assert recorder.advanced == len(fixtures_manifest.items)


def test_a_shard_that_takes_every_worker_down_is_given_up_with_its_name(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    (tmp_path / "shards").mkdir()
    shard = cut_into_shards(fixtures_manifest.items, 4)[1]
    for _ in range(ATTEMPTS):
        AttemptLog(RunFolder(tmp_path), shard).add()
    answer = ShardActor(job_for(stub_config, tmp_path))({"shard": [shard]})
    assert answer["index"] == [1]
    assert "shard 000001 (from item 'coffee_larger') took 3 workers down" in answer["problem"][0]


def test_a_worker_that_cannot_reach_the_run_folder_says_so(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path
) -> None:
    actor = ShardActor(job_for(stub_config, tmp_path / "elsewhere"))
    (problem,) = actor({"shard": cut_into_shards(fixtures_manifest.items, 99)})["problem"]
    assert "run folder that every node can reach" in problem
    assert "elsewhere" in problem


def test_a_problem_on_a_worker_ends_the_run_with_its_text(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class FakeRows:
        context = type("Context", (), {})()

        def map_batches(self, actor: Any, **options: Any) -> FakeRows:
            self.actor = actor(*options["fn_constructor_args"])
            return self

        def iter_rows(self) -> Iterator[dict[str, Any]]:
            answer = self.actor({"shard": cut_into_shards(fixtures_manifest.items, 99)})
            yield {name: values[0] for name, values in answer.items()}

    class FakeRay(FakeCluster):
        exceptions = type("Exceptions", (), {"RayError": OSError})
        data = type(
            "Data",
            (),
            {
                "from_items": staticmethod(lambda items, **_: FakeRows()),
                "ActorPoolStrategy": staticmethod(lambda **_: None),
            },
        )

    monkeypatch.setattr(engine, "import_ray", FakeRay)
    monkeypatch.setattr(engine.ShardWorker, "work", lambda worker, shard: 1 / 0)
    (tmp_path / "shards").mkdir()
    shards = cut_into_shards(fixtures_manifest.items, 99)
    with pytest.raises(RunError, match=r"ZeroDivisionError: division by zero .* goes on from there"):
        engine.run_shards_on_ray(job_for(stub_config, tmp_path), shards, Silent())


class FakeCluster:
    """Stands for the ray module: remembers how it was started."""

    def __init__(self) -> None:
        self.started: list[dict[str, Any]] = []
        self.running = False

    def is_initialized(self) -> bool:
        return self.running

    def init(self, **options: Any) -> None:
        self.started.append(options)
        self.running = True

    def shutdown(self) -> None:
        self.running = False

    def nodes(self) -> list[dict[str, Any]]:
        return [node(CPU=2.0)]


def test_an_address_is_joined_and_without_one_local_workers_are_started(monkeypatch: pytest.MonkeyPatch) -> None:
    ray = FakeCluster()
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with connected(ray, 4):
        assert ray.running
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with connected(ray, 4):
        assert ray.running
    first, second = ray.started
    assert (first["address"], first["num_cpus"], first["include_dashboard"]) == ("local", 4, False)
    assert second["address"] == "10.0.0.1:6379"
    assert "num_cpus" not in second, "a cluster's size is its own"
    assert not ray.running


def test_an_address_where_no_cluster_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Unreachable(FakeCluster):
        def init(self, **options: Any) -> None:
            raise ConnectionError("nobody answers\nfor long")

    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(ConfigError, match=r"nobody answers \(10\.0\.0\.1:6379\)"), connected(Unreachable(), 4):
        pass
    monkeypatch.delenv("RAY_ADDRESS")
    with pytest.raises(RunError, match="nobody answers"), connected(Unreachable(), 4):
        pass
    assert "RAY_BACKEND_LOG_LEVEL" not in os.environ


def test_a_cluster_that_the_caller_has_joined_is_left_running() -> None:
    ray = FakeCluster()
    ray.running = True
    with connected(ray, 4):
        pass
    assert ray.running
    assert ray.started == []


def test_workers_fill_the_cluster_with_one_core_each(stub_config: Config, tmp_path: Path) -> None:
    def pool(nodes: list[dict[str, Any]], shards: int = 99, device: str = "cpu", **settings: int) -> Pool:
        config = validate_config(stub_config.model_dump() | {"engine": {"workers": 0} | settings}, "test")
        job = Job(config, TableLayout(pa.schema([]), (), "/"), 2, device, tmp_path, None, "none")
        return size_of_pool(job, nodes, shards)

    cluster = [node(CPU=8.0), node(CPU=5.0), {"Alive": False, "Resources": {"CPU": 64.0}}]
    assert pool(cluster) == Pool(actors=13, cpus=1, gpus=0)
    assert pool(cluster, model_threads=4) == Pool(actors=3, cpus=4, gpus=0)
    assert pool(cluster, workers=5) == Pool(actors=5, cpus=1, gpus=0)
    assert pool(cluster, shards=2) == Pool(actors=2, cpus=1, gpus=0)
    with_gpus = [node(CPU=16.0, GPU=2.0), node(CPU=64.0), node(CPU=48.0, GPU=4.0)]
    assert pool(with_gpus, device="cuda") == Pool(actors=6, cpus=8, gpus=1)
    with pytest.raises(ConfigError, match="a node with 16 cores for each worker"):
        pool(cluster, model_threads=16)
    with pytest.raises(ConfigError, match="1 cores and a GPU"):
        pool(cluster, device="cuda")


def test_without_ray_the_extra_is_named(
    stub_config: Config, fixtures_manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"edit-metrics\[ray\]"):
        run(fixtures_manifest, stub_config, RunOptions(out=tmp_path / "run", engine="ray"), Silent())
