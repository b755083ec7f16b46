"""Every code block of the documentation is run by a test, or says above itself why none runs it.

``EXECUTED`` names the tests that run a page's blocks; the others carry ``<!-- not run: reason -->`` on the line before.
Blocks that nobody runs still call verbs and options that exist.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from edit_metrics.cli import app
from edit_metrics.config import load_config
from edit_metrics.judge.template import load_template

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
OPENING = re.compile(r"^\s*(`{3,}|~{3,})(\S*)\s*$")
NOT_RUN = re.compile(r"^\s*<!-- not run: (\S.*\S) -->$")
FEWEST_WORDS = 4

EXECUTED: dict[tuple[str, str], str] = {
    ("docs/profiles.md", "extends: embedded\nfeatures:"): "tests/features/test_grids.py",
    ("README.md", "edit-metrics demo"): "tests/cli/test_demo.py",
    ("README.md", "edit-metrics score"): "tests/test_readme.py",
    ("README.md", "import edit_metrics"): "tests/test_readme.py",
    ("docs/adding-a-backend.md", ""): "tests/test_adding.py",
    ("docs/adding-a-metric.md", ""): "tests/test_adding.py",
    ("docs/architecture.md", ""): "tests/test_import_direction.py",
    ("docs/ci.md", ""): "tests/compare/test_ci_docs.py",
    ("docs/judge.md", "name: our-rubric"): "tests/test_code_blocks.py",
    ("docs/judge.md", "extends: embedded"): "tests/test_code_blocks.py",
    ("docs/plug-ins.md", ""): "tests/plugins/test_plugins.py",
    ("docs/python.md", ""): "tests/test_tutorials.py",
    ("docs/start/ci.md", ""): "tests/test_tutorials.py",
    ("docs/start/score.md", ""): "tests/test_tutorials.py",
    ("docs/start/triage.md", "edit-metrics demo"): "tests/test_tutorials.py",
    ("docs/start/triage.md", "printf"): "tests/test_tutorials.py",
    ("docs/triage.md", "R=../shared/data/human_ratings"): "tests/triage/test_worked_example.py",
    ("docs/triage.md", "edit-metrics calibrate $R"): "tests/triage/test_worked_example.py",
    ("docs/triage.md", "edit-metrics triage $R"): "tests/triage/test_worked_example.py",
    ("docs/triage.md", "R=../shared/data/rated_edits"): "tests/triage/test_walk.py",
    ("docs/why-masked-metrics-differ.md", "fixture "): "tests/test_explain_masked_metrics.py",
    ("docs/why-masked-metrics-differ.md", "the same pair"): "tests/test_explain_masked_metrics.py",
    ("docs/why-masked-metrics-differ.md", "real edit"): "tests/test_explain_masked_metrics.py",
}
"""(page, how the block begins; empty: all of its blocks) → the file of the test."""


@dataclass(frozen=True)
class Block:
    page: str
    line: int
    language: str
    text: str
    reason: str | None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def executed(self) -> tuple[str, str] | None:
        """The entry of the registry that holds it."""
        found = [key for key in EXECUTED if key[0] == self.page and self.text.startswith(key[1])]
        return found[0] if found else None


def blocks_of(page: Path) -> list[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    found, place = [], 0
    while place < len(lines):
        opening = OPENING.match(lines[place])
        if opening is None:
            place += 1
            continue
        end = next(n for n in range(place + 1, len(lines)) if lines[n].strip() == opening[1])
        text = "\n".join(line.strip() if place else line for line in lines[place + 1 : end])
        marked = NOT_RUN.match(lines[place - 1]) if place else None
        found.append(
            Block(str(page.relative_to(ROOT)), place + 1, opening[2], text, marked[1] if marked is not None else None)
        )
        place = end + 1
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]
UNUSED = set(EXECUTED) - {block.executed for block in BLOCKS}


def test_the_pages_have_blocks() -> None:
    assert len(BLOCKS) > 50
    assert {"bash", "python", "yaml", ""} <= {block.language for block in BLOCKS}


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    assert (block.executed is None) != (block.reason is None), f"{block}: run by a test, or <!-- not run: reason -->"
    if block.reason is not None:
        assert len(block.reason.split()) >= FEWEST_WORDS, block.reason
        for name in re.findall(r"(?:tests|scripts)/[\w/]+(?:\.\w+)?", block.reason):
            assert (ROOT / name).exists(), f"{block}: {name}"


def test_every_entry_of_the_registry_stands_for_a_block() -> None:
    assert not UNUSED


@pytest.mark.parametrize("test", sorted(set(EXECUTED.values())))
def test_the_test_that_runs_a_page_is_there_and_reads_it(test: str) -> None:
    text = (ROOT / test).read_text(encoding="utf-8")
    pages = {page for (page, _), file in EXECUTED.items() if file == test}
    for page in pages - {"docs/python.md"} if "glob" in text else pages:
        name = page.rpartition("/")[2]
        assert name in text or "demo" in text or "start" in text, f"{test} does not read {page}"


@pytest.mark.parametrize("block", [one for one in BLOCKS if "edit-metrics" in one.text], ids=str)
def test_verbs_and_options_of_every_block_exist(block: Block) -> None:
    for call in calls_in(block.text):
        command, rest = resolve(call)
        assert command is not None, f"{block}: no verb {call.split()[1:3]}"
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        asked = set(re.findall(r"(?<![\w-])--[a-z][\w-]*", rest))
        assert asked <= known | {"--help"}, f"{block}: {asked - known}"


def calls_in(text: str) -> list[str]:
    """Command lines, joined over their continuations, without comments."""
    joined = re.sub(r"\\\n\s*", "", text)
    found = re.findall(r"^\W*(?:[A-Z_]+=\S+ +)?(edit-metrics [a-z][^\n]*)", joined, re.MULTILINE)
    return [re.split(r"\s+#|\s+(?:\|\||&&|→)|\s{4,}", call)[0] for call in found]


def resolve(call: str) -> tuple[Any, str]:
    """The command of a line, and what follows its verbs."""
    command: Any = get_command(app)
    words = call.split()[1:]
    while hasattr(command, "commands") and words:
        command = command.commands.get(words.pop(0).partition("|")[0])
    return command, " ".join(words)


# --- blocks that are run here -----------------------------------------------------------------------------------------


def block_of(page: str, start: str) -> str:
    """The block of a page that begins so, with its indentation."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^```yaml\n({re.escape(start)}.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


def test_the_template_of_the_page_on_the_judge_is_one(tmp_path: Path) -> None:
    file = tmp_path / "rubric.yaml"
    file.write_text(block_of("docs/judge.md", "name: our-rubric"), encoding="utf-8")
    assert load_template(file).name == "our-rubric v3"


def test_the_profile_of_the_page_on_the_judge_is_one(tmp_path: Path) -> None:
    text = block_of("docs/judge.md", "extends: embedded")
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(text) | {"profile": "mine"}), encoding="utf-8")
    assert load_config(file=file).backends["judge"]["use"] == "chat_judge"
