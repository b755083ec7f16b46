"""Memory is bounded by pixels: what is under way, what never fits, and where a batch ends."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.config import Config, DecodeLimits, load_config, validate_config
from edit_metrics.engine import budget as budgets
from edit_metrics.engine.budget import BYTES_A_NATIVE_PIXEL, BYTES_A_PIXEL, Budget, grid_cap
from edit_metrics.engine.decoding import decoded_batches
from edit_metrics.engine.inputs import open_item
from edit_metrics.engine.job import RunOptions, Silent
from edit_metrics.engine.run import run
from edit_metrics.io.manifest import Manifest, read_manifest
from edit_metrics.pixels.reducing import capped_size
from edit_metrics.scores.words import in_words


def made(folder: Path, sizes: Sequence[tuple[int, int]]) -> Manifest:
    """A manifest of noise pairs of these widths and heights."""
    noise = np.random.default_rng(0)
    rows = []
    for n, (width, height) in enumerate(sizes):
        for name in ("s", "e"):
            pixels = noise.integers(0, 256, (height, width, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{name}{n}.png")
        rows.append({"id": str(n), "source": f"s{n}.png", "edited": f"e{n}.png", "instruction": "x"})
    (folder / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return read_manifest(folder / "m.jsonl")


def within(config: Config, **engine: Any) -> Config:
    return validate_config(config.model_dump() | {"engine": config.engine.model_dump() | engine}, "test")


def test_an_item_above_the_budget_is_undefined_and_costs_nobody_else_a_value(
    stub_config: Config, tmp_path: Path
) -> None:
    manifest = made(tmp_path, [(64, 64), (640, 640), (64, 80)])
    config = within(stub_config, memory_bytes=400_000 * BYTES_A_PIXEL)
    info = run(manifest, config, RunOptions(out=tmp_path / "run"), Silent())
    assert info.counts is not None
    assert info.counts.scored == 3
    table = pd.read_parquet(tmp_path / "run" / "scores.parquet").set_index("id")
    large = table.loc["1"]
    for name in ("safety.nudity_max", "preservation.psnr", "preservation.lpips", "adherence.conse_i"):
        assert (large[f"{name}.status"], large[f"{name}.reason"]) == ("undefined", "too_large"), name
        assert np.isnan(large[name])
    # The file is in order and says what it is; only the pixels are too many for this machine.
    assert large["feasibility.score"] == 1
    assert large["source_sha256"]
    assert large["flags"] == ""
    assert table.loc[["0", "2"], ["safety.nudity_max", "adherence.conse_i"]].notna().all(axis=None)
    assert "engine.memory_bytes" in in_words("too_large")


def test_a_bomb_costs_its_row_without_a_pixel_decoded(
    stub_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edit_metrics.engine import inputs

    manifest = made(tmp_path, [(64, 64)])
    Image.new("1", (10_000, 9_999)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    lines = (tmp_path / "m.jsonl").read_text() + json.dumps(
        {"id": "bomb", "source": "bomb.png", "edited": "e0.png", "instruction": "x", "mask": "bomb.png"}
    )
    (tmp_path / "m.jsonl").write_text(lines)
    manifest = read_manifest(tmp_path / "m.jsonl")
    decode, decoded = inputs.decode_bytes, []

    def counted(data: bytes, limits: Any, *, where: str) -> Any:
        decoded.append(Path(where).name)
        return decode(data, limits, where=where)

    monkeypatch.setattr(inputs, "decode_bytes", counted)
    run(manifest, within(stub_config, memory_bytes=2**30), RunOptions(out=tmp_path / "run"), Silent())
    assert sorted(decoded) == ["e0.png", "s0.png"]
    table = pd.read_parquet(tmp_path / "run" / "scores.parquet").set_index("id")
    assert table.loc["bomb", "preservation.psnr.reason"] == "too_large"
    assert table.loc["0", "safety.nudity_max.status"] == "ok"


def test_what_is_under_way_stays_within_the_budget_and_values_do_not_depend_on_it(
    stub_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = made(tmp_path, [(100, 100)] * 9)
    cost = open_item(manifest.items[0], stub_config.decode).cost
    roomy = within(stub_config, batch_size=2, lanes=2)
    run(manifest, roomy, RunOptions(out=tmp_path / "roomy"), Silent())
    most = []
    take = Budget.take

    def watched(budget: Budget, amount: int, *, wait: bool) -> bool:
        taken = take(budget, amount, wait=wait)
        most.append(budget._taken)
        return taken

    monkeypatch.setattr(Budget, "take", watched)
    tight = within(roomy, memory_bytes=int(2.5 * cost))
    run(manifest, tight, RunOptions(out=tmp_path / "tight"), Silent())
    assert max(most) == 2 * cost
    tables = [pd.read_parquet(tmp_path / name / "scores.parquet") for name in ("roomy", "tight")]
    pd.testing.assert_frame_equal(*tables)


def test_batches_end_by_their_items_alone_and_room_comes_back(stub_config: Config, tmp_path: Path) -> None:
    manifest = made(tmp_path, [(100, 100), (100, 100), (200, 100), (20, 20), (20, 20), (20, 20), (20, 20), (20, 20)])
    costs = [open_item(item, stub_config.decode).cost for item in manifest.items]
    budget = Budget(costs[0] + costs[1] + 10_000)
    sizes = []
    with ThreadPoolExecutor(2) as pool:
        for batch in decoded_batches(
            manifest.items, within(stub_config, batch_size=4), pool, budget, {"wait_for_decode": 0}
        ):
            sizes.append(len(batch.items))
            # As a lane would, later and from another thread.
            threading.Timer(0.02, budget.give_back, [batch.cost]).start()
    assert sizes == [2, 1, 4, 1]


def test_the_default_is_half_of_the_machine_or_of_its_container(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    physical = budgets.default_bytes()
    limit = tmp_path / "memory.max"
    limit.write_text("1073741824\n")
    monkeypatch.setattr(budgets, "_CGROUP_LIMITS", (str(limit), str(tmp_path / "absent")))
    assert budgets.default_bytes() == 2**29 < physical
    limit.write_text("max\n")
    assert budgets.default_bytes() >= physical


def test_what_lies_over_the_caps_costs_what_is_held_natively_alone(tmp_path: Path) -> None:
    manifest = made(tmp_path, [(300, 200), (400, 200)])
    small, large = ((open_item(one, DecodeLimits()), open_item(one, DecodeLimits(), 300)) for one in manifest.items)
    assert small[0].cost == small[1].cost
    files = large[0].cost - 2 * BYTES_A_PIXEL * 400 * 200
    under = capped_size(400, 200, 300)[0] * capped_size(400, 200, 300)[1]
    assert under < 400 * 200
    assert large[1].cost == 2 * BYTES_A_PIXEL * under + BYTES_A_NATIVE_PIXEL * (400 * 200 - under) + files


def test_a_cap_counts_where_everything_costly_has_one() -> None:
    both = load_config("embedded")
    assert grid_cap(both) == 1024
    assert grid_cap(load_config("embedded", overrides=["features.perceptual_grid.max_side=null"])) is None


def test_no_large_picture_is_decoded_while_another_one_waits(stub_config: Config, tmp_path: Path) -> None:
    manifest = made(tmp_path, [(200, 100)] * 5)
    config = within(stub_config, batch_pixels=20_000)
    held: list[Any] = []
    with ThreadPoolExecutor(2) as pool:
        budget = Budget(10**9)
        for batch in decoded_batches(manifest.items, config, pool, budget, {"wait_for_decode": 0.0}):
            assert batch.large
            assert budget._taken == batch.cost  # of this one alone: the next is not begun
            budget.give_back(batch.cost)
            held.append(batch)
    assert len(held) == 5
