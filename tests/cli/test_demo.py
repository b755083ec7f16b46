"""The demonstration: in a checkout, and from the wheel's own files."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.cli.demo import fixtures_folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.weights
def test_the_demonstration_ends_with_a_report(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["demo", "--out", str(tmp_path / "demo"), "--limit", "2"])
    assert result.exit_code == 0, result.output
    assert "2 of 2 edits scored" in result.stdout
    assert (tmp_path / "demo" / "report.html").is_file()
    assert str(tmp_path / "demo" / "report.html") in result.stderr
    scores = pd.read_parquet(tmp_path / "demo" / "scores.parquet")
    statuses = [name for name in scores if name.endswith(".status") and (scores[name] == "unavailable").all()]
    reasons = {name: set(scores[name.removesuffix("status") + "reason"]) for name in statuses if name.count(".") > 1}
    # What the profile has no model for has no column; a caption that an item lacks is another thing.
    assert not [name for name, why in reasons.items() if any("profile" in one or "backend" in one for one in why)]


@pytest.mark.weights
def test_the_demonstration_runs_from_an_installed_wheel(tmp_path: Path) -> None:
    """As for a stranger without a checkout: built, installed into a folder of its own, run from elsewhere."""
    pytest.importorskip("hatchling.build")
    pytest.importorskip("pip")
    (wheel,) = built_wheel(tmp_path)
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    install = ["-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True)
    done = subprocess.run(
        [str(site / "bin" / "edit-metrics"), "demo", "--limit", "2"],
        cwd=elsewhere, env=os.environ | {"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 2 edits scored" in done.stdout
    assert f"the pictures and their manifest: {site / 'edit_metrics' / 'fixtures'}" in " ".join(done.stderr.split())
    page = (elsewhere / "edit-metrics-demo" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/webp") >= 4
    assert str(ROOT) not in page


def built_wheel(folder: Path) -> list[Path]:
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True, cwd=ROOT)
    return list(folder.glob("*.whl"))


def test_the_wheel_holds_pictures_profiles_pages_and_type_marks(tmp_path: Path) -> None:
    pytest.importorskip("hatchling.build")
    (wheel,) = built_wheel(tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = (
        "py.typed", "configs/clip.yaml", "configs/rubric.yaml", "fixtures/manifest.jsonl", "fixtures/images/coffee.png",
        "report/templates/viewer.js", "rate/templates/rate.js", "scores/words.toml",
    )  # fmt: skip
    assert {f"edit_metrics/{name}" for name in wanted} <= names
    assert "edit_metrics/configs/default.yaml" not in names


def test_the_fixtures_are_found_in_a_checkout() -> None:
    assert fixtures_folder() == ROOT / "data" / "fixtures"
