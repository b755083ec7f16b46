"""Label Studio: the structure of config and tasks, what raters may see, and the import of an export."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from edit_metrics.choices import Repeated
from edit_metrics.errors import ConfigError, TableError
from edit_metrics.ratings.importing import ImportRequest, import_ratings
from edit_metrics.ratings.rubric import load_rubric
from edit_metrics.triage.label_studio import TaskOptions, labelling_config, labelling_tasks
from edit_metrics.triage.lanes import Lane, Placement, Selection
from edit_metrics.triage.picture_places import NO_PICTURE, PicturePlaces
from edit_metrics.types import DIMENSIONS


def places(folder: Path) -> PicturePlaces:
    return PicturePlaces.of(["images/a.png", "images/a b.png"], str(folder), None, folder / "t" / "pictures")


def queue() -> list[Placement]:
    return [
        Placement("b<b>", Lane.UNSAFE, ("unsafe",), Selection.GATE, position=1),
        Placement("a", Lane.HUMAN, ("<script>",), Selection.PRIORITY, position=2, p_pass=0.7, expected_rating=3.6),
    ]


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b<b>"],
            "source": ["images/a.png", "https://example.com/b.png"],
            "edited": ["images/a b.png", None],
            "instruction": ["make it blue", None],
            "target_caption": [None, "a blue cat"],
            "quality.score": [0.9, None],
            "adherence.score": [0.1, 0.0],
        }
    )


def test_the_rubric_asks_about_every_dimension_with_an_anchor_for_every_rating() -> None:
    rubric = load_rubric()
    assert tuple(rubric.dimensions) == DIMENSIONS
    assert rubric.scale == (1, 2, 3, 4, 5)
    assert all(len(set(one.anchors.values())) == 5 for one in rubric.dimensions.values())


def test_a_rubric_with_a_missing_anchor_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rubric.yaml"
    file.write_text("version: 1\nscale: [1, 2]\nguide: x\ndimensions: {style: {question: x, anchors: {1: x}}}\n"
                    "flags: {}\ncomment: x\n")  # fmt: skip
    with pytest.raises(ConfigError, match="anchor for each"):
        load_rubric(file)


def test_the_config_has_three_pictures_a_question_a_dimension_flags_and_a_comment() -> None:
    rubric = load_rubric()
    view = ET.fromstring(labelling_config(rubric))  # noqa: S314 - our own text
    assert [image.get("value") for image in view.iter("Image")] == [
        "$source_picture",
        "$edited_picture",
        "$evidence_picture",
    ]
    questions = {one.get("name"): [c.get("alias") for c in one] for one in view.iter("Choices")}
    assert questions.pop("flags") == list(rubric.flags)
    assert questions == {name: ["1", "2", "3", "4", "5"] for name in DIMENSIONS}
    assert [area.get("name") for area in view.iter("TextArea")] == ["comment"]
    names = [one.get("name") for one in view.iter() if one.get("name")]
    assert len(names) == len(set(names))
    assert {one.get("toName") for one in view.iter() if one.get("toName")} == {"edited"}


def test_every_option_has_a_key_of_its_own() -> None:
    view = ET.fromstring(labelling_config(load_rubric()))  # noqa: S314 - our own text
    keys = [one.get("hotkey") for one in view.iter("Choice")]
    assert len(keys) == 8 * 5 + 5
    assert all(keys)
    assert len(set(keys)) == len(keys)
    assert not {"v", "ctrl+enter", "shift+1"} & set(keys)


def test_every_variable_of_the_config_is_in_every_task(tmp_path: Path) -> None:
    rubric = load_rubric()
    view = ET.fromstring(labelling_config(rubric))  # noqa: S314 - our own text
    wanted = {value[1:] for one in view.iter() if (value := one.get("value") or "").startswith("$")}
    for blind in (False, True):
        for task in labelling_tasks(queue(), frame(), rubric, None, TaskOptions(places(tmp_path), blind=blind)):
            assert wanted <= set(task["data"])
            assert all(task["data"][name] for name in wanted)


def test_tasks_keep_the_order_and_predict_what_was_scored(tmp_path: Path) -> None:
    tasks = labelling_tasks(queue(), frame(), load_rubric(), "quality", TaskOptions(places(tmp_path)))
    assert [task["data"]["item_id"] for task in tasks] == ["b<b>", "a"]
    # CSV and JSON_MIN exports overwrite a key of this name with Label Studio's number.
    assert all("id" not in task["data"] for task in tasks)
    assert tasks[0]["data"]["instruction"] == "a blue cat"
    predicted = {one["from_name"]: one["value"]["choices"] for one in tasks[1]["predictions"][0]["result"]}
    # adherence: round(1 + 4 · 0.1); quality: the calibrated 3.6, not the pre-score.
    assert predicted == {"adherence": ["1"], "quality": ["4"]}


def test_blind_tasks_show_no_scores_and_nobody_sees_why_an_item_is_there(tmp_path: Path) -> None:
    options = TaskOptions(places(tmp_path), blind=True)
    blind = json.dumps(labelling_tasks(queue(), frame(), load_rubric(), None, options))
    assert "predictions" not in blind
    shown = json.dumps(labelling_tasks(queue(), frame(), load_rubric(), None, TaskOptions(places(tmp_path))))
    for text in (blind, shown):
        assert "selection" not in text
        assert "inclusion_prob" not in text
        assert "script" not in text


def test_unsafe_items_are_marked_for_blurring(tmp_path: Path) -> None:
    unsafe, other = labelling_tasks(queue(), frame(), load_rubric(), None, TaskOptions(places(tmp_path)))
    assert 'class="em-unsafe"' in unsafe["data"]["notice"]
    assert "em-unsafe" not in other["data"]["notice"]
    assert ":has(.em-unsafe)" in labelling_config(load_rubric())


def test_local_pictures_lie_below_a_root_that_is_not_itself_served(tmp_path: Path) -> None:
    found = places(tmp_path)
    assert found.document_root == tmp_path.resolve()
    assert found.folders == ((tmp_path / "images").resolve(),)
    assert found.url("images/a b.png") == "/data/local-files/?d=images/a%20b.png"
    assert found.url("https://example.com/x.png") == "https://example.com/x.png"
    assert found.url("") == NO_PICTURE
    remote = PicturePlaces.of(["a.png"], "s3://bucket/run", None, tmp_path)
    assert (remote.folders, remote.url("a.png")) == ((), "s3://bucket/run/a.png")


def test_pictures_all_over_a_disk_are_copied_instead_of_serving_the_disk(tmp_path: Path) -> None:
    picture = tmp_path / "a b.PNG"
    picture.write_bytes(b"x")
    bundle = tmp_path / "triage" / "pictures"
    found = PicturePlaces.of([str(picture), "/usr/no_such_picture.png"], str(tmp_path), None, bundle)
    assert found.document_root == (tmp_path / "triage").resolve()
    assert found.folders == (bundle.resolve(),)
    assert not bundle.exists()
    address = found.url(str(picture))
    assert address == found.url("a b.PNG")
    (copy,) = bundle.iterdir()
    assert address == f"/data/local-files/?d=pictures/{copy.name}"
    assert copy.read_bytes() == b"x"
    assert found.url("/usr/no_such_picture.png") == NO_PICTURE


def test_evidence_is_found_under_the_name_that_the_report_gives_it(tmp_path: Path) -> None:
    from edit_metrics.evidence.files import evidence_name

    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / evidence_name("a", "change")).write_bytes(b"x")
    found = PicturePlaces.of(["images/a.png"], str(tmp_path), tmp_path / "evidence", tmp_path / "t")
    options = TaskOptions(found, tmp_path / "evidence")
    data = labelling_tasks(queue(), frame(), load_rubric(), None, options)[1]["data"]
    digest = hashlib.sha256(b"a").hexdigest()
    assert data["evidence_picture"] == f"/data/local-files/?d=evidence/{digest}-change.webp"


def export(*annotations: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": 1, "data": {"id": "a"}, "annotations": list(annotations)}]


def annotation(user: Any, rating: str, **more: Any) -> dict[str, Any]:
    choices = {"from_name": "quality", "to_name": "edited", "type": "choices", "value": {"choices": [rating]}}
    return {"completed_by": user, "created_at": "2024-05-01T10:00:00Z", "was_cancelled": False, "result": [choices],
            **more}  # fmt: skip


def imported(tmp_path: Path, tasks: Any, **options: Any) -> Any:
    file = tmp_path / "export.json"
    file.write_text(json.dumps(tasks))
    return import_ratings(ImportRequest((file,), "label-studio", **options))


def test_an_export_becomes_ratings_flags_and_comments(tmp_path: Path) -> None:
    remark = [
        {"from_name": "flags", "value": {"choices": ["unsafe", "unsure"]}},
        {"from_name": "comment", "value": {"text": ["odd hands"]}},
    ]
    first = annotation({"id": 3, "email": "ann@example.com"}, "4")
    first["result"] += remark
    skipped = annotation(8, "1", was_cancelled=True)
    found = imported(tmp_path, export(first, annotation(7, "2 - Poor"), skipped))
    rows = found.ratings.of("quality")[["id", "rater", "dimension", "rating"]]
    assert rows.to_numpy().tolist() == [["a", "ann@example.com", "quality", 4.0], ["a", "user7", "quality", 2.0]]
    assert found.ratings.scale.values == (1.0, 2.0, 3.0, 4.0, 5.0)
    assert found.remarks.to_dict("records") == [
        {"id": "a", "rater": "ann@example.com", "flags": "unsafe;unsure", "comment": "odd hands"}
    ]
    assert found.notes == ("1 skipped annotations: answers without a rating",)
    skips = found.ratings.frame[found.ratings.frame["not_applicable"]]
    assert set(skips["rater"]) == {"user8"}
    assert sorted(skips["dimension"]) == sorted(DIMENSIONS)


def test_two_annotations_of_one_rater_follow_the_rule_and_are_an_error_without_one(tmp_path: Path) -> None:
    later = annotation(7, "3", created_at="2024-05-02T10:00:00Z")
    tasks = export(later, annotation(7, "2"))
    for rule, kept in ((None, 3.0), (Repeated.LATEST, 3.0), (Repeated.FIRST, 2.0)):
        found = imported(tmp_path, tasks, repeated=rule)
        assert found.ratings.frame["rating"].tolist() == [kept]
        assert found.notes == (f"1 repeated ratings were left out, the {rule or 'latest'} kept",)
    with pytest.raises(TableError, match=r"\(a, user7, quality, 3"):
        imported(tmp_path, tasks, repeated=Repeated.REFUSE)


def test_a_rater_in_mixed_forms_over_two_exports_is_one_person(tmp_path: Path) -> None:
    known = annotation({"id": 7, "email": "Ann@Example.com"}, "2")
    (tmp_path / "b.json").write_text(json.dumps([{"id": 2, "data": {"item_id": "b"}, "annotations": [known]}]))
    (tmp_path / "a.json").write_text(json.dumps(export(annotation(7, "4"), annotation({"id": 9}, "1"))))
    found = import_ratings(ImportRequest((tmp_path / "a.json", tmp_path / "b.json"), "label-studio"))
    raters = found.ratings.frame.groupby("id")["rater"].agg(list).to_dict()
    assert raters == {"a": ["ann@example.com", "user9"], "b": ["ann@example.com"]}


def test_an_annotation_without_a_result_and_predictions_that_are_numbers_do_no_harm(tmp_path: Path) -> None:
    tasks = export(annotation(7, "4"), annotation(8, "4", result=None))
    found = imported(tmp_path, [{**tasks[0], "predictions": [12, 13]}])
    assert found.ratings.frame["rater"].tolist() == ["user7"]
    with pytest.raises(TableError, match="annotations in full"):
        imported(tmp_path, [{**tasks[0], "annotations": [4, 5]}])


def test_the_time_of_an_annotation_is_shared_by_its_ratings(tmp_path: Path) -> None:
    one = annotation(7, "4", lead_time=12.0)
    one["result"].append({**one["result"][0], "from_name": "style"})
    assert imported(tmp_path, export(one)).ratings.frame["seconds"].tolist() == [6.0, 6.0]


def test_a_table_of_label_studio_is_refused_since_its_id_is_its_own(tmp_path: Path) -> None:
    pd.DataFrame({"id": [1], "rater": "a", "dimension": "quality", "rating": 3, "annotation_id": 9}).to_csv(
        tmp_path / "r.csv", index=False
    )
    with pytest.raises(TableError, match="annotation_id"):
        import_ratings(ImportRequest((tmp_path / "r.csv",), "csv"))


@pytest.mark.parametrize("tasks", [[], {"x": 1}, [{"data": {}}], export()])
def test_something_else_than_an_annotated_export_is_refused(tmp_path: Path, tasks: Any) -> None:
    with pytest.raises(TableError, match="export"):
        imported(tmp_path, tasks)
