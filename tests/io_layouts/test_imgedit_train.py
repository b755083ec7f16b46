"""ImgEdit's training tables, built small in their true form: paths in Parquet, pictures unpacked from archives."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest_layouts import png, put
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import ManifestError
from edit_metrics.instruction.labels import label_to_type
from edit_metrics.io.layouts.imgedit_train import _TASKS
from edit_metrics.io.manifest import read_manifest
from edit_metrics.types import EditItem

PATHS = pa.list_(pa.string())
EDIT: list[tuple[str, pa.DataType]] = [("input_images", PATHS), ("output_images", PATHS), ("prompt", pa.string())]
ONE = pa.schema(EDIT)
TURNS = pa.schema([("data", pa.list_(pa.struct(EDIT)))])


def table(path: Path, records: list[dict[str, Any]], schema: pa.Schema = ONE) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records, schema=schema), path)
    return path


def edit(folder: str, prompt: Any, *names: str, result: str | None = "result.png") -> dict[str, Any]:
    """As the README prints them: ``folder/original.png`` …"""
    return {
        "input_images": [f"{folder}/{name}" for name in names or ("original.png",)],
        "output_images": None if result is None else [f"{folder}/{result}"],
        "prompt": prompt,
    }


def unpack(root: Path, *records: dict[str, Any]) -> None:
    paths = [path for one in records for path in (*(one["input_images"] or ()), *(one["output_images"] or ()))]
    for seed, path in enumerate(paths):
        put(root / path, png(seed))


def convert(out: Path, *arguments: object) -> Any:
    return CliRunner().invoke(app, ["manifest", *map(str, arguments), "--out", str(out)])


def items(out: Path, rejected: int = 0) -> list[EditItem]:
    manifest = read_manifest(out)
    assert len(manifest.rejections) == rejected
    return list(manifest.items)


def told(out: Path) -> list[dict[str, str]]:
    file = out.with_name(out.name + ".problems.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()] if file.is_file() else []


def tails(item: EditItem) -> list[str]:
    return [Path(one).name for one in (item.source, *item.references, item.edited)]


def test_single_turns_as_the_data_set_lays_them_out(tmp_path: Path) -> None:
    removed = [edit(f"results_remove_laion_part5/{n}", "Remove the snowshoers.") for n in ("00094_1", "00095_2")]
    swapped = edit(
        "results_extract_ref_part1/1", "Replace car with the reference image.", "original.png", "result_1.png"
    )
    table(tmp_path / "Parquet" / "remove_part5.parquet", removed)
    table(tmp_path / "Parquet" / "reference_replace_part1.parquet", [swapped])
    unpack(tmp_path / "Singleturn", *removed, swapped)
    out = tmp_path / "m.jsonl"
    assert convert(out, "imgedit-train", tmp_path, "--model", "SDXL").exit_code == 0
    found = items(out)
    assert [item.id for item in found] == [
        "reference_replace_part1_000000", "remove_part5_000000", "remove_part5_000001",
    ]  # fmt: skip
    assert [item.edit_type for item in found] == ["reference_replace", "remove", "remove"]
    assert tails(found[0]) == ["original.png", "result_1.png", "result.png"]
    assert found[1].source.endswith("Singleturn/results_remove_laion_part5/00094_1/original.png")
    assert (found[1].instruction, found[1].model) == ("Remove the snowshoers.", "SDXL")
    assert told(out) == []


def test_conversations_are_a_row_a_turn_each_from_the_picture_that_it_names(tmp_path: Path) -> None:
    def turn(number: int, prompt: str) -> dict[str, Any]:
        return edit(
            "results_version_backtracking_part0/1", prompt, f"origin_{number}.png", result=f"result_{number}.png"
        )

    first = [turn(n, words) for n, words in enumerate(("add a vest", "replace it", "withdraw that, brighten it"))]
    other = [edit("results_version_backtracking_part0/2", "add a hat")]
    file = table(tmp_path / "version_backtracking_part0.parquet", [{"data": first}, {"data": other}], TURNS)
    unpack(tmp_path, *first, *other)
    out = tmp_path / "m.jsonl"
    assert convert(out, "imgedit-train", file).exit_code == 0
    found = items(out)
    name = "version_backtracking_part0"
    assert [item.id for item in found] == [f"{name}_000000_turn{n}" for n in (1, 2, 3)] + [f"{name}_000001_turn1"]
    assert [item.group for item in found] == [f"{name}_000000"] * 3 + [f"{name}_000001"]
    assert [tails(item) for item in found[:3]] == [[f"origin_{n}.png", f"result_{n}.png"] for n in (0, 1, 2)]
    assert [item.metadata["turn"] for item in found] == [1, 2, 3, 1]
    assert {(item.edit_type, item.metadata["task"]) for item in found} == {(None, "version_backtracking")}


def test_words_that_hold_for_all_turns_are_no_edit_and_travel_with_each(tmp_path: Path) -> None:
    edits = [edit("results_content_memory_part2/1", words) for words in ("add a bowl", "add a cup")]
    rule: dict[str, Any] = {"input_images": None, "output_images": [], "prompt": "All edits must use tropical fruits"}
    file = table(tmp_path / "content_memory_part2.parquet", [{"data": [rule, *edits]}, {"data": []}], TURNS)
    unpack(tmp_path, *edits)
    out = tmp_path / "m.jsonl"
    assert convert(out, "imgedit-train", file).exit_code == 0
    found = items(out)
    assert [(item.instruction, item.metadata["turn"]) for item in found] == [("add a bowl", 1), ("add a cup", 2)]
    assert {item.metadata["standing_instruction"] for item in found} == {rule["prompt"]}
    assert [(problem["what"], problem["action"]) for problem in told(out)] == [("no turns", "skipped")]


def test_an_edit_that_is_not_there_is_a_row_and_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    records = [
        edit("results_add_laion_part0/1", "add a bird"),
        edit("results_add_laion_part0/2", "add a bird", result=None),
        edit("results_add_laion_part0/3", "add a bird"),
        edit("results_add_laion_part0/4", "add a bird", result="../../../../secret.png"),
        edit("results_add_laion_part0/5", None),
    ]
    file = table(tmp_path / "set" / "add_part0.parquet", records)
    unpack(tmp_path / "set", *(records[n] for n in (0, 1, 4)))
    out = tmp_path / "set" / "m.jsonl"
    assert convert(out, "imgedit-train", file).exit_code == 0
    found = items(out, rejected=1)
    assert len(found) == 4
    assert not any(Path(item.edited).exists() for item in found[1:])
    assert [problem["what"].partition(":")[0] for problem in told(out) if problem["id"][-1] in "13"] == [
        "edited", "output_images", "edited", "no source picture",
    ]  # fmt: skip
    assert {problem["what"] for problem in told(out) if problem["id"][-1] == "2"} == {
        "no source picture", "no edited picture",
    }  # fmt: skip
    assert [problem["action"] for problem in told(out) if problem["id"][-1] == "4"] == ["row kept: it will be rejected"]


def test_a_list_of_instructions_is_a_problem_and_no_text(tmp_path: Path) -> None:
    schema = pa.schema([*EDIT[:2], ("prompt", pa.list_(pa.string())), ("score", pa.float64())])
    records = [edit("a/1", ["make it red", "or blue"]) | {"score": 4.5}, edit("a/1", ["make it red"]) | {"score": None}]
    file = table(tmp_path / "style_transfer.parquet", records, schema)
    unpack(tmp_path, *records)
    out = tmp_path / "m.jsonl"
    assert convert(out, "imgedit-train", file).exit_code == 0
    (item,) = items(out, rejected=1)
    assert (item.id, item.instruction) == ("style_transfer_000001", "make it red")
    assert "a list of 2 where one text is expected" in told(out)[0]["what"]
    assert json.loads(out.read_text().splitlines()[0])["score"] == 4.5


@pytest.mark.parametrize(
    ("name", "folder", "archive"),
    [
        ("action_part2", "", "Singleturn/part2"),
        ("replace_part0", "replace/1/", "Singleturn/results/1"),
        (
            "content_understanding_part2",
            "results_content_understanding_part2/1/",
            "Multiturn/mnt/data/lzj/codes/shitedit_comfyui/results_content_understanding_part2/1",
        ),
    ],
)
def test_archives_that_unpack_under_another_name(tmp_path: Path, name: str, folder: str, archive: str) -> None:
    one = {"input_images": [f"{folder}a.png"], "output_images": [f"{folder}b.png"], "prompt": "make it run"}
    file = table(tmp_path / "tables" / f"{name}.parquet", [one])
    pictures = tmp_path / "unpacked"
    put(pictures / archive / "a.png", png(1))
    put(pictures / archive / "b.png", png(2))
    out = tmp_path / "m.jsonl"
    assert convert(out, "imgedit-train", file, "--pictures", pictures).exit_code == 0
    (item,) = items(out)
    assert [Path(one).is_file() for one in (item.source, item.edited)] == [True, True]


def refusal(out: Path, *arguments: object) -> str:
    error = convert(out, *arguments).exception
    assert isinstance(error, ManifestError)
    return str(error)


OTHER = pa.schema([("source", pa.string())])


@pytest.mark.parametrize(
    ("layout", "schema", "parts"),
    [
        ("imgedit-train", ONE, ("unpacked, got none of 1", "results_add/1/original.png", "tar x", "--pictures DIR")),
        ("imgedit-train", OTHER, ("input_images, output_images, prompt", "source (string)", "t.parquet", "--column ")),
        ("hf-parquet", TURNS, ("a row an edit", "'data'", "t.parquet", "imgedit-train")),
        ("imgedit", ONE, ("ImgEdit-Bench", "got Parquet", "t.parquet", "imgedit-train")),
    ],
)
def test_what_cannot_be_read_says_what_was_expected_found_where_and_what_to_do(
    tmp_path: Path, layout: str, schema: pa.Schema, parts: Sequence[str]
) -> None:
    one = edit("results_add/1", "add a bird")
    known: dict[pa.Schema, dict[str, Any]] = {TURNS: {"data": [one]}, OTHER: {"source": "a.png"}}
    file = table(tmp_path / "t.parquet", [known.get(schema, one)], schema)
    error = convert(tmp_path / "m.jsonl", layout, file).exception
    assert isinstance(error, ManifestError)
    assert [part for part in parts if part not in str(error)] == []
    assert "\n" not in str(error)
    assert not (tmp_path / "m.jsonl").exists()


@pytest.mark.parametrize("task", sorted(_TASKS))
def test_every_task_is_an_edit_type_that_is_known(task: str) -> None:
    assert label_to_type(task) is not None
