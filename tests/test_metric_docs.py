"""docs/metrics.md is what the registry says."""

from __future__ import annotations

import importlib.util
import re
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from types import ModuleType

import pytest

from edit_metrics.registry import all_metrics

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "make_metric_docs.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_metric_docs", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_metrics_is_current(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_metric_docs.py", "--check"])
    assert script.main() == 0, "run: python scripts/make_metric_docs.py"


def test_a_stale_page_is_noticed_and_mended(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "metrics.md"
    page.write_text(f"# Mine\n\n{script.MARKER}\n\nold", encoding="utf-8")
    monkeypatch.setattr(script, "PAGE", page)
    monkeypatch.setattr(script, "FACTS", tmp_path / "facts.json")
    monkeypatch.setattr(sys, "argv", ["make_metric_docs.py", "--check"])
    assert script.main() == 1
    monkeypatch.setattr(sys, "argv", ["make_metric_docs.py"])
    assert script.main() == 0
    assert page.read_text(encoding="utf-8").startswith("# Mine\n")
    monkeypatch.setattr(sys, "argv", ["make_metric_docs.py", "--check"])
    assert script.main() == 0


def test_a_page_without_the_marker_is_not_overwritten(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = tmp_path / "metrics.md"
    page.write_text("precious", encoding="utf-8")
    monkeypatch.setattr(script, "PAGE", page)
    monkeypatch.setattr(sys, "argv", ["make_metric_docs.py"])
    assert script.main() == 2
    assert page.read_text(encoding="utf-8") == "precious"


def test_every_column_stands_in_the_page_once_in_a_table(script: ModuleType) -> None:
    rows = [line for line in script.PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = [row.split("`")[1] for row in rows]
    assert sorted(named) == sorted(metric.name for metric in all_metrics())
    assert all(row.count(" | ") == 5 and not row.endswith("|  |") for row in rows)


def test_what_a_column_needs_is_read_off_the_graph(script: ModuleType) -> None:
    lines = script.PAGE.read_text(encoding="utf-8").splitlines()
    row = {line.split("`")[1]: line.split(" | ") for line in lines if line.startswith("| `")}
    assert row["structure.seam"][4] == "mask"
    assert row["style.clip_i_kept"][4] == "mask, `clip`"
    assert row["quality.blur_delta"][4] == "pictures"
    assert row["structure.gmsd"][1:4] == ["lower", "0 … 1", "–"]


def test_every_definition_links_its_paper_or_says_that_there_is_none(script: ModuleType) -> None:
    text = script.PAGE.read_text(encoding="utf-8").partition(script.MARKER)[2]
    definitions = [part for part in re.split(r"(?m)^(?=\*\*`)", text) if part.startswith("**`")]
    named: set[str] = set()
    for one in definitions:
        named |= set(re.findall(r"`([a-z]+\.[\w.]+)`", one.splitlines()[0]))
        paper = re.search(r"^\*Paper:\* (.*)", one, re.MULTILINE)
        assert (paper is None) == (script.OWN in one), one.splitlines()[0]
        if paper is not None:
            assert re.fullmatch(r"\[[^\]]+\]\(https://\S+\)(; \[[^\]]+\]\(https://\S+\))*\.", paper[1]), paper[0]
    assert named == {metric.name for metric in all_metrics()}


def test_every_paper_is_used_and_every_pattern_finds_a_column(script: ModuleType) -> None:
    papers, patterns = script.PAPERS["papers"], script.PAPERS["metrics"]
    names = [metric.name for metric in all_metrics()]
    assert {key for keys in patterns.values() for key in keys} == set(papers)
    assert [pattern for pattern in patterns if not any(fnmatchcase(name, pattern) for name in names)] == []
    urls = [one["url"] for one in papers.values()]
    assert len(set(urls)) == len(urls)
    assert all(one["cited"][-4:].isdigit() for one in papers.values())


def test_the_table_of_sources_above_links_every_one(script: ModuleType) -> None:
    head = script.PAGE.read_text(encoding="utf-8").partition("Sources of the definitions")[2].partition("\n## ")[0]
    rows = [line for line in head.splitlines() if line.startswith("| ") and not line.startswith("| what")]
    assert len(rows) > 15
    urls = {one["url"] for one in script.PAPERS["papers"].values()}
    for row in rows:
        assert set(re.findall(r"\]\((https://[^)]+)\)", row)) & urls, row
