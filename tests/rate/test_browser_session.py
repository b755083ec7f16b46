"""A rating session in a real browser, against the real server process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_driver import LOW_CONTRAST, POLL, axe_violations, click, look, screenshot
from conftest_report import score_rows, write_run

from edit_metrics.ratings.entries import Kind, read_entries, standing_answers

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser
N = 30


class Server:
    """`edit-metrics rate` as a user starts it."""

    def __init__(self, run: Path, *options: str) -> None:
        command = [sys.executable, "-m", "edit_metrics", "rate", str(run), "--rater", "ann", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"open (http://\S+)", line):
                self.url = found[1]
                break
        else:
            pytest.fail("".join(said))

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.process.pid, number)
        self.process.wait(timeout=20)
        assert self.process.stderr is not None
        self.process.stderr.close()


def write_rows(folder: Path) -> Path:
    rows = score_rows(N)
    rows[-1] |= {"flags": "unsafe"}
    rows[-2] |= {"instruction": "</script><script>window.owned=1</script> \u202e"}
    return write_run(folder / "run", rows)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_rows(tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a session that is only looked at."""
    server = Server(write_rows(tmp_path_factory.mktemp("shown")), "--no-blind")
    yield server.url
    server.kill()


Serve = Callable[..., Server]


@pytest.fixture
def serve(run: Path) -> Iterator[Serve]:
    started: list[Server] = []

    def start(*options: str) -> Server:
        started.append(Server(run, *options))
        return started[-1]

    yield start
    for server in started:
        if server.process.poll() is None:
            server.kill()


def press(driver: Any, key: str) -> None:
    ActionChains(driver).send_keys(key).perform()


def settled(driver: Any) -> str:
    """The progress line once the page waits for a key again."""
    WebDriverWait(driver, 10, POLL).until(
        lambda d: "busy" not in d.find_element(By.TAG_NAME, "body").get_attribute("class")
    )
    WebDriverWait(driver, 10, POLL).until(lambda d: d.find_element(By.ID, "progress").text)
    text: str = driver.find_element(By.ID, "progress").text
    return text


def rate(driver: Any, key: str, done: int) -> None:
    """One key, then wait until the page counts it."""
    press(driver, key)
    WebDriverWait(driver, 10, POLL).until(lambda d: d.find_element(By.ID, "progress").text.startswith(f"{done} of"))
    settled(driver)


def answers(run: Path) -> list[tuple[str, str, float | None]]:
    entries, _ = read_entries(run / "ratings" / "ann.jsonl")
    return [(e.id, e.dimension, e.rating) for e in standing_answers(entries).values()]


def test_thirty_items_by_keyboard_with_the_server_killed_in_the_middle(driver: Any, run: Path, serve: Serve) -> None:
    """No rating is lost or doubled; each item takes one key."""
    look(driver)
    server = serve()
    driver.get(server.url)
    settled(driver)
    keys = [str(1 + n % 5) for n in range(N)]
    for done in range(14):
        rate(driver, keys[done], done + 1)
    before = answers(run)
    assert [rating for _, _, rating in before] == [float(key) for key in keys[:14]]
    server.kill()
    press(driver, keys[14])
    WebDriverWait(driver, 10, POLL).until(lambda d: d.find_element(By.ID, "error").is_displayed())
    assert "your last key was not kept" in driver.find_element(By.ID, "error").text
    file = run / "ratings" / "ann.jsonl"
    with file.open("ab") as stream:
        stream.write(b'{"format": "edit-metrics/rate", "version": 1, "kind": "rat')  # a line torn by the crash
    server = serve()
    assert answers(run) == before
    driver.get(server.url)
    assert settled(driver).startswith("14 of 30")
    for done in range(14, N):
        rate(driver, keys[done], done + 1)
    found = answers(run)
    assert len(found) == len({name for name, _, _ in found}) == N
    assert [rating for _, _, rating in found] == [float(key) for key in keys]
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert sum(row["kind"] == "rating" for row in rows) == N
    assert {name for name, _, _ in found} == {f"item-{n:04d}" for n in range(N)}
    assert "Nothing is left for you" in driver.find_element(By.ID, "instruction").text
    assert driver.execute_script("return window.owned") is None


