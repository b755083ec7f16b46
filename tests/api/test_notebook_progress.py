"""The bar: in a real notebook kernel, on a terminal, and nowhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from edit_metrics.api.progress import in_notebook, shown_progress
from edit_metrics.engine.job import Silent

ROOT = Path(__file__).resolve().parents[2]
IMAGES = ROOT / "data" / "fixtures" / "images"
CELL = f"""
import edit_metrics
from edit_metrics.config import validate_config

psnr = {{"metrics": ["psnr"], "curves": {{"psnr": {{"anchors": [[10, 0], [50, 1]]}}}}}}
config = validate_config({{"profile": "own", "dimensions": {{"preservation": psnr}}}}, "a cell")
pairs = [("{IMAGES}/coffee.png", "{IMAGES}/coffee_recolour_leaks.png", "make the saucer green")] * 3
frame = edit_metrics.score([dict(zip(("source", "edited", "instruction"), pair)) for pair in pairs], profile=config)
"""


def test_a_notebook_shows_how_far_it_is_without_any_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    seen: list[str] = []

    class Watching(nbclient.NotebookClient):  # type: ignore[misc, name-defined]
        def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
            if msg["msg_type"] in {"display_data", "update_display_data"}:
                seen.append(msg["content"]["data"].get("text/html", ""))
            return super().process_message(msg, cell, cell_index)

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    Watching(notebook, timeout=120, kernel_name="python3").execute()
    assert seen[0].startswith('<progress max="3" value="0">')
    assert seen[-1].endswith("scored 3 of 3")
    outputs = notebook.cells[0].outputs
    assert [one["data"]["text/plain"] for one in outputs if one.output_type == "display_data"] == ["scored 3 of 3"]
    assert not [one for one in outputs if one.output_type == "stream"], outputs  # no warning beside it


@pytest.mark.parametrize(
    ("asked", "terminal", "shown"), [(None, False, False), (None, True, True), (False, True, False)]
)
def test_elsewhere_a_terminal_has_a_bar_unless_nobody_wants_one(
    asked: bool | None, terminal: bool, shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    assert not in_notebook()
    bar = shown_progress(asked)
    assert isinstance(bar, Silent)
    assert ("Bar" in type(bar).__name__) == shown
    with bar as told:
        told.start(4, 1)
        told.advance(3)
