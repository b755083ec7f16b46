from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edit_metrics.errors import ManifestError
from edit_metrics.io.manifest import Manifest, items_from_rows, read_manifest
from edit_metrics.io.tables import write_jsonl
from edit_metrics.scores.metadata import metadata_columns
from edit_metrics.types import EditItem

Row = Mapping[str, Any]


def row(name: Any = "a", **cells: Any) -> dict[str, Any]:
    return {"id": name, "source": "s.png", "edited": "e.png", "instruction": "make it red", **cells}


def from_lines(folder: Path, *lines: str | Row, name: str = "manifest.jsonl", **options: Any) -> Manifest:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / name).write_text(text, encoding="utf-8")
    return read_manifest(folder / name, **options)


def without_lines(manifest: Manifest) -> list[EditItem]:
    return [replace(item, line=0) for item in manifest.items]


def fields_of(manifest: Manifest) -> set[pa.Field]:
    return {column.field for column in metadata_columns(manifest.items)}


def only_rejection(manifest: Manifest) -> tuple[int, str | None, str, str, str]:
    assert manifest.items == ()
    (rejection,) = manifest.rejections
    return rejection.line, rejection.id, rejection.field, rejection.expected, rejection.got


def test_a_full_row_becomes_an_item(tmp_path: Path) -> None:
    full = row(
        7,
        mask="m.png",
        mask_white_means="preserved",
        source_caption="a car",
        target_caption="a red car",
        edit_type="recolour",
        model="m1",
        references=["r1.png", "sub/r2.png"],
        group="g",
        seed=3,
    )
    manifest = from_lines(tmp_path, full)
    (item,) = manifest.items
    assert (item.row, item.id, item.instruction) == (0, "7", "make it red")
    assert item.source == str(tmp_path / "s.png")
    assert item.references == (str(tmp_path / "r1.png"), str(tmp_path / "sub" / "r2.png"))
    assert (item.mask, item.mask_white_means) == (str(tmp_path / "m.png"), "preserved")
    assert (item.source_caption, item.target_caption) == ("a car", "a red car")
    assert (item.edit_type, item.model, item.group) == ("recolour", "m1", "g")
    assert item.metadata == {"seed": 3}
    assert manifest.columns == ("seed",)
    assert manifest.sha256 == hashlib.sha256((tmp_path / "manifest.jsonl").read_bytes()).hexdigest()


def test_a_minimal_row_has_defaults(tmp_path: Path) -> None:
    (item,) = from_lines(tmp_path, row()).items
    assert (item.mask, item.mask_white_means, item.references, item.group) == (None, "edited", (), None)
    assert (item.source_caption, item.target_caption, item.edit_type, item.model) == (None, None, None, None)
    assert item.metadata == {}


@pytest.mark.parametrize(
    ("cells", "field", "expected", "got"),
    [
        ({"id": None}, "id", "a string or a whole number", "nothing"),
        ({"id": "  "}, "id", "a string or a whole number", "nothing"),
        ({"id": 1.5}, "id", "a string or a whole number", "1.5"),
        ({"id": True}, "id", "a string or a whole number", "true"),
        ({"id": "a\nb"}, "id", "an id without control characters", "a\nb"),
        ({"source": None}, "source", "a path", "nothing"),
        ({"source": " "}, "source", "a path", "nothing"),
        ({"edited": 5}, "edited", "a string", "5"),
        ({"instruction": None}, "instruction", "an instruction or a target_caption", "nothing"),
        ({"instruction": None, "target_caption": " "}, "instruction", "an instruction or a target_caption", "nothing"),
        ({"instruction": ["x"]}, "instruction", "a string", '["x"]'),
        ({"mask_white_means": "changed"}, "mask_white_means", "'edited' or 'preserved'", "changed"),
        ({"references": [1]}, "references", "a list of paths", "[1]"),
        ({"references": "[oops"}, "references", "a list of paths", "[oops"),
        ({"source": "../x.png"}, "source", "a path inside the root", "../x.png"),
        ({"mask": "/etc/passwd"}, "mask", "a path inside the root", "/etc/passwd"),
        ({"references": ["ok.png", "https://x/y.png"]}, "references", "a path inside the root", "https://x/y.png"),
        ({"edited": "a\x00.png"}, "edited", "a path inside the root", "a\x00.png"),
        ({"note": "\ud83d"}, "note", "valid Unicode text", "\\ud83d"),
        ({"note": [{"k": "\ud83d"}]}, "note", "valid Unicode text", '[{"k": "\\ud83d"}]'),
        ({"\ud83d": 1}, "\\ud83d", "valid Unicode text", "1"),
        ({"model": {}}, "model", "a string or a whole number", "{}"),
    ],
)
def test_a_row_that_breaks_the_contract_is_rejected(
    cells: dict[str, Any], field: str, expected: str, got: str, tmp_path: Path
) -> None:
    line, _, at, wanted, found = only_rejection(from_lines(tmp_path, row() | cells))
    assert (line, at, found) == (1, field, got)
    assert wanted.startswith(expected)


