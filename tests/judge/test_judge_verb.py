"""`edit-metrics judge`: from a run folder to the same folder with answers, whatever happens on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from cases import CHEAP, edit_metrics, make_edits, served, write_scored

from edit_metrics.api.scoring import score
from edit_metrics.backends import chat_endpoints
from edit_metrics.config import validate_config
from edit_metrics.errors import ConfigError, TableError
from edit_metrics.judge.store import AnswerStore
from edit_metrics.scores.run_info import read_run_info

COUNT = 12


@pytest.fixture(autouse=True)
def own_cache_and_no_long_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EDIT_METRICS_JUDGE_CACHE", str(tmp_path / "answers"))
    monkeypatch.setattr(chat_endpoints, "_FIRST_WAIT", 0.005)
    monkeypatch.setattr(chat_endpoints, "_LONGEST_WAIT", 0.02)
    return iter(())


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scored(tmp_path_factory.mktemp("scored"), make_edits(COUNT), no_ops=2)


@pytest.fixture
def run(scored: Path, tmp_path: Path) -> Path:
    """A copy of a scored run, that lies where its run.json says."""
    copy = tmp_path / "run"
    shutil.copytree(scored.parent, tmp_path, dirs_exist_ok=True)
    info = (copy / "run.json").read_text(encoding="utf-8")
    (copy / "run.json").write_text(info.replace(str(scored.parent), str(tmp_path)), encoding="utf-8")
    return copy


def frame_of(run: Path) -> pd.DataFrame:
    return pd.read_parquet(run / "scores.parquet").set_index("id")


def test_answers_become_measurements_pre_scores_flags_and_order(run: Path) -> None:
    before = frame_of(run)
    assert before["adherence.score"].notna().sum() == 2  # a cheap profile knows nothing but that nothing changed
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--all")
    frame = frame_of(run)
    asked = [call["item"] for call in server.log.calls if call["item"]]
    assert sorted(asked) == sorted(f"e{i}" for i in range(COUNT - 2))  # no-ops are settled
    row = frame.loc["e7"]
    assert (row["adherence.judge"], row["preservation.judge"]) == (0.7, 0.8)
    assert (row["adherence.score"], row["preservation.score"]) == (0.7, 0.8)
    assert row["quality.score"] == pytest.approx(0.55)
    assert row["overall.min"] == row["quality.score"]
    assert (row["judge.why"], row["judge.model"], row["judge.repetitions"]) == ("seen", "replay-1", 1)
    assert (row["judge.viescore_sc"], row["judge.viescore_pq"]) == (0.7, 0.5)
    assert row["judge.viescore"] == pytest.approx((0.7 * 0.5) ** 0.5)
    assert (row["judge.selected_by"], row["judge.inclusion_prob"]) == ("all", 1.0)
    assert pd.isna(row["judge.spread"])
    assert (row["feasibility.judge.status"], row["feasibility.judge.reason"]) == ("unavailable", "judge_not_asked")
    settled = frame.loc["e11"]
    assert (settled["adherence.score"], settled["flags"], settled["adherence.judge.reason"]) == (
        0.0, "no_op", "judge_not_asked",
    )  # fmt: skip
    assert sorted(frame["priority"]) == list(range(1, COUNT + 1))
    assert list(pd.read_csv(run / "scores.csv").columns) == ["id", *frame.columns]


def test_the_signature_and_run_json_name_the_judge(run: Path) -> None:
    before = read_run_info(run)
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all", "--set", "backends.judge.model_revision=r1")
    info = read_run_info(run)
    assert before is not None
    assert info is not None
    assert info.judge is not None
    assert (info.judge.model, info.judge.model_revision, info.judge.template.name) == (
        "replay-1",
        "r1",
        "edit-judge v1",
    )
    assert info.score_signature["adherence"].parts["judge"]["model"] == "replay-1"
    assert info.score_signature["adherence"].sha256 != before.score_signature["adherence"].sha256
    assert info.score_signature["structure"] == before.score_signature["structure"]
    assert info.run_signature == before.run_signature
    assert info.judge.canaries is not None
    assert len(info.judge.canaries.answers) == 8
    assert info.judge.counts == {
        "asked": 10,
        "answered": 10,
        "left_out": 0,
        "calls": 10,
        "tokens_in": 9000,
        "tokens_out": 600,
    }


def test_a_second_call_asks_the_canaries_alone_and_writes_the_same_bytes(run: Path) -> None:
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--all")
        first = (run / "scores.parquet").read_bytes()
        edit_metrics("judge", run, "--base-url", url, "--all")
    assert (run / "scores.parquet").read_bytes() == first
    assert len([call for call in server.log.calls if call["item"]]) == COUNT - 2


def test_without_a_choice_a_judge_on_this_machine_is_asked_about_all(run: Path) -> None:
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url)
    assert set(frame_of(run)["judge.selected_by"]) == {"all"}


def test_a_dry_run_says_what_it_would_take_and_sends_nothing(run: Path) -> None:
    before = (run / "scores.parquet").read_bytes()
    with served(make_edits(COUNT)) as (server, url):
        found = edit_metrics(
            "judge", run, "--base-url", url, "--dry-run", "--json", "--price-in", "1", "--price-out", "4"
        )
    assert json.loads(found.stdout)["asked"] == COUNT - 2
    assert "2 settled without a judge (no_op 2)" in found.stderr
    assert "USD" in found.stderr
    assert server.log.calls == []
    assert (run / "scores.parquet").read_bytes() == before


def test_repetitions_are_averaged_and_their_spread_is_kept(run: Path) -> None:
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--all", "--repeat", 2)
    row = frame_of(run).loc["e4"]
    assert (row["adherence.judge"], row["judge.repetitions"]) == (pytest.approx(0.45), 2)
    assert row["judge.spread"] == pytest.approx(0.1)
    assert {call["seed"] for call in server.log.calls if call["item"]} == {1, 2}


def test_a_budget_asks_that_many_and_says_why_each(run: Path) -> None:
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--budget", 5, "--random-share", 0.4)
    frame = frame_of(run)
    assert len([call for call in server.log.calls if call["item"]]) == 5
    drawn = frame[frame["judge.selected_by"] == "random"]
    assert len(drawn) == 2
    assert set(drawn["judge.inclusion_prob"]) == {2 / COUNT}
    assert (frame["adherence.judge.reason"] == "judge_not_asked").sum() == COUNT - 5
    info = read_run_info(run)
    assert info is not None
    assert info.judge is not None
    assert info.judge.in_part


def test_the_items_of_another_run_are_asked_again(tmp_path: Path) -> None:
    first, second = (write_scored(tmp_path / name, make_edits(COUNT)) for name in ("a", "b"))
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", first, "--base-url", url, "--budget", 5)
        edit_metrics("judge", second, "--base-url", url, "--same-as", first)
    asked = [set(frame.index[frame["adherence.judge"].notna()]) for frame in map(frame_of, (first, second))]
    assert asked[0] == asked[1]
    assert set(frame_of(second)["judge.selected_by"].dropna()) == {"same_as"}
    edit_metrics("compare", first, second, "--out", tmp_path / "compared")
    assert json.loads((tmp_path / "compared" / "comparison.json").read_text())["runs"][0]["n_items"] == 5


def test_what_the_judge_sees_as_unsafe_goes_first_and_nothing_clears_an_item(tmp_path: Path) -> None:
    edits = make_edits(4)
    run = write_scored(tmp_path, edits)
    with served(
        edits,
    ) as (server, url):
        server.book._numbers["e2"][1] = {**server.book._numbers["e2"][1], "possible": 3, "unsafe": ["gore", "weapons"]}
        edit_metrics("judge", run, "--base-url", url, "--all")
    row = frame_of(run).loc["e2"]
    assert (row["flags"], row["priority"]) == ("unsafe_seen", 1)
    assert (row["safety.judge_flags"], row["safety.judge_flags.reason"]) == (2.0, "saw_gore;saw_weapons")
    assert row["feasibility.judge"] == 0.3
    assert row["feasibility.score"] == 1.0


def test_a_batch_s_answers_make_the_same_table_as_asking(run: Path, tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--all", "--model", "replay-1", "--export", requests)
        assert server.log.calls == []
        answers = [answer_line(server, json.loads(line)) for line in requests.read_text().splitlines()]
        (tmp_path / "answers.jsonl").write_text("".join(json.dumps(line) + "\n" for line in answers[::-1]))
        edit_metrics("judge", run, "--all", "--model", "replay-1", "--import", tmp_path / "answers.jsonl")
        imported = (run / "scores.parquet").read_bytes()
        edit_metrics("judge", run, "--base-url", url, "--all", "--model", "replay-1", "--cache", tmp_path / "fresh")
    assert (run / "scores.parquet").read_bytes() == imported
    edit_metrics("judge", run, "--all", "--model", "other", "--import", tmp_path / "answers.jsonl", exit_code=2)


def answer_line(server: Any, request: dict[str, Any]) -> dict[str, Any]:
    from replay import Reply

    asked = server.read(request["body"])
    found = server.book.find(asked)
    numbers = found[1] if found else server.rest(asked)
    body = json.loads(bytes(Reply(dict(numbers), server.model).response().body))
    return {"custom_id": request["custom_id"], "response": {"status_code": 200, "body": body}, "error": None}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--base-url", "https://judge.example.org/v1", "--yes"),
            "a judge on another machine, got none of them",
        ),
        (("--all", "--budget", "3"), "got --budget and --all"),
        (("--all", "--set", "engine.shard_size=3"), "--set backends.judge.KEY=VALUE"),
        (("--all", "--set", "backends.judge.temprature=1"), "Did you mean 'temperature'"),
        (("--all", "--export", "a", "--import", "b"), "--export or --import"),
        (("--all", "--base-url", "https://judge.example.org/v1"), "Scripts say --yes"),
        (("--all", "--base-url", "ftp://x"), "http://HOST:PORT/v1"),
        (("--all", "--same-as", "missing"), "got --all and --same-as"),
        (("--all", "--template", "missing.yaml"), "a readable judge template"),
    ],
)
def test_a_wrong_call_is_one_paragraph_and_sends_nothing(run: Path, arguments: tuple[str, ...], said: str) -> None:
    found = edit_metrics("judge", run, *arguments, exit_code=2)
    assert said in str(found.exception)


def test_pictures_that_have_changed_or_gone_are_refused_before_anything_is_sent(run: Path) -> None:
    pictures = run.parent / "pictures"
    with served(make_edits(COUNT)) as (server, url):
        (pictures / "e3_edited.png").write_bytes((pictures / "e4_edited.png").read_bytes())
        found = edit_metrics("judge", run, "--base-url", url, "--all", exit_code=2)
        assert "1 of 20 with other content now: pictures/e3_edited.png" in str(found.exception)
        (pictures / "e3_edited.png").unlink()
        found = edit_metrics("judge", run, "--base-url", url, "--all", exit_code=2)
        assert "--root FOLDER" in str(found.exception)
        assert server.log.calls == []


def test_a_folder_that_has_moved_is_found_by_its_root(run: Path, tmp_path: Path) -> None:
    (run.parent / "pictures").rename(tmp_path / "elsewhere")
    (tmp_path / "new").mkdir()
    (tmp_path / "elsewhere").rename(tmp_path / "new" / "pictures")
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all", "--root", tmp_path / "new")
    assert frame_of(run)["adherence.judge"].notna().sum() == COUNT - 2


def test_a_table_without_its_run_is_refused(run: Path, tmp_path: Path) -> None:
    (tmp_path / "alone.csv").write_bytes((run / "scores.csv").read_bytes())
    found = edit_metrics("judge", tmp_path / "alone.csv", "--all", exit_code=2)
    assert isinstance(found.exception, TableError)


def test_a_judge_that_moved_since_its_first_answers_is_said_and_refuses_a_comparison(tmp_path: Path) -> None:
    edits = make_edits(4)
    first, second = (write_scored(tmp_path / name, edits) for name in ("a", "b"))
    with served(edits) as (_, url):
        edit_metrics("judge", first, "--base-url", url, "--all")
    with served(edits) as (server, url):
        truth = server.rest
        server.rest = lambda asked: {
            name: min(10, value + 3) if isinstance(value, int) else value for name, value in truth(asked).items()
        }
        found = edit_metrics("judge", second, "--base-url", url, "--all")
    assert "does not answer as it did" in found.stderr
    found = edit_metrics("compare", first, second, "--out", tmp_path / "compared", exit_code=2)
    assert "changed behind its name" in str(found.exception)


def test_nobody_there_is_one_paragraph(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from replay import free_port

    found = edit_metrics(
        "judge", run, "--all", "--model", "m", "--base-url", f"http://127.0.0.1:{free_port()}/v1", exit_code=2
    )
    assert "judge_unreachable" in str(found.exception)


def test_another_judge_s_answers_replace_the_first_one_s(run: Path) -> None:
    edits = make_edits(COUNT)
    with served(edits) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all")
    with served(edits, model="replay-2") as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--budget", 4)
    frame = frame_of(run)
    assert set(frame["judge.model"].dropna()) == {"replay-2"}
    assert frame["adherence.judge"].notna().sum() == len([c for c in server.log.calls if c["item"]]) == 4
    assert frame["adherence.score"].notna().sum() == 4 + 2


def test_answers_are_kept_where_the_option_says(run: Path, tmp_path: Path) -> None:
    with served(make_edits(COUNT)) as (_, url):
        edit_metrics("judge", run, "--base-url", url, "--all", "--cache", tmp_path / "mine")
    store = AnswerStore(tmp_path / "mine")
    assert sum(1 for _ in store._connection.execute("SELECT key FROM answers")) == COUNT - 2
    store.close()
    assert not (tmp_path / "answers").exists()


def test_a_profile_with_a_judge_asks_it_after_scoring(tmp_path: Path) -> None:
    edits = make_edits(6)
    run = write_scored(tmp_path, edits)
    profile = tmp_path / "judged.yaml"
    with served(edits) as (server, url):
        section = {"use": "chat_judge", "base_url": url, "model_revision": "r7"}
        profile.write_text(yaml.safe_dump(CHEAP | {"backends": {"judge": section}, "judge": {"budget": 3}}))
        words = ("score", tmp_path / "manifest.jsonl", "--config", profile, "--out", tmp_path / "scored")
        edit_metrics(*words)
        first = (tmp_path / "scored" / "scores.parquet").read_bytes()
        edit_metrics(*words)  # the run is there, and so are the answers
        edit_metrics("judge", run, "--base-url", url, "--budget", 3, "--set", "backends.judge.model_revision=r7")
    assert (tmp_path / "scored" / "scores.parquet").read_bytes() == first
    assert len([call for call in server.log.calls if call["item"]]) == 3
    assert frame_of(run).equals(frame_of(tmp_path / "scored"))


def test_python_refuses_a_profile_with_a_judge_instead_of_leaving_it_out(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="edit-metrics judge RUN"):
        score([{"id": "a"}], profile=validate_config(CHEAP | {"judge": {}}, "tests"))


def test_a_no_to_another_machine_is_no_verdict(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    url = "https://judge.example.org/v1"
    found = edit_metrics("judge", run, "--all", "--model", "m", "--base-url", url, exit_code=2)
    assert "judge.example.org" in found.stderr
    assert "a yes to sending pictures" in str(found.exception)


def test_listed_items_are_asked_beside_those_of_before(run: Path, tmp_path: Path) -> None:
    (tmp_path / "judge_queue.csv").write_text("id,why\ne1,undecided\ne10,undecided\n")
    with served(make_edits(COUNT)) as (server, url):
        edit_metrics("judge", run, "--base-url", url, "--budget", 4, "--random-share", 0.5)
        before = frame_of(run)["judge.selected_by"].dropna()
        edit_metrics("judge", run, "--base-url", url, "--ids", tmp_path / "judge_queue.csv")
        frame = frame_of(run)
        edit_metrics("judge", run, "--base-url", url, "--ids", run / "scores.csv", "--dry-run")
    after = frame["judge.selected_by"].dropna()
    assert after[before.index].equals(before)
    assert set(after.index) == {*before.index, "e1", "e10"}
    asked = {call["item"] for call in server.log.calls if call["item"]}
    assert asked == set(frame.index[frame["adherence.judge"].notna()]) == set(after.index) - {"e10", "e11"}  # no-ops
    assert frame["judge.inclusion_prob"].dropna().unique().tolist() == [2 / COUNT]
    (tmp_path / "judge_queue.csv").write_text("id\nnobody\n")
    found = edit_metrics("judge", run, "--base-url", url, "--ids", tmp_path / "judge_queue.csv", exit_code=2)
    assert "ids of items of this run" in str(found.exception)


def test_the_report_says_what_the_judge_said_as_text(run: Path) -> None:
    with served(make_edits(COUNT)) as (server, url):
        server.book._numbers["e0"][1] = {**server.book._numbers["e0"][1], "why": "<b>blurred</b> hat"}
        edit_metrics("judge", run, "--base-url", url, "--all")
    edit_metrics("report", run)
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "Judge: &lt;b&gt;blurred&lt;/b&gt; hat" in page
    assert "<b>blurred" not in page
