"""The verbs `models list|pull|verify`, on a catalogue of two weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from edit_metrics.cli import models
from edit_metrics.weights import catalogue, store
from edit_metrics.weights.entries import PackageArchive, Weight, WeightFile

CONTENT = b"bytes"


def make(name: str) -> Weight:
    file = WeightFile("net.bin", len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), "net.bin")
    return Weight(name, "toy", "CC0-1.0", ("embedded",), PackageArchive("toy==1", "0" * 64, "wheel"), (file,))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds ``toy.here`` and lacks ``toy.absent``."""
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path))
    toys = {name: make(name) for name in ("toy.here", "toy.absent")}
    monkeypatch.setattr(catalogue, "CATALOGUE", toys)
    monkeypatch.setattr(store, "CATALOGUE", toys)
    (tmp_path / "toy.here").mkdir()
    (tmp_path / "toy.here" / "net.bin").write_bytes(CONTENT)
    return tmp_path


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    models.register(app)
    app.command("other")(lambda: None)
    result = CliRunner().invoke(app, ["models", *arguments])
    return result.exit_code, result.stdout


def test_list_tells_what_is_present(cache: Path) -> None:
    code, out = run("list", "--json")
    assert code == 0
    assert {row["name"]: row["present"] for row in json.loads(out)} == {"toy.here": True, "toy.absent": False}


def test_list_prints_a_table_of_one_profile(cache: Path) -> None:
    code, out = run("list", "--profile", "embedded")
    assert code == 0
    assert "toy.here" in out
    assert "CC0-1.0" in out


def test_verify_passes_what_is_there_and_tells_what_is_not(cache: Path) -> None:
    code, out = run("verify", "--json")
    assert code == 0
    assert [(row["name"], row["state"]) for row in json.loads(out)] == [
        ("toy.here", "present"),
        ("toy.absent", "missing"),
    ]


def test_verify_of_a_profile_fails_when_one_is_missing(cache: Path) -> None:
    assert run("verify", "--profile", "embedded")[0] == 1
    assert run("verify", "toy.here")[0] == 0


def test_verify_exits_1_when_a_hash_is_wrong(cache: Path) -> None:
    (cache / "toy.here" / "net.bin").write_bytes(CONTENT[::-1])
    code, out = run("verify", "--json")
    assert code == 1
    assert json.loads(out)[0]["state"] == "corrupt"


def test_pull_of_what_is_there_says_so_and_fetches_nothing(cache: Path) -> None:
    code, out = run("pull", "toy.here", "--json")
    assert code == 0
    assert json.loads(out) == [{"name": "toy.here", "state": "was there", "folder": str(cache / "toy.here")}]
