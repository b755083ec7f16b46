"""The verbs end to end on tables: what they write, print and refuse."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calibration_cases import world
from PIL import Image

from edit_metrics.cli import main
from edit_metrics.triage.uncalibrated import QueueOptions, triage_by_priority


def run(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["edit-metrics", *map(str, words)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.fixture
def files(tmp_path: Path) -> Path:
    frame, ratings = world()
    frame.to_csv(tmp_path / "scores.csv", index=False)
    ratings.frame.to_csv(tmp_path / "ratings.csv", index=False)
    return tmp_path


def test_ratings_calibrate_triage_and_estimate_work_on_tables_alone(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ratings = files / "ratings.parquet"
    imported = ("ratings", "import", files / "ratings.csv", "--format", "csv", "--scale", "0,0.5,1", "--out", ratings)
    assert run(monkeypatch, *imported) == 0
    assert run(monkeypatch, "ratings", "agreement", ratings, "--scores", files / "scores.csv", "--json") == 0
    (agreement,) = json.loads(capsys.readouterr().out)
    assert 0.5 < agreement["alpha"]["estimate"] < 1

    calibration = files / "calibration.json"
    fit = ("calibrate", files / "scores.csv", "--ratings", ratings, "--target", "adherence", "--out", calibration)
    assert run(monkeypatch, *fit, "--ratings-are-random") == 0
    assert "one rater against the rest" in capsys.readouterr().out
    for kind in ("reliability", "residual_cost"):
        with Image.open(files / f"calibration.{kind}.png") as picture:
            assert picture.size[0] > 600
            assert len(np.unique(np.asarray(picture))) > 10

    out = files / "triage"
    place = ("triage", files / "scores.csv", "--calibration", calibration, "--out", out, "--max-error", "0.1")
    assert run(monkeypatch, *place, "--budget", 50, "--json") == 0
    statement = json.loads(capsys.readouterr().out)
    assert statement["queued"] == len(pd.read_csv(out / "queue.csv")) == 50
    assert statement["automatic_decisions"]["promise"].startswith("With 95% confidence")
    assert statement["lanes"]["auto-fail"] > 0
    assert (out / "plots" / "risk_coverage.png").is_file()

    guess = ("estimate", files / "scores.csv", "--ratings", ratings, "--target", "adherence", "--feature", "good")
    assert run(monkeypatch, *guess, "--by", "model") == 0
    assert "every item is rated" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ratings", "import", "nothing.csv", "--format", "csv", "--out", "r.parquet"), "no such file"),
        (("ratings", "import", "ratings.csv", "--format", "xml", "--out", "r.parquet"), "csv, label-studio or rate"),
        (("ratings", "import", "ratings.csv", "--format", "csv", "--out", "r.csv"), "ending in .parquet"),
        (
            ("calibrate", "scores.csv", "--ratings", "ratings.csv", "--target", "adherance", "--out", "c.json"),
            "adherence",
        ),
        (("triage", "scores.csv", "--out", "t", "--calibration", "scores.csv"), "JSON"),
        (("triage", "scores.csv", "--out", "t", "--order-by", "god"), "Did you mean 'good'"),
        (("estimate", "scores.csv", "--ratings", "ratings.csv", "--target", "adherence"), "neither"),
    ],
)
def test_mistakes_end_with_exit_code_2_and_one_paragraph(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    monkeypatch.chdir(files)
    assert run(monkeypatch, *words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_estimate_says_what_of_a_calibration_cannot_be_checked(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(files)
    about = ("scores.csv", "--ratings", "ratings.csv", "--target", "adherence")
    assert run(monkeypatch, "calibrate", *about, "--out", "calibration.json") == 0
    capsys.readouterr()
    assert run(monkeypatch, "estimate", *about, "--calibration", "calibration.json") == 0
    assert "warning: the score table is unsigned" in capsys.readouterr().err


def test_triage_of_pictures_writes_what_label_studio_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = pd.DataFrame(
        {"id": ["a", "b"], "source": "s.png", "edited": "e.png", "instruction": "blue", "priority": [2, 1]}
    )
    table.to_csv(tmp_path / "scores.csv", index=False)
    assert run(monkeypatch, "triage", tmp_path / "scores.csv", "--out", tmp_path / "t", "--overlap", 2, "--blind") == 0
    capsys.readouterr()
    tasks = json.loads((tmp_path / "t" / "label_studio_tasks.json").read_text())
    assert [task["data"]["item_id"] for task in tasks] == ["b", "a"]
    assert all("predictions" not in task for task in tasks)
    statement = json.loads((tmp_path / "t" / "triage.json").read_text())
    assert statement["ratings_asked_for"] == 4
    assert statement["label_studio"]["local_storages"] == [str(tmp_path.resolve())]


def test_triage_without_a_calibration_needs_no_extra() -> None:
    blocked = "import sys\nfor n in ('statsmodels', 'krippendorff', 'matplotlib'): sys.modules[n] = None\n"
    code = (
        f"{blocked}import pandas as pd\nfrom edit_metrics.triage.uncalibrated import QueueOptions, triage_by_priority\n"
        "from edit_metrics.triage.files import write_triage\n"
        "frame = pd.DataFrame({'id': ['a', 'b'], 'priority': [2, 1]})\n"
        "print([p.id for p in triage_by_priority(frame, QueueOptions()).queue])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "['b', 'a']"


def test_a_large_table_is_queued_in_priority_order() -> None:
    n = 20_000
    rank = np.random.default_rng(0).permutation(n) + 1
    frame = pd.DataFrame({"id": [f"i{k}" for k in range(n)], "priority": rank})
    queue = triage_by_priority(frame, QueueOptions(budget=1000)).queue
    places = [int(rank[int(item.id[1:])]) for item in queue]
    assert places == sorted(places)
