"""The feature cache: whole or absent, bounded, shared between processes, healed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edit_metrics.features.cache import FeatureCache, decode, encode
from edit_metrics.types import undefined


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path, max_bytes=1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.zeros((0, 5), np.float32),
        np.array([True, False]),
        0.25,
        undefined("no_face"),
    ],
)
def test_values_come_back_as_they_were(cache: FeatureCache, value: Any) -> None:
    cache.put({"k": value})
    (back,) = cache.get(["k"]).values()
    assert type(back) is type(value)
    if isinstance(value, np.ndarray):
        assert back.dtype == value.dtype
        np.testing.assert_array_equal(back, value)
    else:
        assert back == value


def test_objects_are_never_pickled(cache: FeatureCache) -> None:
    assert encode({"a": 1}) is None
    cache.put({"k": object()})
    assert cache.get(["k"]) == {}
    with pytest.raises(ValueError, match="allow_pickle=False"):
        encode(np.array([object()]))


def test_absent_keys_are_absent(cache: FeatureCache) -> None:
    cache.put({"a": 1.0})
    assert cache.get(["a", "b", "b"]) == {"a": 1.0}


def test_a_damaged_entry_is_dropped_and_may_be_written_again(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put({"a": 1.0, "b": 2.0})
    with sqlite3.connect(tmp_path / "features.sqlite") as connection:
        connection.execute("UPDATE entries SET value = ? WHERE key = 'a'", (encode(9.0),))
    connection.close()
    assert cache.get(["a", "b"]) == {"b": 2.0}
    cache.put({"a": 1.0})
    assert cache.get(["a"]) == {"a": 1.0}


def test_a_damaged_file_is_replaced(tmp_path: Path) -> None:
    FeatureCache(tmp_path, 1000).close()
    (tmp_path / "features.sqlite").write_bytes(b"this is no database" * 100)
    cache = FeatureCache(tmp_path, 1000)
    cache.put({"a": 1.0})
    assert cache.get(["a"]) == {"a": 1.0}


def test_the_least_recently_used_go_when_the_limit_is_reached(tmp_path: Path) -> None:
    one = len(encode(np.zeros(1000, np.float32)) or b"")
    cache = FeatureCache(tmp_path, max_bytes=3 * one)
    for name in "abc":
        cache.put({name: np.zeros(1000, np.float32)})
    cache.get(["a"])
    cache.put({"d": np.zeros(1000, np.float32)})
    assert set(cache.get(["a", "b", "c", "d"])) == {"a", "d"}


def test_several_processes_write_at_once_and_nothing_is_lost(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\n"
        "from edit_metrics.features.cache import FeatureCache\n"
        "cache = FeatureCache(pathlib.Path(sys.argv[1]), 10**7)\n"
        "for i in range(50): cache.put({f'{sys.argv[2]}-{i}': float(i)})\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), name]) for name in "xyz"]
    assert [run.wait() for run in runs] == [0, 0, 0]
    keys = [f"{name}-{i}" for name in "xyz" for i in range(50)]
    assert len(FeatureCache(tmp_path, 10**7).get(keys)) == 150


def test_decoding_is_the_inverse_of_encoding() -> None:
    assert decode(encode(undefined("x")) or b"") == undefined("x")


def test_a_value_under_another_key_is_as_damaged_as_one_that_was_altered(cache: FeatureCache, tmp_path: Path) -> None:
    cache.put({"a": np.zeros(3, np.float32), "b": np.ones(3, np.float32)})
    with sqlite3.connect(tmp_path / "features.sqlite") as connection:
        rows = dict(connection.execute("SELECT key, value FROM entries"))
        hashes = dict(connection.execute("SELECT key, sha256 FROM entries"))
        for key, other in (("a", "b"), ("b", "a")):
            connection.execute(
                "UPDATE entries SET value = ?, sha256 = ? WHERE key = ?", (rows[other], hashes[other], key)
            )
    assert cache.get(["a", "b"]) == {}
