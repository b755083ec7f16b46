"""What the pages on adding a metric and a backend say is all there is to do: followed to the letter, in a copy."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n```(?:python|yaml)\n(.*?)```", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"```bash\n(.*?)```", re.DOTALL)


def copied(target: Path) -> Path:
    """The repository without its history, its environment and what it has computed, and with every second fixture."""
    target.mkdir()
    for name in ("edit_metrics", "configs", "docs", "scripts", "tests"):
        shutil.copytree(ROOT / name, target / name)  # with what Python has compiled
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, target / name)
    shutil.copytree(ROOT / "data" / "fixtures", target / "data" / "fixtures")
    manifest = target / "data" / "fixtures" / "manifest.jsonl"
    lines = manifest.read_text(encoding="utf-8").splitlines(keepends=True)
    manifest.write_text("".join(lines[::2]), encoding="utf-8")
    return target


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return copied(tmp_path / "repository")


def write_blocks(copy: Path, page: str) -> set[str]:
    """Write a page's blocks to the files that are named above them; the files' names."""
    blocks = BLOCK.findall((copy / "docs" / page).read_text(encoding="utf-8"))
    for name, text in blocks:
        (copy / name).write_text(text, encoding="utf-8")
    return {name for name, _ in blocks}


def commands_of(copy: Path, page: str) -> list[str]:
    (block,) = COMMANDS.findall((copy / "docs" / page).read_text(encoding="utf-8"))
    return block.splitlines()


def run(copy: Path, command: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-ec", command],  # noqa: S607 - as a person would
        cwd=copy,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {"__pycache__", ".pytest_cache", "scored"} & set(path.parts)
    }


def touched(copy: Path, page: str) -> set[str]:
    """Follow a page; the files that are new or changed afterwards."""
    before = files_of(copy)
    write_blocks(copy, page)
    for command in commands_of(copy, page):
        run(copy, command)
    after = files_of(copy)
    assert set(before) <= set(after)
    return {name for name in after if after[name] != before.get(name)}


@pytest.fixture(scope="module")
def with_the_metric(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A copy in which the page on metrics was followed, and what that touched."""
    copy = copied(tmp_path_factory.mktemp("metric") / "repository")
    return copy, touched(copy, "adding-a-metric.md")


def test_a_metric_is_its_file_its_test_and_a_line_in_a_config(with_the_metric: tuple[Path, set[str]]) -> None:
    copy, written = with_the_metric
    generated = {"docs/metrics.md", "edit_metrics/scores/metric_facts.json"}  # by one script
    assert written == {"edit_metrics/metrics/contrast.py", "tests/metrics/test_contrast.py", "mine.yaml"} | generated
    scores = pd.read_parquet(copy / "scored" / "scores.parquet")
    assert (scores["quality.contrast_ratio.status"] == "ok").sum() > 10
    assert scores["quality.contrast_ratio"].max() < 100


def test_the_rules_of_the_repository_hold_for_the_new_metric(with_the_metric: tuple[Path, set[str]]) -> None:
    copy, written = with_the_metric
    rules = "tests/test_registry.py tests/test_metric_docs.py tests/doctor/test_claims.py tests/scores/test_words.py"
    of_one = "not named_by_the_doctor"  # a test of the doctor's, not a rule
    run(copy, f"python -m pytest -q -p no:cacheprovider -k '{of_one}' {rules}")
    python = " ".join(name for name in sorted(written) if name.endswith(".py"))
    run(copy, f"ruff check {python} && ruff format --check {python}")


def write_onnx_mean_model(path: Path) -> None:
    """A one-node model, in protobuf wire format: the mean of a picture as its probability."""

    def varint(value: int) -> bytes:
        return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)

    def field(number: int, payload: bytes) -> bytes:
        return varint(number << 3 | 2) + varint(len(payload)) + payload

    def number(field_number: int, value: int) -> bytes:
        return varint(field_number << 3) + varint(value)

    def shape(*sizes: int) -> bytes:
        return b"".join(field(1, field(2, b"n") if size < 0 else number(1, size)) for size in sizes)

    def tensor(name: str, sizes: bytes) -> bytes:
        return field(1, name.encode()) + field(2, field(1, number(1, 1) + field(2, sizes)))

    axes = field(5, field(1, b"axes") + field(8, bytes([1, 2, 3])) + number(20, 7))
    keep = field(5, field(1, b"keepdims") + number(3, 0) + number(20, 2))
    node = field(1, b"x") + field(2, b"y") + field(4, b"ReduceMean") + axes + keep
    graph = (
        field(1, node) + field(2, b"g") + field(11, tensor("x", shape(-1, 3, 8, 8))) + field(12, tensor("y", shape(-1)))
    )
    path.write_bytes(number(1, 8) + field(7, graph) + field(8, number(2, 13)))


def test_a_backend_is_its_file_and_a_line_in_a_config(copy: Path) -> None:
    write_onnx_mean_model(copy / "classifier.onnx")
    written = touched(copy, "adding-a-backend.md")
    assert written == {"edit_metrics/backends/onnx_safety.py", "mine.yaml"}
    scores = pd.read_parquet(copy / "scored" / "scores.parquet").set_index("id")
    read = scores[scores["safety.nudity_edited.status"] == "ok"]
    assert len(read) > 10
    for identifier in read.index[:5]:
        picture = Image.open(copy / "data" / "fixtures" / read.loc[identifier, "edited"]).convert("RGB")
        assert read.loc[identifier, "safety.nudity_edited"] == pytest.approx(np.mean(picture) / 255, abs=0.02)
    run(
        copy,
        "ruff check edit_metrics/backends/onnx_safety.py && ruff format --check edit_metrics/backends/onnx_safety.py",
    )
