"""A rating session on real edits in a real browser: one key an item, three keys for three dimensions."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_driver import POLL, look

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait
from test_browser_session import Server, answers, press, rate, settled

pytestmark = pytest.mark.browser
N = 6
DIMENSIONS = ("adherence", "preservation", "quality")


@pytest.fixture
def run(shared_data: Path, tmp_path: Path) -> Path:
    """A table of the first edits beside their pictures: what comes before any score."""
    edits = shared_data / "rated_edits"
    lines = (edits / "manifest.jsonl").read_text(encoding="utf-8").splitlines()[:N]
    (tmp_path / "images").mkdir()
    for row in map(json.loads, lines):
        for name in ("source", "edited"):
            shutil.copy(edits / row[name], tmp_path / row[name])
    with (tmp_path / "edits.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, ["id", "source", "edited", "instruction"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(map(json.loads, lines))
    return tmp_path / "edits.csv"


@pytest.fixture
def serve(run: Path) -> Iterator[Callable[..., Server]]:
    started: list[Server] = []

    def start(*options: str) -> Server:
        started.append(Server(run, "--out", str(run.parent / "ratings"), *options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


def count_keys(driver: Any) -> None:
    """From here on the page counts the keys that reach it."""
    driver.execute_script("window.keys = 0; document.addEventListener('keydown', () => { window.keys += 1; }, true)")


def instruction_of(driver: Any) -> str:
    text: str = driver.find_element(By.ID, "instruction").text
    return text


def loaded(driver: Any) -> list[int]:
    """Widths of the two pictures in sight."""
    script = "return [...document.querySelectorAll('.viewer-picture')].map((one) => one.naturalWidth)"
    WebDriverWait(driver, 10, POLL).until(
        lambda d: all(d.execute_script(script)) and len(d.execute_script(script)) == 2
    )
    widths: list[int] = driver.execute_script(script)
    return widths


def test_an_item_takes_one_key_in_one_dimension(driver: Any, run: Path, serve: Callable[..., Server]) -> None:
    look(driver)
    driver.get(serve("--dimensions", "adherence").url)
    settled(driver)
    count_keys(driver)
    instructions = []
    for done in range(N):
        assert min(loaded(driver)) > 100
        instructions.append(instruction_of(driver))
        rate(driver, str(1 + done % 5), done + 1)
    assert driver.execute_script("return window.keys") == N
    rows = list(csv.DictReader(run.read_text(encoding="utf-8").splitlines()))
    assert sorted(instructions) == sorted(row["instruction"] for row in rows)
    found = answers(run.parent)
    by_id = {row["id"]: row["instruction"] for row in rows}
    assert [(by_id[name], dimension, rating) for name, dimension, rating in found] == [
        (text, "adherence", float(1 + n % 5)) for n, text in enumerate(instructions)
    ]


def test_three_dimensions_take_three_keys_an_item(driver: Any, run: Path, serve: Callable[..., Server]) -> None:
    look(driver)
    driver.get(serve("--dimensions", ",".join(DIMENSIONS)).url)
    settled(driver)
    count_keys(driver)
    for done in range(2):
        for key, following in (("5", "Preservation"), ("3", "Quality")):
            press(driver, key)
            WebDriverWait(driver, 10, POLL).until(
                lambda d, word=following: d.find_element(By.ID, "question").text.startswith(word)
            )
            settled(driver)
        rate(driver, "4", done + 1)
    assert driver.execute_script("return window.keys") == 2 * len(DIMENSIONS)
    found = answers(run.parent)
    assert len({name for name, _, _ in found}) == 2
    assert [(dimension, rating) for _, dimension, rating in found] == 2 * list(
        zip(DIMENSIONS, (5.0, 3.0, 4.0), strict=True)
    )
