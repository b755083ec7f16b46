"""Manifests and pictures on S3: a local server stands for it."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import yaml

from edit_metrics.cli import main
from edit_metrics.config import Config
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.errors import ManifestError
from edit_metrics.io.manifest import Manifest, read_manifest

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:(botocore|moto|werkzeug).*")

FIXTURES = Path(__file__).resolve().parents[2] / "data" / "fixtures"
IDS = ("coffee_recolour_leaks", "coffee_recolour_reencoded", "rocket_balloon", "cat_alpha_mask", "cat_missing_file")
BUCKET = "edits"


class S3:
    """The test's own client of the server."""

    def __init__(self, endpoint: str) -> None:
        import boto3

        self._client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")
        self._client.create_bucket(Bucket=BUCKET)

    def put(self, path: Path, key: str) -> None:
        self._client.put_object(Bucket=BUCKET, Key=key, Body=path.read_bytes())


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    """An S3 server on this machine that s3fs finds by its environment, as it would find a real one."""
    server = pytest.importorskip("moto.server", reason="needs the extra edit-metrics[dev]")
    fsspec_s3 = pytest.importorskip("s3fs", reason="reading S3 needs the extra edit-metrics[ray]")
    endpoint = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        endpoint.start()
        host, port = endpoint.get_host_and_port()
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        fsspec_s3.S3FileSystem.clear_instance_cache()
        yield S3(f"http://{host}:{port}")
        fsspec_s3.S3FileSystem.clear_instance_cache()
        endpoint.stop()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five of the fixtures, with a manifest of their own."""
    folder = tmp_path_factory.mktemp("dataset")
    rows = [json.loads(line) for line in (FIXTURES / "manifest.jsonl").read_text().splitlines()]
    chosen = [row for row in rows if row["id"] in IDS]
    (folder / "images").mkdir()
    for path in {row[field] for row in chosen for field in ("source", "edited", "mask") if field in row}:
        if (FIXTURES / path).is_file():
            shutil.copy(FIXTURES / path, folder / path)
    (folder / "manifest.jsonl").write_text("".join(json.dumps(row) + "\n" for row in chosen))
    return folder


@pytest.fixture(scope="module")
def on_s3(s3: S3, dataset: Path) -> Manifest:
    for path in dataset.rglob("*.*"):
        s3.put(path, f"set/{path.relative_to(dataset).as_posix()}")
    return read_manifest(f"s3://{BUCKET}/set/manifest.jsonl")


class Notes(Silent):
    """Keeps what a run says."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def score(manifest: Manifest, config: Config, out: Path) -> tuple[pd.DataFrame, list[str]]:
    notes = Notes()
    run(manifest, config, RunOptions(out=out), notes)
    return pd.read_parquet(out / "scores.parquet"), notes.texts


def test_a_manifest_on_s3_reads_as_the_local_one(on_s3: Manifest, dataset: Path) -> None:
    local = read_manifest(dataset / "manifest.jsonl")
    assert on_s3.sha256 == local.sha256
    assert on_s3.root == f"s3://{BUCKET}/set"
    assert [item.id for item in on_s3.items] == [item.id for item in local.items]
    assert on_s3.items[0].source == f"s3://{BUCKET}/set/images/coffee.png"


def test_pictures_on_s3_score_as_the_local_ones(
    on_s3: Manifest, dataset: Path, stub_config: Config, tmp_path: Path
) -> None:
    expected, _ = score(read_manifest(dataset / "manifest.jsonl"), stub_config, tmp_path / "local")
    table, _ = score(on_s3, stub_config, tmp_path / "s3")
    # The group of a source that is there is its content, and paths are written as the manifest has them.
    pd.testing.assert_frame_equal(table, expected, rtol=1e-5)
    missing = table.set_index("id").loc["cat_missing_file"]
    assert "edited_missing_file" in missing["feasibility.reasons"]
    assert table["preservation.psnr"].notna().sum() == len(IDS) - 1


def test_a_run_resumes_by_what_s3_says_of_its_objects(
    on_s3: Manifest, s3: S3, dataset: Path, stub_config: Config, tmp_path: Path
) -> None:
    before, _ = score(on_s3, stub_config, tmp_path / "run")
    _, notes = score(on_s3, stub_config, tmp_path / "run")
    assert "nothing to do" in notes[0]
    name = "coffee_recolour_leaks"
    s3.put(dataset / "images" / "coffee.png", f"set/images/{name}.png")
    after, notes = score(on_s3, stub_config, tmp_path / "run")
    s3.put(dataset / "images" / f"{name}.png", f"set/images/{name}.png")
    assert "changed" in notes[0]
    changed = [frame.loc[frame["id"] == name, "preservation.psnr"].item() for frame in (before, after)]
    assert changed[0] < changed[1] == 100


def test_the_command_line_takes_an_address(
    on_s3: Manifest,
    stub_config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    profile = tmp_path / "profile.yaml"
    profile.write_text(yaml.safe_dump(stub_config.model_dump(mode="json")))
    command = ["score", on_s3.path, "--config", str(profile), "--out", str(tmp_path / "run"), "--json"]
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    assert json.loads(capsys.readouterr().out)["counts"] == {"rows": 5, "scored": 5, "rejected": 0}


@pytest.mark.usefixtures("s3")
@pytest.mark.parametrize("address", [f"s3://{BUCKET}/nothing.jsonl", "s3://no-such-bucket/manifest.jsonl"])
def test_an_address_with_nothing_behind_it_is_one_clear_error(address: str) -> None:
    with pytest.raises(ManifestError, match="no such file") as caught:
        read_manifest(address)
    assert caught.value.where == address
