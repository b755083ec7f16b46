"""docs/plug-ins.md, followed to the letter: the package that it builds is installed, and run from the command line."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from edit_metrics.evidence.files import drawn_in

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PAGE = ROOT / "docs" / "plug-ins.md"
BLOCK = re.compile(r"^`([\w./-]+)`[^\n]*\n\n```(?:python|yaml|toml)\n(.*?)```", re.MULTILINE | re.DOTALL)
COMMANDS = re.compile(r"```bash\n(.*?)```", re.DOTALL)
ITEMS = ("coffee_recolour_clean", "coffee_recolour_leaks", "coffee_no_op", "cat_missing_file")
LINEAR = np.array([4.0, -1.0, -1.0, -1.0], np.float32)
"""The example's classifier: what its catalogue entry pins."""


def sections() -> dict[str, str]:
    """Heading, up to its colon → text."""
    parts = re.split(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    return {head.split(":")[0]: body for head, body in zip(parts[::2], parts[1::2], strict=True)}


SECTIONS = sections()


class Bench:
    """A folder in which the package is built, and another one into which it is installed."""

    def __init__(self, folder: Path) -> None:
        self.source, self.site, self.models = folder / "mine", folder / "site", folder / "models"
        self.source.mkdir()

    def write(self, section: str) -> set[str]:
        """Write a section's blocks to the files that are named above them; the files' names."""
        blocks = BLOCK.findall(SECTIONS[section])
        for name, text in blocks:
            target = self.source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return {name for name, _ in blocks}

    def follow(self, section: str) -> None:
        """Run a section's commands."""
        for block in COMMANDS.findall(SECTIONS[section]):
            for command in block.splitlines():
                self.run(command)

    def run(self, command: str, code: int = 0) -> str:
        """What it prints, on both streams."""
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        # The installer is told where to, and to take what is there: neither network nor this environment is touched.
        installer = {"PIP_TARGET": str(self.site), "PIP_UPGRADE": "1", "PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1"}
        installer["PIP_NO_BUILD_ISOLATION"] = "0"  # pip's own reading of its switches that start with "no"
        done = subprocess.run(
            ["bash", "-ec", command],  # noqa: S607 - as a person would
            cwd=self.source,
            env={
                **os.environ,
                **installer,
                "PATH": path,
                "PYTHONPATH": f"{self.site}:{ROOT}",
                "EDIT_METRICS_MODELS": str(self.models),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def scores(self, out: str) -> pd.DataFrame:
        """A run's table by id."""
        return pd.read_parquet(self.source / out / "scores.parquet").set_index("id")

    def info(self, out: str) -> Mapping[str, Any]:
        """A run's ``run.json``."""
        found: Mapping[str, Any] = json.loads((self.source / out / "run.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Everything that the page writes, installed; beside it pictures to score, and the weight of the example."""
    bench = Bench(tmp_path_factory.mktemp("plugin"))
    for section in SECTIONS:
        bench.write(section)
    fixtures = ROOT / "data" / "fixtures"
    rows = [json.loads(line) for line in (fixtures / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    kept = [row for row in rows if row["id"] in ITEMS]
    kept[0]["instruction"] = "Crop it to a square"
    (bench.source / "manifest.jsonl").write_text("\n".join(map(json.dumps, kept)), encoding="utf-8")
    shutil.copytree(fixtures / "images", bench.source / "images")
    (bench.models / "mine.linear").mkdir(parents=True)
    np.save(bench.models / "mine.linear" / "linear.npy", LINEAR)
    bench.follow("The package")
    bench.follow("A metric")
    return bench


def picture(bench: Bench, row: pd.Series, column: str) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(bench.source / row[column]).convert("RGB"), np.float64)


def test_the_example_in_tests_is_what_the_page_builds() -> None:
    written = {name: text for body in SECTIONS.values() for name, text in BLOCK.findall(body)}
    example = HERE / "mine"
    files = [path for path in example.rglob("*") if path.is_file() and path.suffix in (".py", ".toml", ".yaml")]
    assert written == {str(path.relative_to(example)): path.read_text(encoding="utf-8") for path in files}


@pytest.mark.parametrize(
    ("section", "touched"),
    [
        ("A metric", {"mine_metrics/contrast.py", "tests/test_contrast.py", "contrast.yaml"}),
        ("A check", {"mine_metrics/square.py", "square.yaml"}),
        ("A backend", {"mine_metrics/linear.py", "linear.yaml"}),
        ("A layout", {"mine_metrics/pairs.py"}),
        ("An evidence picture", {"mine_metrics/darker.py"}),
    ],
)
def test_each_section_touches_its_own_files_and_no_other(section: str, touched: set[str], tmp_path: Path) -> None:
    alone = Bench(tmp_path)
    assert alone.write("The package") == {"pyproject.toml", "mine_metrics/__init__.py"}
    assert alone.write(section) == touched
    for profile in alone.source.glob("*.yaml"):
        lines = profile.read_text(encoding="utf-8").splitlines()
        assert len([line for line in lines if "mine." in line]) == 1


def test_a_metric_of_a_plug_in_is_a_column_beside_ours(bench: Bench) -> None:
    scores, info = bench.scores("scored_contrast"), bench.info("scored_contrast")
    row = scores.loc["coffee_recolour_leaks"]
    before, after = (picture(bench, row, column).mean(axis=2).std() for column in ("source", "edited"))
    assert row["quality.mine.contrast"] == pytest.approx(after / before, rel=1e-6)
    assert scores.loc["coffee_no_op", "quality.mine.contrast"] == 1
    assert scores.loc["cat_missing_file", "quality.mine.contrast.status"] != "ok"
    assert "quality.blur_delta" in scores.columns  # the base's own are still there
    assert info["versions"]["mine-metrics"] == "0.1"


def test_the_plug_in_stands_in_the_signatures_of_its_dimensions_and_of_no_other(bench: Bench) -> None:
    signatures = bench.info("scored_contrast")["score_signature"]
    named = {name for name, signature in signatures.items() if "plugins" in signature["parts"]}
    assert named == {"quality"}
    parts = signatures["quality"]["parts"]["plugins"]["mine"]
    assert parts["version"] == "0.1"
    assert re.fullmatch("[0-9a-f]{64}", parts["sha256"])
    # Without it: the dimensions that it has no part in have the same signatures.
    Path(bench.source / "plain.yaml").write_text("extends: base\nprofile: with_contrast\n", encoding="utf-8")
    bench.run("edit-metrics score manifest.jsonl --config plain.yaml --out plain")
    plain = bench.info("plain")["score_signature"]
    differing = {name for name in plain if plain[name]["sha256"] != signatures[name]["sha256"]}
    assert differing == {"quality"}


def test_an_edit_of_its_source_is_another_definition(bench: Bench) -> None:
    command = "edit-metrics score manifest.jsonl --config contrast.yaml --out scored_contrast"
    file = bench.site / "mine_metrics" / "contrast.py"
    before = file.read_text(encoding="utf-8")
    file.write_text(f"{before}\n# another thought\n", encoding="utf-8")
    try:
        refused = bench.run(command, code=2)
    finally:
        file.write_text(before, encoding="utf-8")
    assert re.search(r"plugins\.mine\.sha256: \S+ → ", " ".join(refused.split()))
    assert "nothing to do" in bench.run(command)


def test_a_check_speaks_in_the_column_of_the_checks(bench: Bench) -> None:
    bench.follow("A check")
    scores = bench.scores("scored_square")
    asked, other = scores.loc["coffee_recolour_clean"], scores.loc["coffee_recolour_leaks"]
    height, width = picture(bench, asked, "edited").shape[:2]
    assert asked["adherence.mine.check_square"] == float(abs(height - width) <= 1)
    assert f"square: {width}×{height} px" in asked["adherence.check_evidence"]
    assert (other["adherence.mine.check_square.status"], other["adherence.mine.check_square.reason"]) == (
        "not_applicable",
        "not_a_square_edit",
    )


def test_a_backend_of_a_plug_in_plays_a_role_with_pinned_weights(bench: Bench) -> None:
    bench.follow("A backend")
    row = bench.scores("scored_linear").loc["coffee_recolour_clean"]
    mean = picture(bench, row, "edited").mean(axis=(0, 1)) / 255
    assert row["safety.violence_edited"] == pytest.approx(1 / (1 + np.exp(-(mean @ LINEAR[:3] + LINEAR[3]))), abs=1e-5)
    signatures = bench.info("scored_linear")["score_signature"]
    assert {name for name, one in signatures.items() if "plugins" in one["parts"]} == {"safety"}
    (bench.models / "mine.linear" / "linear.npy").rename(bench.models / "away.npy")
    try:
        refused = bench.run("edit-metrics score manifest.jsonl --config linear.yaml --out absent", code=2)
    finally:
        (bench.models / "away.npy").rename(bench.models / "mine.linear" / "linear.npy")
    assert "edit-metrics models pull mine.linear" in " ".join(refused.split())


def test_a_layout_of_a_plug_in_is_read_like_ours(bench: Bench) -> None:
    folder = bench.source / "pairs"
    folder.mkdir()
    for name in ("one", "two"):
        for when in ("before", "after"):
            Image.new("RGB", (64, 64)).save(folder / f"{name}_{when}.png")
    (folder / "one.txt").write_text("Make it blue\n", encoding="utf-8")
    bench.follow("A layout")
    (row,) = [json.loads(line) for line in (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert (row["id"], row["source"], row["model"]) == ("one", "one_before.png", "drawn")
    assert row["instruction"] == "Make it blue"
    refused = bench.run("edit-metrics manifest mine.pears pairs --out x.jsonl", code=2)
    assert "mine.pairs" in refused


def test_a_picture_of_a_plug_in_is_drawn_and_shown(bench: Bench) -> None:
    bench.follow("An evidence picture")
    kinds = set().union(*drawn_in(bench.source / "scored_darker" / "evidence").values())
    assert {"change", "mine.darker"} <= kinds
    bench.run("edit-metrics report scored_darker")
    assert "mine.darker" in (bench.source / "scored_darker" / "report.html").read_text(encoding="utf-8")
    without = bench.info("scored_contrast")["score_signature"]
    assert bench.info("scored_darker")["score_signature"] == without  # no score depends on a picture


def test_a_name_without_the_namespace_and_a_file_that_breaks_are_named(bench: Bench) -> None:
    file = bench.site / "mine_metrics" / "zzz.py"
    command = "edit-metrics score manifest.jsonl --config contrast.yaml --out broken"
    try:
        file.write_text(
            "from edit_metrics.registry import feature\n@feature()\ndef brightness(source):\n    return 0\n",
            encoding="utf-8",
        )
        unnamed = " ".join(bench.run(command, code=2).split())
        file.write_text("import not_there_at_all\n", encoding="utf-8")
        broken = " ".join(bench.run(command, code=2).split())
    finally:
        file.unlink()
    assert "the name of a feature that starts with 'mine_'" in unnamed
    assert "'brightness'" in unnamed
    assert "No module named 'not_there_at_all'" in broken
    assert "zzz.py:1" in broken
    assert "pip uninstall mine-metrics" in broken


def test_a_profile_that_asks_for_it_where_it_is_not_installed_says_so(bench: Bench, tmp_path: Path) -> None:
    away = tmp_path / "away"
    bench.site.rename(away)
    try:
        refused = bench.run("edit-metrics score manifest.jsonl --config contrast.yaml --out absent", code=2)
    finally:
        away.rename(bench.site)
    assert "quality.mine.contrast" in refused
