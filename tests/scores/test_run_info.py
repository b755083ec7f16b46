"""``run.json``: read as it was written, by this version or another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edit_metrics.config import load_config
from edit_metrics.errors import ConfigError, TableError
from edit_metrics.scores.run_info import RUN_INFO_NAME, Counts, RunInfo, read_run_info
from edit_metrics.scores.signatures import Signature, differences

PARTS = {"backends": {"clip": {"name": "open_clip/x", "weights": {"model": "cd" * 32}}}, "section": {"cap": 0.5}}


def written(folder: Path, **content: Any) -> RunInfo:
    (folder / RUN_INFO_NAME).write_text(json.dumps(content), encoding="utf-8")
    found = read_run_info(folder)
    assert found is not None
    return found


def test_what_is_written_is_read_and_what_was_never_said_is_not_written(tmp_path: Path) -> None:
    info = RunInfo(
        profile="clip", counts=Counts(rows=3, scored=2, rejected=1), score_signature={"style": Signature.of(PARTS)}
    )
    info.write(tmp_path)
    assert read_run_info(tmp_path) == info
    assert list(json.loads((tmp_path / RUN_INFO_NAME).read_text())) == ["profile", "score_signature", "counts"]
    assert read_run_info(tmp_path / "elsewhere") is None


def test_keys_of_a_later_version_go_through_unharmed(tmp_path: Path) -> None:
    content = {"profile": "x", "moon": {"phase": 3}, "seconds": {"total": 1.0, "stages": {}, "waiting": 0.5}}
    written(tmp_path, **content).write(tmp_path)
    assert json.loads((tmp_path / RUN_INFO_NAME).read_text()) == content


def test_the_models_behind_the_scores_are_named(tmp_path: Path) -> None:
    info = written(tmp_path, score_signature={"style": {"sha256": "0", "parts": PARTS}, "safety": {"sha256": "1"}})
    assert {role: model.name for role, model in info.backends.items()} == {"clip": "open_clip/x"}


def test_a_profile_of_another_version_is_read_as_far_as_pages_need_it(tmp_path: Path) -> None:
    section = {"cap": 0.6, "curves": {"a": {"trust": 0.4, "shape": "new"}, "b": {"trust": 0.5}}, "later": 1}
    info = written(tmp_path, config={"cannot_see": ["anatomy"], "dimensions": {"style": section}})
    record = info.profile_record
    assert record is not None
    assert record.cannot_see == ("anatomy",)
    assert record.dimensions["style"].reachable_confidence == 0.5
    with pytest.raises(ConfigError):
        info.resolved_config("run.json")


def test_the_reachable_confidence_of_a_run_is_its_profiles(tmp_path: Path) -> None:
    config = load_config("embedded")
    info = written(tmp_path, config=config.model_dump(mode="json"))
    record = info.profile_record
    assert record is not None
    assert {name: one.reachable_confidence for name, one in record.dimensions.items()} == {
        name: section.reachable_confidence for name, section in config.dimensions.items()
    }
    assert info.resolved_config("run.json") == config


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ({"counts": {"rows": "many", "scored": 1, "rejected": 0}}, "counts.rows"),
        ({"score_signature": {"style": {"parts": {}}}}, "score_signature.style.sha256"),
        ({"score_signature": {"style": {"sha256": "0", "parts": {"backends": {"clip": {}}}}}}, "score_signature"),
    ],
)
def test_a_file_that_no_run_writes_is_refused_with_the_key(content: dict[str, Any], named: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=RUN_INFO_NAME) as caught:
        written(tmp_path, **content)
    assert named in caught.value.expected


def test_a_baseline_keeps_what_the_gate_reads_and_no_path_of_this_machine(tmp_path: Path) -> None:
    info = written(
        tmp_path, profile="x", config={}, manifest={"path": "/home/me/m.jsonl", "sha256": "0", "root": "/home/me"},
        score_signature={"style": {"sha256": "0", "parts": PARTS}}, versions={"numpy": "2"},
    )  # fmt: skip
    kept = info.of_a_baseline()
    kept.write(tmp_path)
    assert list(json.loads((tmp_path / RUN_INFO_NAME).read_text())) == ["profile", "score_signature", "versions"]
    assert kept.score_signature == info.score_signature


def test_signatures_differ_in_words_each_setting_once() -> None:
    before = {"cap": 0.5, "curves": {"a": {"trust": 1.0}}, "metrics": ["a"]}
    after = {"cap": 0.3, "curves": {"a": {"trust": 1.0}}, "metrics": ["a", "b"], "new": None}
    pair = [Signature.of(before)] * 2, [Signature.of(after)] * 2
    assert differences(*pair) == 'cap: 0.5 → 0.3; metrics: ["a"] → ["a", "b"]'
    assert differences(pair[0], pair[0]) == ""


def test_many_differences_are_counted_and_long_values_cut() -> None:
    names = [f"k{n}" for n in range(11)]
    before, after = Signature.of(dict.fromkeys(names, 0)), Signature.of(dict.fromkeys(names, "x" * 200))
    text = differences([before], [after])
    assert text.endswith("; and 3 more")
    assert all(len(line) < 100 for line in text.split("; "))


def test_a_signature_is_the_hash_of_its_parts() -> None:
    assert Signature.of({"a": 1, "b": 2}).sha256 == Signature.of({"b": 2, "a": 1}).sha256
    assert Signature.of({"a": 1}).sha256 != Signature.of({"a": 2}).sha256