def test_three_dimensions_take_three_keys(driver: Any, run: Path, serve: Serve) -> None:
    look(driver)
    driver.get(serve("--dimensions", "adherence,preservation,quality").url)
    settled(driver)
    for key, name in (("4", "Preservation"), ("2", "Quality")):
        press(driver, key)
        WebDriverWait(driver, 10, POLL).until(
            lambda d, name=name: d.find_element(By.ID, "question").text.startswith(name)
        )
        settled(driver)
    rate(driver, "5", 1)
    item = f"item-{N - 1:04d}"
    assert answers(run) == [(item, "adherence", 4.0), (item, "preservation", 2.0), (item, "quality", 5.0)]


def test_undo_skip_not_applicable_and_a_remark(driver: Any, run: Path, serve: Serve) -> None:
    look(driver)
    driver.get(serve().url)
    settled(driver)
    rate(driver, "1", 1)
    rate(driver, "u", 0)
    rate(driver, "5", 1)
    rate(driver, "n", 2)
    press(driver, "r")
    driver.switch_to.active_element.send_keys("the left hand")
    driver.find_element(By.CSS_SELECTOR, "#note-flags input[value=unsure]").click()
    driver.find_element(By.ID, "note-keep").click()
    WebDriverWait(driver, 10, POLL).until(lambda d: not d.find_element(By.ID, "note-dialog").is_displayed())
    press(driver, "s")
    rate(driver, "2", 3)
    entries, _ = read_entries(run / "ratings" / "ann.jsonl")
    standing = list(standing_answers(entries).values())
    assert [(e.kind, e.rating, e.flags) for e in standing] == [
        (Kind.RATING, 5.0, ()), (Kind.NOT_APPLICABLE, None, ()), (Kind.SKIP, None, ("wrong_pair",)),
    ]  # fmt: skip
    remark = next(e for e in entries if e.kind is Kind.REMARK)
    assert (remark.id, remark.flags, remark.comment) == (f"item-{N - 3:04d}", ("unsure",), "the left hand")
    assert all(e.seconds is not None and 0 <= e.seconds < 60 for e in standing)


def test_the_session_is_blind_unless_told_otherwise(driver: Any, run: Path, serve: Serve) -> None:
    look(driver)
    server = serve()
    driver.get(server.url)
    settled(driver)
    shown = driver.find_element(By.TAG_NAME, "body").get_attribute("innerHTML")
    assert "item-00" not in shown
    assert "theirs" not in shown
    server.kill()
    driver.get(serve("--no-blind").url)
    settled(driver)
    assert f"item-{N - 1:04d} · theirs" in driver.find_element(By.ID, "scores").text


def test_unsafe_pictures_are_blurred_and_space_flickers(driver: Any, serve: Serve) -> None:
    look(driver)
    driver.get(serve().url)
    settled(driver)
    layer = driver.find_element(By.CSS_SELECTOR, ".viewer-layer")
    assert "blur" in layer.value_of_css_property("filter")
    click(driver, driver.find_element(By.CSS_SELECTOR, ".viewer .reveal"))
    assert layer.value_of_css_property("filter") == "none"
    seen = "return [...document.querySelectorAll('.viewer-pane:not(.off)')].map((p) => p.dataset.name).join()"
    assert driver.execute_script(seen) == "source,edited"
    press(driver, " ")
    assert driver.execute_script(seen) == "source"
    press(driver, " ")
    assert driver.execute_script(seen) == "edited"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_and_its_text_stands_out(driver: Any, shown: str, width: int, scheme: str) -> None:
    look(driver, width, scheme)
    driver.get(shown)
    settled(driver)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script(LOW_CONTRAST) == []
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert axe_violations(driver) == []
    screenshot(driver, f"rate-{width}-{scheme}")
