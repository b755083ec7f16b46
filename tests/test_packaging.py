"""The wheel and the sdist: built here, installed elsewhere, run where no checkout is; what they say of themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
BUILD = "import sys; from hatchling.build import {}; print({}(sys.argv[1]))"


def build(what: str, source: Path, into: Path) -> Path:
    """A wheel or an sdist, by the project's own backend; no network."""
    function = f"build_{what}"
    done = subprocess.run(
        [sys.executable, "-c", BUILD.format(function, function), str(into)],
        cwd=source, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return into / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling.build")
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the wheel, and nothing else."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    return target


def run(site: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import sys, edit_metrics, edit_metrics.cli as cli; print(edit_metrics.__file__, file=sys.stderr); "
        "sys.argv[0] = 'edit-metrics'; cli.main()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=folder, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip


def test_an_installed_wheel_runs_where_no_checkout_is(site: Path, tmp_path: Path) -> None:
    rows = "".join(f"i{n},0.{50 + n % 40}\n" for n in range(60))
    (tmp_path / "a.csv").write_text(f"id,quality.score\n{rows}")
    done = run(site, tmp_path, "gate", "a.csv", "a.csv", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["outcome"] == "pass"
    assert str(site) in done.stderr.splitlines()[0]
    assert run(site, tmp_path, "--version").stdout.startswith("edit-metrics ")
    refused = run(site, tmp_path, "score", "m.jsonl", "--out", "x", "--profile", "embeded")
    assert refused.returncode == 2
    assert "Did you mean 'embedded'?" in refused.stderr


def test_the_wheel_is_typed_and_carries_what_it_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        text = archive.read(metadata).decode()
    assert {"edit_metrics/py.typed", "edit_metrics/scores/metric_facts.json", "edit_metrics/configs/base.yaml"} <= names
    assert not any(name.startswith(("tests/", "benchmarks/", "docs/")) for name in names)
    # Addresses are those of the project file, and none of them is a placeholder.
    urls = dict(
        line.removeprefix("Project-URL: ").split(", ") for line in text.splitlines() if line[:11] == "Project-URL"
    )
    assert urls == PROJECT["urls"]
    assert not [url for url in urls.values() if "OWNER" in url or "example" in url]
    for extra in PROJECT["optional-dependencies"]:
        assert f"Provides-Extra: {extra}" in text


def test_a_wheel_from_the_sdist_is_the_wheel(wheel: Path, tmp_path: Path) -> None:
    sdist = build("sdist", ROOT, tmp_path)
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    (source,) = (tmp_path / "source").iterdir()
    (tmp_path / "again").mkdir()
    again = build("wheel", source, tmp_path / "again")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert sorted(first.namelist()) == sorted(second.namelist())
        for name in first.namelist():
            assert first.read(name) == second.read(name), name


def test_versions_of_python_and_the_licence_are_declared() -> None:
    versions = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if " :: 3." in line]
    assert versions == ["3.11", "3.12", "3.13"]
    assert PROJECT["license"] == "Apache-2.0"


def test_every_requirement_and_weight_is_on_the_page_of_licences() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "make_licences.py"), "--check"],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