def test_a_rejection_names_the_columns_that_are_there_instead(tmp_path: Path) -> None:
    bad = {"id": "a", "src": "s.png", "edited": "e.png", "instruction": "x"}
    assert only_rejection(from_lines(tmp_path, bad))[4] == "nothing (other columns: src)"


def test_every_rejection_can_be_written(tmp_path: Path) -> None:
    rows = [
        {"\ud83d": 1},
        row(source="\ud83d", edited=None),
        row("\ud83d"),
        row(mask="../\ud83d"),
        row(model=["\ud83d"]),
    ]
    rejections = from_lines(tmp_path, *rows, "\\ud83d").rejections
    assert len(rejections) == len(rows) + 1
    write_jsonl(map(asdict, rejections), tmp_path / "rejected.jsonl")
    assert [json.loads(line)["line"] for line in (tmp_path / "rejected.jsonl").read_text().splitlines()] == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_a_blank_instruction_is_left_to_feasibility(tmp_path: Path) -> None:
    items = from_lines(tmp_path, row("a", instruction=""), row("b", instruction="?!"), row("c", instruction=" ")).items
    assert [item.instruction for item in items] == ["", "?!", " "]


def test_a_target_caption_alone_is_enough(tmp_path: Path) -> None:
    (item,) = from_lines(tmp_path, row(instruction=None, target_caption="a red car")).items
    assert item.instruction is None


def test_blank_optional_cells_are_absent(tmp_path: Path) -> None:
    (item,) = from_lines(tmp_path, row(mask="", group=" ", model="", edit_type="", mask_white_means="")).items
    assert (item.mask, item.group, item.model, item.edit_type, item.mask_white_means) == (
        None,
        None,
        None,
        None,
        "edited",
    )


def test_every_row_is_an_item_or_a_rejection_exactly_once(tmp_path: Path) -> None:
    lines = [row("a"), "", "not json", row("b", source=""), "[1, 2]", row("a"), "   ", row("c"), '{"id": "d"']
    manifest = from_lines(tmp_path, *lines)
    assert [(item.row, item.id) for item in manifest.items] == [(0, "a"), (5, "c")]
    assert [item.line for item in manifest.items] == [1, 8]
    assert [(bad.line, bad.id, bad.field) for bad in manifest.rejections] == [
        (3, None, "line"),
        (4, "b", "source"),
        (5, None, "line"),
        (6, None, "id"),
        (9, None, "line"),
    ]
    assert "line 1 has it first" in manifest.rejections[3].expected
    assert manifest.rejections[3].got == "a"


def test_an_integer_id_and_its_text_are_the_same_id(tmp_path: Path) -> None:
    manifest = from_lines(tmp_path, row(1), row("1"))
    assert [item.id for item in manifest.items] == ["1"]
    assert len(manifest.rejections) == 1


def test_line_separators_inside_a_string_do_not_end_the_line(tmp_path: Path) -> None:
    text = json.dumps(row(instruction="one\u2028two\x85three"), ensure_ascii=False)
    (item,) = from_lines(tmp_path, text).items
    assert item.instruction == "one\u2028two\x85three"


