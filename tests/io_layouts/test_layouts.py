"""Each benchmark layout, built small, becomes a manifest that `score` accepts without a rejection."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest_layouts import png, put
from PIL import Image
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import ConfigError, ManifestError, UserError
from edit_metrics.io.images import decode_image
from edit_metrics.io.layouts.pie_bench import decode_run_lengths
from edit_metrics.io.manifest import read_manifest
from edit_metrics.io.masks import decode_mask


def _convert(*arguments: object):
    return CliRunner().invoke(app, ["manifest", *(str(argument) for argument in arguments)])


def _read(out: Path, allow_outside: bool = False):
    """Through the reader that `score` uses: no row may be rejected."""
    manifest = read_manifest(out, allow_outside_root=allow_outside)
    assert manifest.rejections == ()
    return {item.id: item for item in manifest.items}


def _problems(out: Path) -> list[dict[str, str]]:
    file = out.with_name(out.name + ".problems.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def test_plain_folders(folders) -> None:
    out = folders / "m.jsonl"
    result = _convert("folders", folders, "--out", out, "--model", "m1")
    assert result.exit_code == 0
    items = _read(out)
    assert list(items) == ["a", "b", "c"]
    assert (items["a"].instruction, items["a"].edit_type, items["a"].model) == ("make it red", "recolour", "m1")
    assert items["a"].mask is not None
    assert items["b"].mask is None
    assert items["a"].metadata["difficulty"] == "3"
    assert json.loads(out.read_text().splitlines()[0])["source"] == "source/a.png"
    assert _problems(out) == []


def test_plain_folders_of_two_models_say_which(folders) -> None:
    for model in ("m1", "m2"):
        for name in ("a", "b", "c"):
            put(folders / "outputs" / model / f"{name}.png", png(7))
    out = folders / "m.jsonl"
    _convert("folders", folders, "--out", out, "--edited", folders / "outputs")
    items = _read(out)
    assert len(items) == 6
    assert items["m2/b"].model == "m2"


def test_plain_folders_report_everything_missing_or_ambiguous(folders) -> None:
    (folders / "edited" / "b.png").unlink()
    put(folders / "edited" / "a.webp", b"x")
    put(folders / "source" / "extra.png", png(1))
    out = folders / "m.jsonl"
    result = _convert("folders", folders, "--out", out)
    assert list(_read(out)) == ["b", "c"]
    told = {(problem["id"], problem["action"].split(":")[0]) for problem in _problems(out)}
    assert told == {("a", "skipped"), ("b", "row kept"), ("extra", "skipped")}
    assert "several pictures: a.png, a.webp" in result.stderr
    assert "3 problems" in result.stderr


def test_a_dot_in_a_name_is_no_suffix(folders) -> None:
    (folders / "source" / "c.png").rename(folders / "source" / "c.v1.png")
    (folders / "edited" / "c.png").rename(folders / "edited" / "c.v1.png")
    table = folders / "tasks.csv"
    table.write_text(table.read_text().replace("\nc,", "\nc.v1,"))
    _convert("folders", folders, "--out", folders / "m.jsonl")
    assert "c.v1" in _read(folders / "m.jsonl")
    assert _problems(folders / "m.jsonl") == []


@pytest.mark.parametrize("name", ["../a", "x/a", "", "a"])
def test_an_id_that_is_no_file_name_or_is_there_twice_is_refused(folders, name) -> None:
    table = folders / "tasks.csv"
    table.write_text(table.read_text() + f"{name},again,,\n")
    assert isinstance(_convert("folders", folders, "--out", folders / "m.jsonl").exception, ManifestError)


def test_problems_of_an_earlier_run_do_not_linger(folders) -> None:
    out = folders / "m.jsonl"
    stray = put(folders / "source" / "extra.png", png(1))
    _convert("folders", folders, "--out", out)
    assert _problems(out)
    stray.unlink()
    _convert("folders", folders, "--out", out)
    assert _problems(out) == []


def test_a_manifest_elsewhere_says_that_scoring_needs_a_flag(folders, tmp_path) -> None:
    out = tmp_path / "elsewhere" / "m.jsonl"
    result = _convert("folders", folders, "--out", out)
    assert "--allow-outside-root" in result.stderr
    assert len(_read(out, allow_outside=True)) == 3


def test_pie_bench(pie) -> None:
    out = pie / "m.jsonl"
    assert _convert("pie-bench", pie, "--out", out).exit_code == 0
    items = _read(out)
    assert list(items) == [f"{m}/00000000000{i}" for i in (0, 1) for m in ("flat", "p2p")]
    item = items["p2p/000000000001"]
    assert (item.source_caption, item.target_caption) == ("a round cake", "a square cake")
    assert (item.edit_type, item.model, item.group) == ("recolour", "p2p", "000000000001")
    assert items["p2p/000000000000"].edit_type is None
    mask = decode_mask(item.mask).mask
    expected = np.zeros(512 * 512, dtype=bool)
    expected[3172:3222] = True
    expected[51200:51712] = True
    expected = expected.reshape(512, 512)
    expected[0] = expected[-1] = expected[:, 0] = expected[:, -1] = True
    assert np.array_equal(mask, expected)


def test_one_method_keeps_the_benchmarks_own_names(pie) -> None:
    import shutil

    shutil.rmtree(pie / "output" / "flat")
    out = pie / "m.jsonl"
    _convert("pie-bench", pie, "--out", out)
    assert list(_read(out)) == ["000000000000", "000000000001"]


def test_a_strip_of_panels_is_cut_to_its_last(pie) -> None:
    strip = Image.new("RGB", (2048, 512), (0, 0, 255))
    strip.paste((255, 0, 0), (1536, 0, 2048, 512))
    file = pie / "output" / "p2p" / "annotation_images" / "6_type" / "1.jpg"
    strip.save(file, format="PNG")
    out = pie / "m.jsonl"
    result = _convert("pie-bench", pie, "--out", out)
    pixels = decode_image(_read(out)["p2p/000000000001"].edited).pixels
    assert pixels.shape == (512, 512, 3)
    assert (pixels == (255, 0, 0)).all()
    assert "strip of panels" in result.stderr


def test_pie_bench_says_what_is_missing(pie) -> None:
    entries = json.loads((pie / "mapping_file.json").read_text())
    entries["000000000000"]["mask"] = [1, 2, 3]
    entries["outside"] = entries["000000000001"] | {"image_path": "../../secret.jpg"}
    entries["around"] = entries["000000000001"] | {"image_path": "../annotation_images/0_type/0.jpg"}
    entries["bare"] = {"image_path": "0_type/0.jpg"}
    put(pie / "mapping_file.json", json.dumps(entries))
    (pie / "output" / "flat" / "6_type" / "1.jpg").unlink()
    out = pie / "m.jsonl"
    _convert("pie-bench", pie, "--out", out)
    items = _read(out)
    assert items["p2p/000000000000"].mask is None
    told = {(problem["id"], problem["what"].split(":")[0]) for problem in _problems(out)}
    assert told == {
        ("000000000000", "mask"),
        ("outside", "an entry that cannot be read"),
        ("around", "an entry that cannot be read"),
        ("bare", "an entry that cannot be read"),
        ("flat/000000000001", "no edited picture"),
    }


def test_run_lengths_as_text_and_a_last_run_that_is_too_long() -> None:
    assert decode_run_lengths([0, 3, 262140, 9])[-1, -4:].all()
    with pytest.raises(ValueError, match="inside 512"):
        decode_run_lengths([262145, 1])


def test_magicbrush(magicbrush) -> None:
    out = magicbrush / "m.jsonl"
    assert _convert("magicbrush", magicbrush, "--out", out, "--edited", magicbrush / "results").exit_code == 0
    items = _read(out)
    assert list(items) == ["30_1", "30_inde_2", "30_iter_2"]
    first, single, chained = items.values()
    assert first.source.endswith("30-input.png")
    assert single.source.endswith("30-output1.png")
    assert chained.source.endswith("results/30/30_1.png")
    assert (single.source_caption, single.target_caption) == ("a cat", "a cat and a dog")
    assert chained.source_caption is None
    assert [item.mask_white_means for item in items.values()] == ["preserved", "edited", "edited"]
    assert {item.group for item in items.values()} == {"30"}
    assert (first.model, first.metadata["setting"], chained.metadata["turn"]) == ("results", "single", 2)
    one, two = (decode_mask(item.mask, white_means=item.mask_white_means).mask for item in (first, single))
    assert np.array_equal(one, two)
    assert one[20, 20]
    assert not one[0, 0]


def test_magicbrushs_own_pictures_can_be_scored_as_a_check(magicbrush) -> None:
    out = magicbrush / "m.jsonl"
    _convert("magicbrush", magicbrush, "--out", out)
    items = _read(out)
    assert list(items) == ["30_1", "30_2"]
    assert items["30_2"].edited.endswith("30-output2.png")


def test_magicbrush_says_what_is_missing(magicbrush) -> None:
    (magicbrush / "results" / "30" / "30_inde_2.png").unlink()
    (magicbrush / "results" / "30" / "30_iter_2.png").rename(magicbrush / "results" / "30" / "30_iter_9.png")
    put(magicbrush / "results" / "30" / "notes.png", png(1))
    put(magicbrush / "images" / "30" / "30-mask1.png", png(5))
    (magicbrush / "results" / "77").mkdir()
    out = magicbrush / "m.jsonl"
    _convert("magicbrush", magicbrush, "--out", out, "--edited", magicbrush / "results")
    _read(out)
    whats = "\n".join(f"{problem['id']}: {problem['what']}" for problem in _problems(out))
    for expected in (
        "30_1: a mask file that is a photograph",
        "30_inde_2: no edited picture",
        "30_iter_2: no edited picture",
        "30: a turn that the session has not",
        "30: a name that is none of",
        "None: no session of that name",
    ):
        assert expected in whats


def test_hf_parquet_writes_each_picture_once_by_its_hash(parquet) -> None:
    out = parquet / "m.jsonl"
    assert _convert("hf-parquet", parquet, "--out", out, "--model", "gold").exit_code == 0
    items = list(_read(out).values())
    assert items[0].source == items[1].source
    name = hashlib.sha256(png(0)).hexdigest()[:32]
    assert Path(items[0].source).name == f"{name}.png"
    assert len(list((parquet / "m_files" / "pictures").iterdir())) == 4
    assert [item.instruction for item in items] == ["turn 1", "turn 2"]
    assert (items[0].group, items[0].model, items[0].mask_white_means) == ("7", "gold", "preserved")
    assert items[1].metadata["turn_index"] == 2


def test_hf_parquet_reports_empty_cells(parquet) -> None:
    rows = pq.read_table(parquet / "dev-0.parquet").to_pylist()
    rows[0]["target_img"] = None
    rows[1]["mask_img"] = {"bytes": b"not a picture", "path": None}
    pq.write_table(pa.Table.from_pylist(rows), parquet / "dev-0.parquet")
    out = parquet / "m.jsonl"
    _convert("hf-parquet", parquet, "--out", out)
    lost, kept = _read(out).values()  # an edit that was never made is an infeasible row, and no row less
    assert not Path(lost.edited).exists()
    assert Path(kept.edited).exists()
    told = [(problem["where"], problem["action"]) for problem in _problems(out)]
    assert told == [
        ("dev-0.parquet: row 0", "row kept: it will be scored as infeasible"),
        ("dev-0.parquet: row 1", "row kept: without a mask"),
    ]


def test_paths_in_parquet_stay_inside_its_folder(parquet) -> None:
    rows = pq.read_table(parquet / "dev-0.parquet").to_pylist()
    put(parquet / "near.png", png(4))
    rows[0]["target_img"] = {"bytes": None, "path": "near.png"}
    rows[1]["target_img"] = {"bytes": None, "path": "../../etc/passwd"}
    rows = [row | {"boxes": [1, 2]} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows), parquet / "dev-0.parquet")
    out = parquet / "m.jsonl"
    _convert("hf-parquet", parquet, "--out", out)
    item, lost = _read(out).values()
    assert item.edited.endswith("near.png")
    assert not Path(lost.edited).exists()
    assert "passwd" not in lost.edited
    whats = [problem["what"] for problem in _problems(out)]
    assert whats[0] == "neither text nor number"
    assert "leaves the folder" in whats[1]


def test_columns_with_odd_names_are_named_by_the_user(parquet) -> None:
    table = pq.read_table(parquet / "dev-0.parquet").rename_columns(["img_id", "t", "before", "m", "say", "after"])
    pq.write_table(table, parquet / "dev-0.parquet")
    out = parquet / "m.jsonl"
    result = _convert("hf-parquet", parquet, "--out", out)
    assert isinstance(result.exception, ConfigError)
    assert "--column source=COLUMN" in str(result.exception)
    names = {"source": "before", "edited": "after", "mask": "m", "instruction": "say"}
    options = [part for field, name in names.items() for part in ("--column", f"{field}={name}")]
    assert _convert("hf-parquet", parquet, "--out", out, *options).exit_code == 0
    assert len(_read(out)) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("folder",), UserError, "'folders'"),
        (("folders",), ManifestError, "source pictures"),
        (("pie-bench",), ManifestError, "mapping_file"),
        (("magicbrush",), ManifestError, "one folder a picture"),
        (("hf-parquet",), ManifestError, "Parquet"),
        (("pie-bench", "--model", "x"), UserError, "--model"),
        (("folders", "--mask-white-means", "up"), UserError, "edited or preserved"),
        (("hf-parquet", "--column", "x"), ConfigError, "FIELD=COLUMN"),
    ],
)
def test_a_wrong_call_is_the_users_error(tmp_path, arguments, error, message) -> None:
    layout, *options = arguments
    result = _convert(layout, tmp_path, "--out", tmp_path / "m.jsonl", *options)
    assert isinstance(result.exception, error)
    assert message in str(result.exception)


def test_the_manifest_is_jsonl(tmp_path) -> None:
    assert isinstance(_convert("folders", tmp_path, "--out", tmp_path / "m.csv").exception, UserError)
