"""The layouts of published benchmarks, each built small in its true form, rows counted."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest_layouts import mask_png, png, put
from typer.testing import CliRunner

from edit_metrics import score
from edit_metrics.cli import app
from edit_metrics.config import validate_config
from edit_metrics.errors import ConfigError, ManifestError, UserError
from edit_metrics.io.hf_labels import class_names
from edit_metrics.io.manifest import read_manifest
from edit_metrics.types import EditItem


def convert(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["manifest", *(str(argument) for argument in arguments)])


def rows(out: Path, rejected: int = 0) -> dict[str, EditItem]:
    manifest = read_manifest(out)
    assert len(manifest.rejections) == rejected
    return {item.id: item for item in manifest.items}


def told(out: Path) -> list[dict[str, str]]:
    file = out.with_name(out.name + ".problems.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def cell(seed: int) -> dict[str, Any]:
    return {"bytes": png(seed), "path": None}


def parquet(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records), path)
    return path


# GEdit-Bench


def gedit_records() -> list[dict[str, Any]]:
    return [
        {
            "task_type": task, "key": key, "instruction": text, "instruction_language": language,
            "input_image": cell(1), "input_image_raw": cell(2), "Intersection_exist": language == "en",
        }
        for task, key, text, language in [
            ("subject-add", "k1", "add a bird", "en"), ("subject-add", "k2", "加一只鸟", "cn"),
            ("tone_transfer", "k3", "make it dusk", "en"),
        ]
    ]  # fmt: skip


def test_gedit(tmp_path: Path) -> None:
    parquet(tmp_path / "data" / "train-00000-of-00001.parquet", gedit_records())
    for model in ("a", "b"):
        put(tmp_path / "out" / model / "fullset" / "subject-add" / "en" / "k1.png", png(3))
        put(tmp_path / "out" / model / "fullset" / "subject-add" / "en" / "k1_SRCIMG.png", png(2))
        put(tmp_path / "out" / model / "fullset" / "subject-add" / "cn" / "k2.jpg", png(4))
    out = tmp_path / "m.jsonl"
    assert convert("gedit", tmp_path / "data", "--edited", tmp_path / "out", "--out", out).exit_code == 0
    items = rows(out)
    assert list(items) == [f"{model}/{key}" for key in ("k1", "k2", "k3") for model in ("a", "b")]
    assert Path(items["a/k1"].source).read_bytes() == png(2)
    assert items["a/k2"].edited.endswith("a/fullset/subject-add/cn/k2.jpg")
    assert (items["a/k1"].edit_type, items["b/k2"].metadata["instruction_language"]) == ("subject-add", "cn")
    assert {problem["id"] for problem in told(out)} == {"a/k3", "b/k3"}  # never made: rows all the same
    assert convert("gedit", tmp_path / "data", "--edited", tmp_path / "out" / "a", "--out", out).exit_code == 0
    assert list(rows(out)) == ["k1", "k2", "k3"]
    assert isinstance(convert("gedit", tmp_path / "data", "--out", out).exception, UserError)
    parquet(tmp_path / "other.parquet", [{"key": "k"}])
    wrong = convert("gedit", tmp_path / "other.parquet", "--edited", tmp_path / "out", "--out", out)
    assert isinstance(wrong.exception, ManifestError)


# ImgEdit


def test_imgedit_basic(tmp_path: Path) -> None:
    tasks = {
        "1082": {"id": "animal/000342021.jpg", "prompt": "Make the shell smooth.", "edit_type": "adjust"},
        "673": {"id": "style/000278574.jpg", "prompt": "Make it a woodcut.", "edit_type": "style"},
        "9": {"id": "../secret.jpg", "prompt": "x", "edit_type": "style"},
        "10": {"id": "style/000278574.jpg", "prompt": ["one", "two"], "edit_type": "style"},
    }
    put(tmp_path / "basic_edit.json", json.dumps(tasks))
    put(tmp_path / "prompts.json", "{}")
    for task in list(tasks.values())[:2]:
        put(tmp_path / task["id"], png(1))
    for name in ("1082", "673"):
        put(tmp_path / "edits" / f"{name}.png", png(2))
    out = tmp_path / "m.jsonl"
    assert convert("imgedit", tmp_path, "--edited", tmp_path / "edits", "--model", "m", "--out", out).exit_code == 0
    items = rows(out)
    assert list(items) == ["1082", "673"]
    assert (items["673"].edit_type, items["673"].model, items["673"].instruction) == (
        "style",
        "m",
        "Make it a woodcut.",
    )
    assert [(problem["id"], problem["action"]) for problem in told(out)] == [("9", "skipped"), ("10", "skipped")]
    assert "a list of 2 where one text is expected" in told(out)[1]["what"]


@pytest.mark.parametrize("pattern", ["{key}_turn{turn}.png", "{key}/turn{turn}.png"])
def test_imgedit_turns_start_from_the_models_own_picture(tmp_path: Path, pattern: str) -> None:
    tasks = {"1": {"id": "p.jpg", "turn1": "only green", "turn2": "fruit for the tomato", "turn3": "another plate"}}
    put(tmp_path / "content_memory.json", json.dumps(tasks))
    put(tmp_path / "original_images" / "p.jpg", png(1))
    for turn in (1, 2):
        put(tmp_path / "edits" / "m" / pattern.format(key="1", turn=turn), png(turn))
    out = tmp_path / "m.jsonl"
    file = tmp_path / "content_memory.json"
    assert convert("imgedit", file, "--edited", tmp_path / "edits", "--out", out).exit_code == 0
    items = list(rows(out).values())
    assert [item.id for item in items] == ["1_turn1", "1_turn2", "1_turn3"]
    assert [item.metadata["turn"] for item in items] == [1, 2, 3]
    assert items[0].source.endswith("original_images/p.jpg")
    assert [item.source for item in items[1:]] == [item.edited for item in items[:-1]]
    assert {item.group for item in items} == {"1"}
    assert [problem["id"] for problem in told(out)] == ["1_turn3"]


# KRIS-Bench


def test_kris(tmp_path: Path) -> None:
    base = tmp_path / "KRIS_Bench"
    colour = {"1": {"ori_img": "1.jpg", "ins_en": "Make it red.", "explain_en": ""}}
    several = {
        "2": {"ori_img": ["2-1.jpg", "2-2.jpg", "2-3.jpg"], "gt_img": "", "ins_en": "Dress her so.", "explain_en": ""},
        "3": {"ori_img": ["3-1.jpg"], "ins_en": ["a", "b"]},
        "4": {"ins_en": "no picture"},
    }
    view = {"5": {"ori_img": "5.jpg", "gt_img": "5_gt.jpg", "ins_en": "From above.", "explain_en": "its top"}}
    for category, entries in [
        ("color_change", colour), ("multi-element_composition", several), ("viewpoint_change", view)
    ]:  # fmt: skip
        put(base / category / "annotation.json", json.dumps(entries))
    for name in ("color_change/1", "multi-element_composition/2-1", "multi-element_composition/2-2",
                 "multi-element_composition/2-3", "viewpoint_change/5"):  # fmt: skip
        put(base / f"{name}.jpg", png(1))
    put(tmp_path / "results" / "gpt" / "color_change" / "1.jpg", png(2))
    put(tmp_path / "results" / "gpt" / "multi-element_composition" / "2.jpg", png(3))
    put(tmp_path / "results" / "doubao" / "color_change" / "1.png", png(4))
    out = tmp_path / "m.jsonl"
    assert convert("kris", tmp_path, "--out", out).exit_code == 0
    items = rows(out)
    assert len(items) == 6  # three tasks, two models
    dressed = items["gpt/multi-element_composition/2"]
    assert dressed.source.endswith("2-1.jpg")
    assert [Path(one).name for one in dressed.references] == ["2-2.jpg", "2-3.jpg"]
    assert items["doubao/color_change/1"].edited.endswith("1.png")
    assert items["gpt/color_change/1"].edit_type == "color_change"
    assert items["gpt/viewpoint_change/5"].metadata == {"explain": "its top", "gt_img": "5_gt.jpg"}
    skipped = [problem["id"] for problem in told(out) if problem["action"] == "skipped"]
    assert skipped == ["multi-element_composition/3", "multi-element_composition/4"]
    assert len(told(out)) == 2 + 3  # and three edits that were never made


# RISEBench


def test_rise(tmp_path: Path) -> None:
    tasks = [
        {"index": "temporal_reasoning_1", "category": "temporal_reasoning", "instruction": "A year later.",
         "image": "temporal_reasoning_images/1.png", "reference": "a rotten banana", "subtask": "Life Progression"},
        {"index": "causal_reasoning_6", "category": "causal_reasoning", "instruction": "Put it on the scale.",
         "image": ["causal_reasoning_images/6_1.png", "causal_reasoning_images/6_2.png"], "multi_img": "True",
         "reference_img": "causal_reasoning_images/6_ref.png"},
        {"index": "causal_reasoning_7", "category": "causal_reasoning", "instruction": "x", "image": "../../x.png"},
        {"index": "causal_reasoning_8", "category": "causal_reasoning", "instruction": ["a", "b"], "image": "x.png"},
    ]  # fmt: skip
    put(tmp_path / "data" / "data_total.json", json.dumps(tasks))
    for name in ("temporal_reasoning_images/1", "causal_reasoning_images/6_1", "causal_reasoning_images/6_2"):
        put(tmp_path / "data" / f"{name}.png", png(1))
    put(tmp_path / "outputs" / "m" / "images" / "temporal_reasoning" / "temporal_reasoning_1.jpeg", png(2))
    out = tmp_path / "m.jsonl"
    assert convert("rise", tmp_path / "data", "--edited", tmp_path / "outputs", "--out", out).exit_code == 0
    items = rows(out)
    assert list(items) == ["temporal_reasoning_1", "causal_reasoning_6"]
    first, second = items.values()
    assert first.edited.endswith("temporal_reasoning_1.jpeg")
    assert (first.model, first.edit_type, first.metadata["reference"]) == ("m", "temporal_reasoning", "a rotten banana")
    assert [Path(one).name for one in second.references] == ["6_2.png"]
    assert second.metadata["reference_img"] == "causal_reasoning_images/6_ref.png"
    assert [problem["action"] for problem in told(out)] == [
        "skipped",
        "skipped",
        "row kept: it will be scored as infeasible",
    ]


# EditReward-Bench


def test_editreward(tmp_path: Path) -> None:
    def pair(kind: str, ranking: str, one: int, two: int, **cells: Any) -> dict[str, Any]:
        return {
            "id": f"g7_{kind}", "dataset": "3pair", "comparison_type": kind, "instruction": "add a bird",
            "source_image": cell(1), "candidate_1": cell(one), "candidate_2": cell(two), "ranking": ranking,
            "model_1": "x", "model_2": "y", "score_1": 3.5, "score_2": 1.0, **cells,
        }  # fmt: skip

    records = [pair("AvsB", "A>B", 2, 3), pair("AvsC", "C>A", 2, 4), pair("BvsC", "C>B", 3, 4)]
    records += [pair("AvsB", "A=B", 5, 6, id="g8", dataset="2pair", candidate_2=None)]
    parquet(tmp_path / "data" / "bench.parquet", records)
    out = tmp_path / "m.jsonl"
    assert convert("editreward", tmp_path / "data", "--out", out).exit_code == 0
    items = rows(out)
    assert list(items) == ["g7/A", "g7/B", "g7/C", "g8/A", "g8/B"]
    assert items["g7/A"].metadata == {"subset": "3pair", "human_score": 3.5, "pairs": "A>B;C>A"}
    assert Path(items["g7/C"].edited).read_bytes() == png(4)
    assert (items["g7/B"].group, items["g7/B"].model) == ("g7", "y")
    assert not Path(items["g8/B"].edited).exists()
    assert [(problem["id"], problem["action"]) for problem in told(out)] == [
        ("g8/B", "row kept: it will be scored as infeasible")
    ]


# Data sets in Parquet and in Arrow

ULTRAEDIT = {
    "clip_sim_source": 0.3, "clip_sim_target": 0.3, "source_caption": "a dog", "target_caption": "a cat", "idx": 4,
    "edit_prompt": "make it a cat", "edit_object": None, "source_image": cell(1), "edited_image": cell(2),
    "mask_image": None,
}  # fmt: skip
HUMANEDIT = {
    "IMAGE_ID": "BEwr", "EDITING_TYPE": "Action", "CORE": 0, "MASK": 1, "EDITING_INSTRUCTION": "Wave.",
    "OUTPUT_DESCRIPTION": "he waves", "INPUT_CAPTION_BY_LLAMA": "a man", "OUTPUT_CAPTION_BY_LLAMA": "a man waves",
    "INPUT_IMG": cell(1), "MASK_IMG": {"bytes": mask_png(alpha=True), "path": None}, "OUTPUT_IMG": cell(2),
}  # fmt: skip
EMU_EDIT = {
    "idx": 3, "instruction": "Add a hat", "input_caption": "a man", "output_caption": "a man with a hat", "task": "add",
    "split": "test", "image": cell(1), "edited_image": cell(2),
}  # fmt: skip
PIX2PIX = {
    "original_prompt": "a castle", "original_image": cell(1), "edit_prompt": "at night",
    "edited_prompt": "a castle at night", "edited_image": cell(2),
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "wanted"),
    [
        (ULTRAEDIT, ("4", "make it a cat", "a dog", "a cat", None, None)),
        (HUMANEDIT, ("000000", "Wave.", "a man", "a man waves", "Action", "preserved")),
        (EMU_EDIT, ("3", "Add a hat", "a man", "a man with a hat", "add", None)),
        (PIX2PIX, ("000000", "at night", "a castle", "a castle at night", None, None)),
    ],
    ids=["UltraEdit", "HumanEdit", "Emu Edit", "InstructPix2Pix"],
)
@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_columns_of_published_data_sets_are_read_as_they_are(
    tmp_path: Path, record: dict[str, Any], wanted: tuple[Any, ...], kind: str
) -> None:
    folder = tmp_path / "set"
    table = pa.Table.from_pylist([record, record | {"idx": 99} if "idx" in record else record])
    write_set(folder, table, kind)
    out = tmp_path / "m.jsonl"
    assert convert(f"hf-{kind}", folder, "--out", out).exit_code == 0
    items = rows(out)
    assert len(items) == 2
    item = next(iter(items.values()))
    found = (item.id, item.instruction, item.source_caption, item.target_caption, item.edit_type)
    assert (*found, item.mask_white_means if item.mask else None) == wanted
    assert Path(item.source).read_bytes() == png(1)
    assert Path(item.edited).read_bytes() == png(2)
    assert [problem for problem in told(out) if "skipped" in problem["action"]] == []


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_class_label_is_its_name(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "set"
    records = [PIX2PIX | {"edit_type": number, "count": number} for number in (1, 0, -1, 7)]
    features = {
        "edit_type": {"names": ["add", "remove"], "_type": "ClassLabel"},
        "count": {"dtype": "int64", "_type": "Value"},
    }
    told_of = {"huggingface": json.dumps({"info": {"features": features}})}
    table = pa.Table.from_pylist(records).replace_schema_metadata(told_of)
    write_set(folder, table, kind)
    out = tmp_path / "m.jsonl"
    assert convert(f"hf-{kind}", folder, "--out", out).exit_code == 0
    items = list(rows(out).values())
    assert [item.edit_type for item in items] == ["remove", "add", None, "7"]
    assert [item.metadata["count"] for item in items] == [1, 0, -1, 7]


@pytest.mark.parametrize("told_of", [b"{", b"[]", b"null", b'{"info": {"features": 3}}', b"[" * 5000, b"\xff"])
def test_notes_of_a_library_that_cannot_be_read_name_nothing(told_of: bytes) -> None:
    assert class_names(pa.schema([("a", pa.int64())], metadata={b"huggingface": told_of})) == {}


def write_set(folder: Path, table: pa.Table, kind: str) -> None:
    if kind == "parquet":
        folder.mkdir()
        pq.write_table(table, folder / "train-0.parquet")
    else:
        arrow(folder / "train" / "data-00000-of-00001.arrow", table)


def arrow(path: Path, table: pa.Table) -> None:
    """As ``datasets`` writes it: an Arrow stream in small batches, with the library's notes beside it."""
    path.parent.mkdir(parents=True)
    with path.open("wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table, max_chunksize=1)
    put(path.parent / "state.json", json.dumps({"_data_files": [{"filename": path.name}], "_split": "train"}))
    put(path.parent / "dataset_info.json", "{}")
    put(path.parent.parent / "dataset_dict.json", json.dumps({"splits": ["train"]}))


def test_a_broken_or_absent_arrow_file_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    assert isinstance(convert("hf-arrow", tmp_path / "set", "--out", tmp_path / "m.jsonl").exception, ManifestError)
    file = put(tmp_path / "set" / "data.arrow", b"no arrow at all")
    assert isinstance(convert("hf-arrow", file, "--out", tmp_path / "m.jsonl").exception, ManifestError)


def test_a_list_of_instructions_is_a_problem_and_no_text_of_python(tmp_path: Path) -> None:
    one = {"image": cell(1), "edited_image": cell(2), "turn": 1}
    records = [one | {"instruction": ["make it red"]}, one | {"instruction": ["make it red", "then blue"], "turn": 2}]
    file = parquet(tmp_path / "set.parquet", records)
    out = tmp_path / "m.jsonl"
    assert convert("hf-parquet", file, "--out", out).exit_code == 0
    (item,) = rows(out, rejected=1).values()
    assert (item.instruction, item.metadata["turn"]) == ("make it red", 1)
    assert "a list of 2 where one text is expected" in told(out)[0]["what"]
    assert "[" not in out.read_text().splitlines()[1]


def test_several_references_in_a_cell(tmp_path: Path) -> None:
    record = {"image": cell(1), "edited_image": cell(2), "instruction": "dress her", "references": [cell(3), cell(4)]}
    file = parquet(tmp_path / "set.parquet", [record])
    assert convert("hf-parquet", file, "--out", tmp_path / "m.jsonl").exit_code == 0
    (item,) = rows(tmp_path / "m.jsonl").values()
    assert [Path(one).read_bytes() for one in item.references] == [png(3), png(4)]


def test_several_pictures_to_start_from_and_paths_in_cells_as_in_imgedits_own_parquet(tmp_path: Path) -> None:
    for name, seed in (("a/original.png", 1), ("a/more.png", 2), ("a/result.png", 3)):
        put(tmp_path / name, png(seed))
    records = [
        {"input_images": ["a/original.png", "a/more.png"], "output_images": ["a/result.png"], "prompt": "remove it"},
        {"input_images": ["../../x.png"], "output_images": [], "prompt": "remove it"},
    ]
    file = parquet(tmp_path / "remove_part5.parquet", records)
    assert convert("hf-parquet", file, "--out", tmp_path / "m.jsonl").exit_code == 0
    item, lost = rows(tmp_path / "m.jsonl").values()
    assert [Path(one).name for one in (item.source, *item.references, item.edited)] == [
        "original.png", "more.png", "result.png",
    ]  # fmt: skip
    assert not Path(lost.source).exists()
    assert not Path(lost.edited).exists()
    assert "leaves the folder" in told(tmp_path / "m.jsonl")[0]["what"]


# WebDataset


def shard(path: Path, members: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_webdataset(tmp_path: Path) -> None:
    def note(**cells: Any) -> bytes:
        return json.dumps(cells).encode()

    shard(tmp_path / "set" / "s-000000.tar", {
        "000.source.png": png(1), "000.edited.jpg": png(2), "000.mask.png": mask_png(), "000.json": note(
            instruction="add a bird", edit_type="add", seed=3, nested={"a": 1}),
        "001.source.png": png(1), "001.reference_1.png": png(5), "001.reference_0.png": png(4),
        "001.instruction.txt": b"remove it",
        "../../002.source.png": png(1), "../../002.edited.png": png(3), "../../002.json": note(instruction=["a", "b"]),
    })  # fmt: skip
    shard(tmp_path / "set" / "s-000001.tar.gz", {
        "003.before.png": png(1), "003.after.png": png(6), "003.txt": "变红".encode(), "003.json": b"{broken",
    })  # fmt: skip
    out = tmp_path / "m.jsonl"
    assert convert("webdataset", tmp_path / "set" / "s-000000.tar", "--out", out, "--model", "m").exit_code == 0
    items = rows(out, rejected=1)
    assert list(items) == ["000", "001"]
    assert Path(items["000"].edited).read_bytes() == png(2)
    assert (items["000"].edit_type, items["000"].metadata, items["000"].mask_white_means) == (
        "add",
        {"seed": 3},
        "edited",
    )
    assert items["000"].source == items["001"].source
    assert not Path(items["001"].edited).exists()  # never made: a row all the same
    assert [Path(one).read_bytes() for one in items["001"].references] == [png(4), png(5)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.jsonl", "m.jsonl.problems.jsonl", "m_files", "set"]
    assert len(told(out)) == 3  # no edited picture, a list of instructions, a row without words
    other = convert("webdataset", tmp_path / "set" / "s-000001.tar.gz", "--out", out)
    assert isinstance(other.exception, ConfigError)
    assert "--column source=NAME" in str(other.exception)
    named = ("--column", "source=before", "--column", "edited=after")
    assert convert("webdataset", tmp_path / "set" / "s-000001.tar.gz", "--out", out, *named).exit_code == 0
    (item,) = rows(out).values()
    assert (item.id, item.instruction) == ("003", "变红")
    assert "json" in told(out)[0]["what"]


def test_a_shard_that_is_cut_off_is_one_error(tmp_path: Path) -> None:
    file = shard(tmp_path / "s.tar", {"000.source.png": png(1), "000.edited.png": png(2)})
    file.write_bytes(file.read_bytes()[:9000])
    assert isinstance(convert("webdataset", file, "--out", tmp_path / "m.jsonl").exception, ManifestError)


def test_an_edit_that_was_never_made_is_scored_as_infeasible(tmp_path: Path) -> None:
    record = {"image": cell(1), "instruction": "make it red"}
    records = [record | {"id": "made", "edited_image": cell(2)}, record | {"id": "never", "edited_image": None}]
    file = parquet(tmp_path / "set.parquet", records)
    assert convert("hf-parquet", file, "--out", tmp_path / "m.jsonl").exit_code == 0
    config = validate_config(
        {
            "profile": "bare",
            "dimensions": {
                "feasibility": {"metrics": ["verdict"], "curves": {"verdict": {"anchors": [[0, 0], [1, 1]]}}}
            },
        },
        "test",
    )
    frame = score(tmp_path / "m.jsonl", profile=config).set_index("id")
    assert list(frame.index) == ["made", "never"]
    assert frame.loc["never", "feasibility.score"] == 0
    assert "infeasible" in frame.loc["never", "flags"]
    assert "infeasible" not in (frame.loc["made", "flags"] or "")
