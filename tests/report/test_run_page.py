"""The page of a run: structure, escaping, choices, and tables that this program did not write."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest_report import MakeRun, embedded_table, score_rows
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.errors import TableError
from edit_metrics.evidence.files import evidence_name
from edit_metrics.report.cards import choose
from edit_metrics.report.charts import histogram, interval
from edit_metrics.report.html import safe_json, visible
from edit_metrics.report.run_page import rows_to_show
from edit_metrics.report.table import MAX_ROWS
from edit_metrics.report.write import ReportOptions, write_report
from edit_metrics.scores.items import reachable_confidence, read_items
from edit_metrics.scores.run_info import RunInfo

EVIL = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)> \"'`&amp; \x00\x1b[31m"
    "\u202egnp.exe\ud800"
)


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        if self._inside not in ("script", "style"):
            self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(folder: Path, options: ReportOptions | None = None) -> str:
    return write_report(folder, None, options).path.read_text(encoding="utf-8")


def test_the_page_says_what_was_scored_and_what_cannot_be_seen(make_run: MakeRun) -> None:
    page = Page(page_of(make_run(score_rows(6))))
    assert "anatomy" in page.text
    assert "not calibrated to people" in page.text
    assert "No face was found in the source." in page.text
    for word in ("cd" * 8, "ef" * 32, "ab" * 32, "a profile for tests"):
        assert word in page.text
    ids = [attributes["id"] for attributes in page.named("section")]
    assert ids[:5] == ["worst", "uncertain", "unseen", "dimensions", "slices"]  # pictures before histograms
    assert {"items", "coverage", "made"} <= set(ids)


def test_nothing_is_loaded_from_elsewhere(make_run: MakeRun) -> None:
    page = Page(page_of(make_run(score_rows(6))))
    policy = next(m["content"] for m in page.named("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; img-src data: 'self' file:; style-src 'sha256-")
    assert "unsafe" not in policy
    assert all((image["src"] or "").startswith("data:image/webp;base64,") for image in page.named("img"))
    assert not page.named("link")
    assert not [attributes for _, attributes in page.tags if "style" in attributes or "onclick" in attributes]
    assert all((link["href"] or "").startswith("#") for link in page.named("a"))


@pytest.mark.parametrize("column", ["id", "instruction", "model", "edit_type", "flags", "adherence.reasons", "source"])
def test_text_of_a_manifest_never_becomes_markup(make_run: MakeRun, column: str) -> None:
    plain = Page(page_of(make_run(score_rows(2))))
    rows = score_rows(2)
    rows[1][column] = EVIL.replace("\ud800", "").replace("\x00", "\x01").replace(";", ",")
    html = page_of(make_run(rows, "evil"))
    page = Page(html)
    assert len(page.named("script")) == len(plain.named("script"))
    assert not [attributes for _, attributes in page.tags if "onerror" in attributes]
    assert all((image["src"] or "").startswith("data:") for image in page.named("img"))
    assert "\x1b" not in html
    assert "\u202e" not in html
    if column != "source":  # A path is not shown.
        assert "document.title='owned'" in page.text or "document.title='owned'" in str(embedded_table(html))
        assert "[U+001B]" in page.text


def test_json_in_the_page_survives_every_character() -> None:
    text = safe_json({EVIL: [EVIL]})
    assert "<" not in text
    assert ">" not in text
    assert "&" not in text
    assert str(text).isascii()


def test_control_and_direction_characters_are_shown_by_name() -> None:
    assert visible("a\x00b\x1b\x7f\u202e\ud800\u200b") == "a[U+0000]b[U+001B][U+007F][U+202E][U+D800][U+200B]"
    assert visible("line\n\ttab é 漢 🙂") == "line\n\ttab é 漢 🙂"


def test_the_table_holds_every_item_in_the_order_of_looking(make_run: MakeRun) -> None:
    table = embedded_table(page_of(make_run(score_rows(9))))
    labels = [column["label"] for column in table["columns"]]
    assert labels[:6] == ["order", "id", "instruction", "model", "edit type", "flags"]
    assert [row[0] for row in table["rows"]] == list(range(1, 10))
    assert table["rows"][0][1] == "item-0008"
    reasons = table["details"][0][2][2][2]
    assert [table["codes"][code] for code in reasons] == ["No mask was given.", "The score is close to the pass mark."]


def test_thumbnails_stay_within_their_budget(make_run: MakeRun) -> None:
    folder = make_run(score_rows(20))
    few, none = Page(page_of(folder, ReportOptions(thumbnails=6))), Page(page_of(folder, ReportOptions(thumbnails=0)))
    assert len([a for a in few.named("article") if a["class"] == "card"]) == 6
    assert len(few.named("img")) == 6 * 4
    assert not none.named("img")


def test_the_worst_come_first_and_then_the_least_certain() -> None:
    rows = score_rows(12)
    rows[0]["quality.confidence"] = 0.1
    frame = pd.DataFrame(rows)
    chosen = choose(read_items(frame, reachable_confidence(None, frame)), 9)
    assert [item.id for item in chosen.worst] == [f"item-{n:04d}" for n in (11, 10, 9, 8, 7, 6)]
    assert chosen.uncertain[0].id == "item-0000"
    assert len(chosen.uncertain) == 3


def test_certainty_is_a_share_of_what_the_profile_can_reach() -> None:
    frame = pd.DataFrame(score_rows(2))
    section = {"cap": 0.5, "curves": {"m": {"trust": 0.9}}}
    reach = reachable_confidence(RunInfo(config={"dimensions": {"quality": section}}), frame)
    assert reach["quality"] == 0.5
    assert reach["style"] == 0.8
    frame["quality.confidence"] = 0.25
    assert read_items(frame, reach)[0].certainty == 0.5


@pytest.mark.parametrize(
    "changed",
    [
        {"flags": "unsafe"},
        {"flags": "no_op;unsafe_request"},
        {"safety.score": 0.2},
        {"safety.score": None, "safety.status": "failed"},
    ],
)
def test_unsafe_pictures_are_blurred_until_asked_for(make_run: MakeRun, changed: dict[str, object]) -> None:
    html = page_of(make_run(score_rows(2, **changed)))
    page = Page(html)
    blurred = [a for a in page.named("div") if a.get("class") == "pictures sensitive"]
    buttons = [a for a in page.named("button") if a.get("class") == "reveal"]
    assert len(blurred) == len(buttons) == 2
    assert all(button["aria-pressed"] == "false" for button in buttons)
    assert ".sensitive img { filter: blur(" in html
    assert all(detail[5] for detail in embedded_table(html)["details"])


def test_safe_pictures_are_not_blurred(make_run: MakeRun) -> None:
    rows = score_rows(2)
    for row in rows:
        row["safety.score"] = 1.0
    assert "pictures sensitive" not in page_of(make_run(rows))


def test_pictures_outside_the_root_are_not_read(make_run: MakeRun, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    folder = make_run(score_rows(2, edited=str(secret), mask=None))
    secret.write_bytes((tmp_path / "pictures" / "source.png").read_bytes())
    page = Page(page_of(folder))
    assert "Lies outside the manifest's folder" in page.text
    assert len(page.named("img")) == 2
    allowed = Page(page_of(folder, ReportOptions(allow_outside_root=True)))
    assert len(allowed.named("img")) == 6


def test_broken_and_missing_pictures_are_said_in_words(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run([*score_rows(1, edited="gone.png"), *score_rows(1, id="b", edited="broken.png")])
    (tmp_path / "pictures" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnot really")
    page = Page(page_of(folder))
    assert "The edited picture is missing." in page.text
    assert re.search("The edited picture (is not a picture|cannot be read)", page.text)


def test_pictures_that_moved_are_found_under_another_root(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run(score_rows(2))
    (tmp_path / "pictures").rename(tmp_path / "moved")
    assert not Page(page_of(folder)).named("img")
    assert Page(page_of(folder, ReportOptions(root=str(tmp_path / "moved")))).named("img")


def test_drawn_evidence_is_shown_and_linked(make_run: MakeRun) -> None:
    folder = make_run(score_rows(3))
    (folder / "evidence").mkdir()
    from PIL import Image

    for kind in ("change", "lpips"):
        Image.new("RGB", (32, 32)).save(folder / "evidence" / evidence_name("item-0002", kind), "WEBP")
    html = page_of(folder)
    table = embedded_table(html)
    files = table["details"][0][4]
    assert [kind for kind, _ in files] == ["change", "lpips"]
    assert all(address.startswith("evidence/") and (folder / address).is_file() for _, address in files)
    captions = re.findall("<figcaption>(.*?)</figcaption>", html)
    assert captions.count("change map") == 1
    assert captions.count("difference, not aligned") == 2


def test_plots_of_the_folder_are_embedded(make_run: MakeRun, tmp_path: Path) -> None:
    folder = make_run(score_rows(2))
    (folder / "plots").mkdir()
    (folder / "plots" / "risk_coverage.png").write_bytes((tmp_path / "pictures" / "mask.png").read_bytes())
    page = Page(page_of(folder))
    assert [image["alt"] for image in page.named("img") if (image["src"] or "").startswith("data:image/png")] == [
        "Plot: risk coverage"
    ]


def test_a_foreign_table_is_reported_with_its_own_columns(tmp_path: Path) -> None:
    table = tmp_path / "judge.csv"
    table.write_text("id,vlm_score,note\na,3.5,x\nb,,y\nc,1.0,z\n", encoding="utf-8")
    made = write_report(table)
    assert made.path == tmp_path / "report.html"
    html = made.path.read_text(encoding="utf-8")
    assert "nothing says how its numbers were made" in html
    embedded = embedded_table(html)
    assert [column["label"] for column in embedded["columns"]] == ["id", "vlm_score"]
    assert embedded["rows"] == [["a", 3.5], ["b", None], ["c", 1.0]]


def test_a_table_of_another_run_without_run_file_still_has_dimensions(make_run: MakeRun) -> None:
    page = Page(page_of(make_run(score_rows(4), signed=False)))
    assert "nothing says how its numbers were made" in page.text
    assert "weakest" in page.text


def test_a_folder_that_is_none_of_the_three_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="Has the run finished"):
        write_report(tmp_path)


def test_the_same_run_gives_the_same_page(make_run: MakeRun) -> None:
    folder = make_run(score_rows(5))
    assert page_of(folder) == page_of(folder)


def test_the_verb_says_what_it_wrote(make_run: MakeRun, tmp_path: Path) -> None:
    out = tmp_path / "elsewhere" / "page.html"
    result = CliRunner().invoke(app, ["report", str(make_run(score_rows(3))), "--out", str(out)])
    assert result.exit_code == 0
    assert out.is_file()
    assert f"run report, 0.1 MiB: {out}" in result.stderr
    assert result.stdout == ""


def test_histogram_counts_every_value_once() -> None:
    svg = str(histogram([0.0, 0.04, 0.5, 0.99, 1.0], "x"))
    assert sorted(int(n) for n in re.findall(r": (\d+)</title>", svg)) == [1, 2, 2]
    assert "5 values" in svg


def test_interval_puts_zero_in_the_middle() -> None:
    svg = str(interval(-0.1, 0.1, 0.0, 0.2, 0.02))
    assert 'cx="100.0"' in svg
    assert 'x1="52.0" x2="148.0"' in svg
    assert str(interval(None, None, 0.1, 1.0, None)) == ""


def test_infinite_and_missing_numbers_do_not_reach_the_page(make_run: MakeRun) -> None:
    rows = score_rows(3)
    rows[0]["preservation.psnr"] = np.inf
    rows[1]["overall.min"] = np.nan
    rows[2]["overall.min"] = None
    page = page_of(make_run(rows))
    assert "Infinity" not in page
    table = embedded_table(page)
    at = [column["label"] for column in table["columns"]].index("weakest")
    assert [str(row[at]) for row in table["rows"]].count("None") == 2


def test_an_infinite_score_is_refused_with_its_row(make_run: MakeRun) -> None:
    rows = score_rows(3)
    rows[0]["overall.min"] = np.inf
    with pytest.raises(TableError, match=r"'overall\.min', got inf"):
        page_of(make_run(rows))


def test_a_very_long_table_shows_the_head_of_the_queue_and_the_worst() -> None:
    n = MAX_ROWS + 500
    frame = pd.DataFrame({"id": np.arange(n), "priority": np.arange(n) + 1, "overall.min": np.linspace(1, 0, n)})
    shown = rows_to_show(frame, 10)
    assert len(shown) == MAX_ROWS + 10
    assert shown["id"].tolist()[-10:] == list(range(n - 10, n))
    assert len(rows_to_show(frame.head(MAX_ROWS), 10)) == MAX_ROWS


def test_the_baseline_of_a_gate_can_be_reported_on(make_run: MakeRun) -> None:
    run = make_run(score_rows(6), "new")
    baseline = run.parent / "baseline"
    CliRunner().invoke(app, ["accept", str(run), "--into", str(baseline), "--reason", "the first"])
    page = write_report(baseline).path.read_text(encoding="utf-8")
    assert "<b>6</b> scored" in page
    assert "Profile <b>tests</b>" in page
