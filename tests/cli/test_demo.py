"""The demonstration: in a checkout, and from the wheel's own files."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

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


def test_the_wheel_holds_pictures_profiles_pages_and_type_marks(tmp_path: Path) -> None:
    pytest.importorskip("hatchling.build")
    code = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, cwd=ROOT)
    (wheel,) = tmp_path.glob("*.whl")
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
