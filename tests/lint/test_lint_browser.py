"""The page of findings in a real browser: headless Chromium, skipped where it is absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from browser_driver import LOW_CONTRAST, click, look
from planted_faults import faulty_set

from edit_metrics.lint.findings import lint
from edit_metrics.lint.page import write_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    plant, _ = faulty_set(tmp_path_factory.mktemp("lint_page"))
    out = plant.folder / "lint.html"
    write_page(lint(plant.write()), out)
    return out


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_fits_can_be_read_and_shows_every_finding(driver: Any, page: Path, width: int, scheme: str) -> None:
    look(driver, width, scheme)
    driver.get(page.as_uri())
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script(LOW_CONTRAST) == []
    sections = driver.execute_script("return [...document.querySelectorAll('main section')].map((one) => one.id)")
    links = driver.execute_script("return [...document.querySelectorAll('nav a')].map((one) => one.hash.slice(1))")
    assert len(sections) > 25
    assert links == sections
    assert driver.execute_script("return [...document.images].every((one) => one.naturalWidth > 0)")


def test_the_viewer_opens_on_a_finding(driver: Any, page: Path) -> None:
    look(driver, 1280, "light")
    driver.get(page.as_uri())
    click(driver, driver.find_element("css selector", "#other_rows_source .look"))
    assert driver.find_element("css selector", ".viewer-dialog").is_displayed()
    assert driver.find_element("css selector", ".viewer-title").text == "swapped1 · other_rows_source"
    assert not [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]