@pytest.mark.parametrize("prefix", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_byte_order_marks_and_windows_line_ends_are_fine(prefix: str, end: str, tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes((prefix + json.dumps(row("ä")) + end).encode())
    (tmp_path / "m.csv").write_bytes(
        f"{prefix}id,source,edited,instruction{end}ä,s.png,e.png,make it red{end}".encode()
    )
    expected = without_lines(read_manifest(tmp_path / "m.jsonl"))
    assert expected[0].id == "ä"
    assert without_lines(read_manifest(tmp_path / "m.csv")) == expected


def test_bytes_that_are_not_utf8_reject_their_line_only(tmp_path: Path) -> None:
    (tmp_path / "m.jsonl").write_bytes(json.dumps(row()).encode() + b'\n{"id": "\xff"}\n')
    manifest = read_manifest(tmp_path / "m.jsonl")
    assert [item.id for item in manifest.items] == ["a"]
    assert manifest.rejections[0].line == 2


def test_deeply_nested_json_rejects_its_line_only(tmp_path: Path) -> None:
    manifest = from_lines(tmp_path, row(), "[" * 200_000)
    assert (len(manifest.items), manifest.rejections[0].line) == (1, 2)


def test_the_root_is_the_manifests_folder_unless_given(tmp_path: Path) -> None:
    (tmp_path / "lists").mkdir()
    line = row(source="../s.png")
    assert from_lines(tmp_path / "lists", line).items == ()
    (item,) = from_lines(tmp_path / "lists", row(), root=tmp_path).items
    assert item.source == str(tmp_path / "s.png")
    (item,) = from_lines(tmp_path / "lists", line, allow_outside_root=True).items
    assert item.source == str(tmp_path / "s.png")


def test_a_limit_takes_the_first_rows(tmp_path: Path) -> None:
    lines = [row("a"), "broken", row("b"), row("c")]
    manifest = from_lines(tmp_path, *lines, limit=3)
    assert [item.id for item in manifest.items] == ["a", "b"]
    assert len(manifest.rejections) == 1


def test_csv_knows_quotes_short_rows_and_long_rows(tmp_path: Path) -> None:
    rows = ['a,s.png,e.png,"say ""hi"", and\nleave"', "", "b,s.png,e.png,x,y,z", "c,s.png,e.png,x"]
    text = "\n".join(["id,source,edited,instruction,note", *rows])
    (tmp_path / "m.csv").write_text(text)
    manifest = read_manifest(tmp_path / "m.csv")
    assert manifest.items[0].instruction == 'say "hi", and\nleave'
    assert [item.id for item in manifest.items] == ["a", "c"]
    (bad,) = manifest.rejections
    assert (bad.line, bad.field, bad.got) == (5, "line", "6 cells")


@pytest.mark.parametrize(
    ("cell", "paths"),
    [("r1.png;r2.png", ["r1.png", "r2.png"]), ('["r1.png", "a;b.png"]', ["r1.png", "a;b.png"]), ("r1.png", ["r1.png"])],
)
def test_csv_references_are_a_json_list_or_joined_by_semicolons(cell: str, paths: list[str], tmp_path: Path) -> None:
    pd.DataFrame([row(references=cell)]).to_csv(tmp_path / "m.csv", index=False)
    (item,) = read_manifest(tmp_path / "m.csv").items
    assert item.references == tuple(str(tmp_path / path) for path in paths)


def test_a_frame_is_same_or_reframed(tmp_path: Path) -> None:
    manifest = from_lines(tmp_path, row("a", frame="reframed"), row("b"), row("c", frame=""), row("d", frame="cropped"))
    assert [item.frame for item in manifest.items] == ["reframed", "same", "same"]
    (bad,) = manifest.rejections
    assert (bad.id, bad.field, bad.expected, bad.got) == ("d", "frame", "'same' or 'reframed'", "cropped")


def test_csv_metadata_columns_are_read_as_what_they_hold(tmp_path: Path) -> None:
    frame = pd.DataFrame([row("a"), row("b")]).assign(
        n=["3", "-4"], x=["1.5", "2"], code=["007", "12"], ok=["true", "false"], text=["1", "one"], gap=["5", ""]
    )
    frame.to_csv(tmp_path / "m.csv", index=False)
    first, second = read_manifest(tmp_path / "m.csv").items
    assert first.metadata == {"n": 3, "x": 1.5, "code": "007", "ok": True, "text": "1", "gap": 5}
    assert second.metadata == {"n": -4, "x": 2.0, "code": "12", "ok": False, "text": "one"}


def test_cells_that_pandas_left_empty_are_absent(tmp_path: Path) -> None:
    frame = pd.DataFrame([row("a", mask="m.png", judge=0.5), row("b", mask=None, judge=None)])
    frame.to_csv(tmp_path / "m.csv", index=False)
    frame.to_parquet(tmp_path / "m.parquet")
    frame.to_csv(tmp_path / "nan.csv", index=False, na_rep="nan")
    for name in ("m.csv", "m.parquet", "nan.csv"):
        first, second = read_manifest(tmp_path / name).items
        assert (first.mask, second.mask) == (str(tmp_path / "m.png"), None)
        assert (first.metadata, second.metadata) == ({"judge": 0.5}, {})


@pytest.mark.parametrize(
    ("name", "content", "found", "todo"),
    [
        ("m.jsonl", b"", "none", ""),
        ("m.jsonl", b"\n \n", "none", ""),
        ("m.csv", b"", "none", ""),
        ("m.csv", b"id,source,edited,instruction\n", "none", ""),
        ("m.csv", b"id,src,edited,prompt\na,s,e,x\n", "the columns id, src, edited, prompt", "'src' → 'source'"),
        ("m.csv", b"image_id,Source,edited_image,instruction\n1,2,3,4\n", "the columns", "'Source' → 'source'"),
        ("m.csv", b"id;source;edited;instruction\na;s;e;x\n", "the columns id;source", ""),
        ("m.csv", b"id,source,edited,instruction,source\na,s,e,x,y\n", "source more than once", ""),
        ("m.csv", b'id,source,edited,instruction\na,s,e,"x\n', "unexpected end of data", ""),
        ("m.csv", b"id,source,edited,instruction\na,s,e,\xff\n", "byte", "UTF-8"),
        ("m.csv", "id,source".encode("utf-16"), "UTF-16", "UTF-8"),
        ("m.parquet", b"PAR1 nonsense", "", ""),
        ("m.json", b"[]", "'.json'", ""),
        ("m", b"{}", "''", ""),
    ],
)
def test_a_file_that_is_no_manifest_says_why(name: str, content: bytes, found: str, todo: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError) as caught:
        read_manifest(tmp_path / name)
    assert found in caught.value.got
    assert todo in caught.value.todo
    assert str(tmp_path / name) in caught.value.where
    assert caught.value.exit_code == 2


def test_a_missing_manifest_and_a_folder_say_so(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no such file"):
        read_manifest(tmp_path / "none.jsonl")
    with pytest.raises(ManifestError, match="manifest folders"):
        read_manifest(tmp_path)


def test_rows_in_python_follow_the_same_rules(tmp_path: Path) -> None:
    rows = [row("a", source=str(tmp_path / "s.png")), row("a"), row("b", instruction=None)]
    manifest = items_from_rows(rows)
    assert manifest.items[0].source == str(tmp_path / "s.png")
    assert [(bad.line, bad.field) for bad in manifest.rejections] == [(2, "id"), (3, "instruction")]
    assert manifest.path == "<rows>"
    assert items_from_rows(rows).sha256 == manifest.sha256
    assert items_from_rows(rows[:1]).sha256 != manifest.sha256
    assert items_from_rows([row(source="/etc/passwd")], root=tmp_path).items == ()
    with pytest.raises(ManifestError, match="at least one row"):
        items_from_rows([])


def test_a_manifest_may_lie_behind_a_url() -> None:
    import fsspec

    with fsspec.open("memory://set/manifest.jsonl", "w") as file:
        file.write(json.dumps(row(source="img/s.png")) + "\n" + json.dumps(row("b", source="../s.png")))
    manifest = read_manifest("memory://set/manifest.jsonl")
    assert [item.source for item in manifest.items] == ["memory://set/img/s.png"]
    assert [bad.field for bad in manifest.rejections] == ["source"]


def test_the_real_manifest_has_no_rejection(shared_data: Path) -> None:
    manifest = read_manifest(shared_data / "triples.jsonl")
    assert (len(manifest.items), manifest.rejections) == (71, ())
    assert sum(item.mask is not None for item in manifest.items) == 8
    assert {column.field.type for column in metadata_columns(manifest.items)} == {pa.string()}


# Words that no reader takes for a number, a boolean or an absent cell, and that survive CSV's line-end rules.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(lambda text: f"w{text}")
names = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8).map(
    lambda text: f"k{text}"
)
rows_of_words = st.lists(
    st.fixed_dictionaries(
        {"source": words.map(lambda text: text.replace("/", "_").replace(":", "_")), "edited": st.just("e.png")},
        optional={
            "instruction": words,
            "target_caption": words,
            "model": words,
            "group": words,
            "mask_white_means": st.sampled_from(["edited", "preserved", "neither"]),
            "references": st.lists(st.sampled_from(["r1.png", "r;2.png"]), min_size=1),
            "author": words,
            "seed": st.integers(-(2**50), 2**50),
            "judge": st.floats(-1e6, 1e6).map(lambda value: value + 0.25).filter(lambda value: value % 1 != 0),
        },
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(rows=rows_of_words)
def test_the_three_formats_say_the_same(rows: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("formats")
    numbered = [{"id": f"i{index // 2}"} | cells for index, cells in enumerate(rows)]
    columns = list(dict.fromkeys(["source_caption", "instruction", *(name for cells in numbered for name in cells)]))
    (folder / "m.jsonl").write_text("\n".join(json.dumps(cells) for cells in numbered))
    pq.write_table(
        pa.Table.from_pylist([{name: cells.get(name) for name in columns} for cells in numbered]), folder / "m.parquet"
    )
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns)
    writer.writeheader()
    writer.writerows(
        {name: json.dumps(cell) if isinstance(cell, list) else cell for name, cell in cells.items()}
        for cells in numbered
    )
    (folder / "m.csv").write_text(buffer.getvalue(), encoding="utf-8", newline="")
    manifests = [read_manifest(folder / name) for name in ("m.jsonl", "m.csv", "m.parquet")]
    first = manifests[0]
    assert len(first.items) + len(first.rejections) == len(rows)
    for other in manifests[1:]:
        assert without_lines(other) == without_lines(first)
        assert [(bad.id, bad.field) for bad in other.rejections] == [(bad.id, bad.field) for bad in first.rejections]
        assert set(other.columns) == set(first.columns)
        assert fields_of(other) == fields_of(first)
