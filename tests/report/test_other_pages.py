"""The pages of a comparison and of a triage."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest_report import MakeRun, embedded_table, score_rows
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import TableError
from edit_metrics.io.tables import write_json
from edit_metrics.report.write import ReportOptions, write_report
from edit_metrics.types import DIMENSIONS

EVIL = "<script>alert('x')</script>"


def rows_for(n: int, **changed: Any) -> list[dict[str, Any]]:
    """Rows whose every item is a group of its own, safe, and good at everything."""
    rows = score_rows(n)
    for index, row in enumerate(rows):
        for name in DIMENSIONS[:-1]:  # nobody has a face
            row[f"{name}.score"] = 0.9 - index / 1000
        row.update({"group": f"g{index}", "flags": ""} | changed)
    return rows


@pytest.fixture
def compared(make_run: MakeRun, tmp_path: Path) -> Path:
    """Twelve items; the second run loses preservation on all, a score of one, and has an unsafe item."""
    before, after = rows_for(12), rows_for(12)
    for index, row in enumerate(after):
        row["preservation.score"] = 0.3 + index / 100
    after[2] |= {"style.score": None, "style.status": "failed", "style.reasons": "ValueError: no style"}
    after[3] |= {"flags": "unsafe"}
    after[4] |= {"instruction": EVIL}
    before[4] |= {"instruction": EVIL}
    out = tmp_path / "compared"
    runs = [str(make_run(rows, name)) for rows, name in ((before, "old"), (after, "new"))]
    assert CliRunner().invoke(app, ["compare", *runs, "--out", str(out)]).exit_code == 0
    return out


def page_of(folder: Path, **options: Any) -> str:
    return write_report(folder, None, ReportOptions(**options)).path.read_text(encoding="utf-8")


def test_a_comparison_names_what_got_worse(compared: Path) -> None:
    made = write_report(compared)
    page = made.path.read_text(encoding="utf-8")
    assert made.kind == "comparison"
    row = re.search(r"<tr><th scope=\"row\">preservation</th>.*?</tr>", page, re.DOTALL)
    assert row is not None
    assert 'class="verdict-worse">worse' in row[0]
    assert 'class="interval"' in row[0]
    assert "Passed in old, fail now" in page
    assert "Failed in old, pass now" not in page


def test_with_several_baselines_every_row_names_its_own(make_run: MakeRun, tmp_path: Path) -> None:
    old, older, new = (str(make_run(rows_for(12), name)) for name in ("old", "older", "new"))
    out = tmp_path / "several"
    command = ["compare", new, "--baseline", old, "--baseline", older, "--out", str(out)]
    assert CliRunner().invoke(app, command).exit_code == 0
    page = page_of(out)
    assert "<td>new against old</td>" in page
    assert "<td>new against older</td>" in page


def test_flips_show_the_source_and_both_edited_pictures(compared: Path) -> None:
    page = page_of(compared)
    assert page.count('<article class="card"') == 12
    assert page.count("data:image/webp") == 36
    captions = re.findall("<figcaption>(.*?)</figcaption>", page)
    assert captions[:3] == ["source", "old", "new"]
    assert page.count("data:image/webp") > page_of(compared, thumbnails=3).count("data:image/webp") > 0


def test_a_flip_that_either_run_flags_as_unsafe_is_blurred(compared: Path) -> None:
    page = page_of(compared)
    card = re.search(r"<h3>item-0003</h3>.*?</article>", page, re.DOTALL)
    assert card is not None
    assert "pictures sensitive" in card[0]
    assert page.count("pictures sensitive") == 1


def test_pictures_are_blurred_when_the_runs_are_gone(compared: Path, tmp_path: Path) -> None:
    (tmp_path / "new").rename(tmp_path / "elsewhere")
    page = page_of(compared)
    assert page.count("pictures sensitive") == 12
    assert "The run is not there any more." in page


def test_scores_that_are_newly_missing_are_listed_with_their_reason(compared: Path) -> None:
    page = page_of(compared)
    assert "ValueError: no style" in page
    assert "Scores that are newly missing" in page


def test_a_comparison_escapes_what_came_from_a_manifest(compared: Path) -> None:
    page = page_of(compared)
    assert EVIL not in page
    assert "&lt;script&gt;alert(" in page


def test_another_json_is_not_taken_for_a_comparison(tmp_path: Path) -> None:
    write_json({"format": "other", "version": 3}, tmp_path / "comparison.json")
    with pytest.raises(TableError, match="edit-metrics/comparison"):
        write_report(tmp_path)
    (tmp_path / "comparison.json").write_text("{broken", encoding="utf-8")
    with pytest.raises(TableError, match="a JSON file"):
        write_report(tmp_path)


@pytest.fixture
def triaged(make_run: MakeRun) -> Path:
    """A triage inside its run's folder: ten items, a budget of six, one unsafe."""
    rows = rows_for(10)
    rows[8] |= {"flags": "unsafe", "safety.score": 0.0}
    rows[5] |= {"instruction": EVIL}
    run = make_run(rows)
    out = run / "triage"
    arguments = ["triage", str(run), "--out", str(out), "--budget", "6", "--audit", "0.3"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    return out


def test_a_triage_says_what_was_promised_and_where_items_went(triaged: Path) -> None:
    made = write_report(triaged)
    page = made.path.read_text(encoding="utf-8")
    assert made.kind == "triage"
    assert "<b>6</b> of <b>10</b> items are queued for people, within a budget of 6" in page
    assert "triage ran without a calibration" in page
    assert "flagged as unsafe" in page


def test_the_queue_comes_first_and_in_its_order(triaged: Path) -> None:
    table = embedded_table(page_of(triaged))
    labels = [column["label"] for column in table["columns"]]
    assert labels[:4] == ["order", "id", "lane", "queued because"]
    assert [row[0] for row in table["rows"]] == [1, 2, 3, 4, 5, 6, None, None, None, None]
    queue = [json.loads(line)["id"] for line in (triaged / "queue.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row[1] for row in table["rows"]][:6] == queue
    sentences = table["codes"]
    assert "Beyond the budget of this round." in sentences
    assert "Drawn at random for the audit." in sentences


def test_a_triage_in_its_run_shows_that_runs_pictures(triaged: Path) -> None:
    page = page_of(triaged)
    assert page.count('<article class="card"') == 6
    assert page.count('src="data:image/webp') == 24
    assert page.count('data-overlay="data:image/svg+xml') == 6
    assert sum(bool(detail[0]) for detail in embedded_table(page)["details"]) == 4  # rows without a card
    assert page.count("pictures sensitive") == 1
    assert EVIL not in page


def test_a_triage_elsewhere_needs_the_run_to_show_pictures(triaged: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    triaged.rename(moved)
    page = page_of(moved)
    assert "name the run with <code>--run RUN</code>" in page
    assert "data:image/webp" not in page
    assert len(embedded_table(page)["rows"]) == 10
    assert "data:image/webp" in page_of(moved, run=tmp_path / "run")
