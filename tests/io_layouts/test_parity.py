"""Pairs of two runs' edited pictures."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import ManifestError, UserError
from edit_metrics.io.layouts.parity import read_parity
from edit_metrics.io.manifest import read_manifest


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """A run folder whose run.json names its root, and a manifest beside its pictures; one item is not in both."""
    (tmp_path / "pictures").mkdir()
    for name in ("s0", "s1", "a0", "a1", "a2", "b0", "b1", "b3"):
        Image.new("RGB", (8, 8), (len(name), 40, 90)).save(tmp_path / "pictures" / f"{name}.png")

    def rows(engine: str, ids: tuple[int, ...]) -> list[dict[str, str]]:
        return [
            {
                "id": f"item{i}",
                "source": f"pictures/s{i // 2}.png",
                "edited": f"pictures/{engine}{i}.png",
                "instruction": f"make it red {i}",
            }
            for i in ids
        ]

    run = tmp_path / "run"
    run.mkdir()
    pd.DataFrame(rows("a", (0, 1, 2))).assign(group=["g0", "g0", "g1"]).to_parquet(run / "scores.parquet")
    (run / "run.json").write_text(json.dumps({"manifest": {"path": "m", "sha256": "", "root": str(tmp_path)}}))
    manifest = tmp_path / "int8.jsonl"
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows("b", (1, 0, 3))))
    return run, manifest


def test_edited_pictures_pair_by_id_and_keep_the_group_of_their_source(sides, tmp_path) -> None:
    found = read_parity(sides[0], candidate=sides[1], files=tmp_path / "files")
    assert [(row.id, row.source.name, row.edited.name, row.group) for row in found.rows] == [
        ("item0", "a0.png", "b0.png", "g0"),
        ("item1", "a1.png", "b1.png", "g0"),
    ]
    assert {row.instruction for row in found.rows} == {"Change nothing"}
    assert found.rows[1].metadata == {"edit_instruction": "make it red 1"}
    assert [(problem.id, problem.action) for problem in found.problems] == [("item2", "skipped"), ("item3", "skipped")]


def test_without_groups_the_edits_own_source_is_the_group(sides, tmp_path) -> None:
    other = tmp_path / "again.jsonl"
    shutil.copy(sides[1], other)
    groups = {row.id: row.group for row in read_parity(sides[1], candidate=other, files=tmp_path / "files").rows}
    assert groups == {"item0": "pictures/s0.png", "item1": "pictures/s0.png", "item3": "pictures/s1.png"}


def test_the_command_writes_a_manifest_that_can_be_scored(sides, tmp_path) -> None:
    out = tmp_path / "parity.jsonl"
    result = CliRunner().invoke(app, ["manifest", "parity", *map(str, sides), "--out", str(out)])
    assert result.exit_code == 0
    manifest = read_manifest(out)
    assert [Path(item.edited).name for item in manifest.items] == ["b0.png", "b1.png"]
    assert manifest.rejections == ()


def test_the_mask_says_that_nothing_may_change(sides, tmp_path) -> None:
    Image.new("RGB", (12, 9)).save(tmp_path / "pictures/a1.png")
    found = read_parity(sides[0], candidate=sides[1], files=tmp_path / "files")
    masks = [row.mask for row in found.rows]
    sizes = []
    for mask in masks:
        with Image.open(mask) as opened:
            sizes.append(opened.size)
            assert opened.getextrema() == (0, 0)
    assert sizes == [(8, 8), (12, 9)]
    assert masks[0].parent == tmp_path / "files/masks"
    (tmp_path / "pictures/a0.png").write_bytes(b"no picture")
    assert read_parity(sides[0], candidate=sides[1], files=tmp_path / "files").rows[0].mask is None


def test_one_run_or_two_without_a_common_id_are_refused(sides, tmp_path) -> None:
    with pytest.raises(UserError, match="BASELINE CANDIDATE"):
        read_parity(sides[0], files=tmp_path)
    other = tmp_path / "other.jsonl"
    other.write_text(sides[1].read_text().replace('"item', '"thing'))
    with pytest.raises(ManifestError, match="ids that both have"):
        read_parity(sides[0], candidate=other, files=tmp_path)


def test_a_second_path_is_for_parity_alone(sides, tmp_path) -> None:
    out = ["--out", str(tmp_path / "m.jsonl")]
    for command in (["folders", str(tmp_path), str(tmp_path)], ["parity", "a", "b", "c"]):
        result = CliRunner().invoke(app, ["manifest", *command, *out])
        assert isinstance(result.exception, UserError)
