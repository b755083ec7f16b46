"""What is derived from weights is used only while it is as it was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edit_metrics.types import Float32
from edit_metrics.weights import derived, store
from edit_metrics.weights.derived import derived_array


class Maker:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> Float32:
        self.calls += 1
        return np.arange(12, dtype=np.float32).reshape(3, 4)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(derived, "models_folder", lambda: tmp_path)
    return tmp_path / "derived"


def test_it_is_computed_once_and_then_read(folder: Path) -> None:
    make = Maker()
    first, second = (derived_array("table", "k", make) for _ in range(2))
    assert make.calls == 1
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(np.load(folder / "table-k.npy"), first)


@pytest.mark.parametrize("damage", ["emptied", "cut", "altered", "without hash", "of another key", "a folder"])
def test_one_that_is_not_as_it_was_written_is_computed_again_and_replaced(folder: Path, damage: str) -> None:
    make = Maker()
    truth = derived_array("table", "k", make)
    path = folder / "table-k.npy"
    data = path.read_bytes()
    if damage == "of another key":
        derived_array("table", "other", lambda: truth + 1)
        (folder / "table-other.npy").replace(path)
    elif damage == "a folder":
        path.unlink()
        path.mkdir()
    else:
        altered = data[:-40] + bytes([data[-40] ^ 1]) + data[-39:]
        path.write_bytes({"emptied": b"", "cut": data[:90], "altered": altered, "without hash": data[:-32]}[damage])
    np.testing.assert_array_equal(derived_array("table", "k", make), truth)
    assert make.calls == 2
    assert damage == "a folder" or path.read_bytes() == data


def test_a_memory_of_hashes_that_was_altered_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.ENVIRONMENT_VARIABLE, str(tmp_path / "models"))
    weight = tmp_path / "mine.bin"
    weight.write_bytes(b"weights")
    truth = store.digest(str(weight))
    (memory,) = (tmp_path / "models" / "local").glob("*.json")
    held = memory.read_text()
    sha256 = store.sha256_of(weight)
    assert sha256 in held
    memory.write_text(held.replace(sha256, "0" * 64))
    assert store.digest(str(weight)) == truth
    assert memory.read_text() == held
