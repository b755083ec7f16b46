"""Order, overlap, gold, undo and the file on the disk; without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from conftest_report import MakeRun, score_rows
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import TableError, UserError
from edit_metrics.io.tables import write_csv, write_json
from edit_metrics.rate.log import RaterLog, log_name
from edit_metrics.rate.queue import QueuedItem, RatingPlan, make_plan
from edit_metrics.rate.session import HELD, Session
from edit_metrics.ratings.entries import Entry, Kind, read_entries, standing_answers
from edit_metrics.ratings.files import read_ratings
from edit_metrics.ratings.rubric import load_rubric
from edit_metrics.scores.table import read_scores

RUBRIC = load_rubric()
NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)


def plan_of(*items: QueuedItem, dimensions: tuple[str, ...] = ("quality",)) -> RatingPlan:
    return RatingPlan(items, {name: RUBRIC.dimensions[name] for name in dimensions}, "a test")


def session_of(folder: Path, plan: RatingPlan, rater: str, now: datetime = NOW) -> Session:
    return Session(plan, RaterLog(folder / log_name(rater)), rater, tuple(RUBRIC.flags), lambda: now)


def rate(session: Session, rating: float = 3) -> int | None:
    """Rate what is asked; the next index."""
    at = session.position()
    assert at.index is not None
    return session.answer(at.index, at.dimension, Kind.RATING, rating, 1.5).index


def test_an_item_goes_to_as_many_raters_as_it_is_to_have(tmp_path: Path) -> None:
    plan = plan_of(QueuedItem("one", 1), QueuedItem("two", 2), QueuedItem("gold", 1, everybody=True))
    ann, bob = session_of(tmp_path, plan, "ann"), session_of(tmp_path, plan, "bob")
    assert rate(ann) == 1
    assert bob.position().index == 1
    assert rate(bob) == 2
    assert rate(ann) == 2
    assert rate(ann) is None
    assert rate(bob) is None
    assert bob.position().done == 2


def test_an_item_on_somebodys_screen_is_left_to_them_for_a_while(tmp_path: Path) -> None:
    plan = plan_of(QueuedItem("one", 1), QueuedItem("two", 1))
    assert session_of(tmp_path, plan, "ann").position().index == 0
    assert session_of(tmp_path, plan, "bob").position().index == 1
    late = NOW + HELD + timedelta(seconds=1)
    assert session_of(tmp_path, plan, "cy", late).position().index == 0


def test_an_item_begun_in_one_dimension_is_finished_first(tmp_path: Path) -> None:
    plan = plan_of(QueuedItem("one", 1), QueuedItem("two", 1), dimensions=("quality", "style"))
    session = session_of(tmp_path, plan, "ann")
    rate(session, 4)
    again = session.position()
    assert (again.index, again.dimension, again.answered) == (0, "style", {"quality": 4})


def test_undo_takes_back_a_skip_in_all_its_dimensions_and_shows_the_item(tmp_path: Path) -> None:
    plan = plan_of(QueuedItem("one", 1), QueuedItem("two", 1), dimensions=("quality", "style"))
    session = session_of(tmp_path, plan, "ann")
    assert session.answer(0, "quality", Kind.SKIP, None, 4.0, ("wrong_pair",)).index == 1
    back = session.undo()
    assert (back.index, back.dimension, back.answered) == (0, "quality", {})
    assert session.undo().index == 0  # nothing more to take back


def test_a_torn_line_is_cut_off_and_the_lines_before_stay(tmp_path: Path) -> None:
    plan = plan_of(QueuedItem("one", 1), QueuedItem("two", 1))
    session = session_of(tmp_path, plan, "ann")
    rate(session, 5)
    session._log.close()
    file = tmp_path / "ann.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + b'{"format": "edit-metr')
    assert read_entries(file)[1] == 1
    again = session_of(tmp_path, plan, "ann")
    assert again.position().done == 1
    assert file.read_bytes().startswith(whole)
    assert read_entries(file)[1] == 0


def test_a_broken_line_before_the_last_is_an_error_that_names_it(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": 1}\n{}\n', encoding="utf-8")
    with pytest.raises(TableError, match=r"x\.jsonl, line 1"):
        read_entries(file)


def test_two_servers_of_one_rater_are_refused(tmp_path: Path) -> None:
    with RaterLog(tmp_path / "ann.jsonl"), pytest.raises(UserError, match="one rating server a rater"):
        RaterLog(tmp_path / "ann.jsonl")


def test_a_full_disk_keeps_nothing_of_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RaterLog(tmp_path / "ann.jsonl")
    first = Entry(Kind.RATING, "one", "ann", NOW.isoformat(), "quality", 3)
    log.append([first])
    before = log.path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        log.append([Entry(Kind.RATING, "two", "ann", NOW.isoformat(), "quality", 3)])
    assert log.path.read_bytes() == before
    assert log.entries == [first]


def test_a_rater_may_have_any_name(tmp_path: Path) -> None:
    assert log_name("a/../b") == "a%2F..%2Fb.jsonl"
    assert RaterLog(tmp_path / log_name("../ann")).path.parent == tmp_path
    with pytest.raises(UserError, match="a rater's name"):
        log_name("  ")


def test_an_entry_survives_the_file() -> None:
    entry = Entry(Kind.SKIP, "i", "r", NOW.isoformat(), "quality", None, 1.25, ("unsafe",), "ü")
    import json

    assert Entry.from_record(json.loads(entry.to_line())) == entry
    with pytest.raises(ValueError, match="version 9"):
        Entry.from_record({"format": "edit-metrics/rate", "version": 9})


def test_the_target_of_the_calibration_is_asked_in_the_queues_order(make_run: MakeRun) -> None:
    run = make_run(score_rows(6))
    queue = run / "triage"
    queue.mkdir()
    write_csv(pd.DataFrame({"id": ["item-0003", "item-0001"], "raters": [2, 1]}), queue / "queue.csv")
    decisions = {"calibration": {"target": "adherence"}}
    write_json({"gold": ["item-0001"], "automatic_decisions": decisions}, queue / "triage.json")
    plan = make_plan(read_scores(run), RUBRIC, None, (), None)
    assert plan.items == (QueuedItem("item-0003", 2), QueuedItem("item-0001", 1, everybody=True))
    assert list(plan.questions) == ["adherence"]
    write_json({"automatic_decisions": {"calibration": {"target": "alignment"}}}, queue / "triage.json")
    assert make_plan(read_scores(run), RUBRIC, queue, (), None).questions["alignment"].anchors[5] == "best"


def test_without_a_queue_the_runs_priority_is_the_order_and_overall_is_asked(make_run: MakeRun) -> None:
    plan = make_plan(read_scores(make_run(score_rows(3))), RUBRIC, None, (), 2)
    assert [item.id for item in plan.items] == ["item-0002", "item-0001", "item-0000"]
    assert {item.raters for item in plan.items} == {2}
    assert list(plan.questions) == ["overall"]


def test_a_wrong_dimension_or_a_foreign_queue_is_one_paragraph(make_run: MakeRun, tmp_path: Path) -> None:
    run = read_scores(make_run(score_rows(3)))
    with pytest.raises(UserError, match="Did you mean 'adherence'"):
        make_plan(run, RUBRIC, None, ("adherance",), None)
    write_csv(pd.DataFrame({"id": ["other"]}), tmp_path / "queue.csv")
    with pytest.raises(TableError, match="a queue of this run"):
        make_plan(run, RUBRIC, tmp_path, (), None)


def test_what_was_rated_is_imported_and_calibrate_reads_it(tmp_path: Path) -> None:
    plan = plan_of(*(QueuedItem(f"i{n}", 2) for n in range(4)))
    for rater in ("ann", "bob"):
        session = session_of(tmp_path, plan, rater)
        session.answer(0, "quality", Kind.RATING, 1, 9.0)
        session.undo()
        session.answer(0, "quality", Kind.RATING, 4, 2.0)
        session.answer(1, "quality", Kind.NOT_APPLICABLE, None, 3.0)
        session.answer(2, "quality", Kind.SKIP, None, 5.0, ("broken_picture",))
        session.remark(0, ("unsure",), "hm")
        session._log.close()
    out = tmp_path / "ratings.parquet"
    files = [str(path) for path in sorted(tmp_path.glob("*.jsonl"))]
    result = CliRunner().invoke(app, ["ratings", "import", *files, "--format", "rate", "--out", str(out)])
    assert result.exit_code == 0, result.output
    ratings = read_ratings(out)
    assert ratings.scale == RUBRIC.rating_scale
    frame = ratings.frame.set_index(["rater", "id"]).sort_index()
    assert frame.loc[("ann", "i0"), "rating"] == 4
    assert frame.loc[("ann", "i0"), "seconds"] == 2
    assert frame["not_applicable"].tolist() == [False, True, True] * 2
    assert ratings.of("quality")["id"].tolist() == ["i0", "i0"]
    remarks = pd.read_csv(out.with_suffix(".remarks.csv"), keep_default_na=False)
    assert remarks.to_dict("list") == {
        "id": ["i0", "i0", "i2", "i2"], "rater": ["ann", "bob", "ann", "bob"],
        "flags": ["unsure", "unsure", "broken_picture", "broken_picture"], "comment": ["hm", "hm", "", ""],
    }  # fmt: skip


def test_a_rater_who_changes_their_mind_counts_once() -> None:
    first = Entry(Kind.RATING, "i", "r", NOW.isoformat(), "q", 1)
    second = Entry(Kind.RATING, "i", "r", NOW.isoformat(), "q", 2)
    assert list(standing_answers([first, second]).values()) == [second]
