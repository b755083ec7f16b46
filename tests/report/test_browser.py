"""The page in a real browser: headless Chromium, skipped where it is absent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browser_driver import LOW_CONTRAST, click, look
from conftest_report import score_rows, write_run

from edit_metrics.report.write import ReportOptions, write_report

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

pytestmark = pytest.mark.browser

N = 120
EVIL = "</script><script>window.owned=1</script><img src=x onerror=window.owned=1> \" ' ` & \x01\x1b\u202e"

# What has the focus, and whether that can be seen.
FOCUSED = """
const node = document.activeElement;
const style = getComputedStyle(node);
const seen = node !== document.body && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
return [`${node.tagName} ${node.id || node.className || node.textContent.trim()}`, seen];
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = score_rows(N)
    rows[-1] |= {"flags": "unsafe;no_op", "safety.score": 0.0}
    rows[-2] |= {"id": f"evil {EVIL}", "instruction": EVIL, "model": EVIL, "edit_type": EVIL, "style.reasons": EVIL}
    folder = write_run(tmp_path_factory.mktemp("browser") / "run", rows)
    return write_report(folder, None, ReportOptions(thumbnails=30)).path


Open = Callable[..., Any]


@pytest.fixture
def opened(driver: Any, page: Path) -> Open:
    """Open the page anew: ``opened(width=…, scheme=…)``."""

    def go(width: int = 1280, scheme: str = "light") -> Any:
        look(driver, width, scheme)
        driver.get(page.as_uri())
        return driver

    return go


def column(driver: Any, label: str) -> list[str]:
    """Texts of one column of the rows on the page."""
    script = """
      const headings = [...document.querySelectorAll("#items-table thead th")].map((th) => th.textContent);
      const at = headings.indexOf(arguments[0]);
      const rows = [...document.querySelectorAll("#items-table > tbody > tr:not(.detail)")];
      return rows.map((tr) => tr.children[at].textContent);
    """
    texts: list[str] = driver.execute_script(script, label)
    return [text.removesuffix("Why") for text in texts]


def heading(driver: Any, label: str) -> Any:
    return driver.find_element(By.XPATH, f"//table[@id='items-table']//th[button[text()='{label}']]")


def set_text(driver: Any, identifier: str, text: str) -> None:
    field = driver.find_element(By.ID, identifier)
    click(driver, field)
    field.clear()
    field.send_keys(text)


def found(driver: Any) -> str:
    text: str = driver.find_element(By.ID, "found").text
    return text


def test_rows_come_in_pages_of_fifty(opened: Open) -> None:
    driver = opened()
    assert len(column(driver, "id")) == 50
    assert column(driver, "order")[0] == "1"
    click(driver, driver.find_element(By.ID, "next"))
    click(driver, driver.find_element(By.ID, "next"))
    assert column(driver, "order")[-1] == str(N)
    assert not driver.find_element(By.ID, "next").is_enabled()


def test_headings_sort_both_ways_and_say_so(opened: Open) -> None:
    driver = opened()
    button = heading(driver, "weakest").find_element(By.TAG_NAME, "button")
    click(driver, button)
    assert heading(driver, "weakest").get_attribute("aria-sort") == "ascending"
    ascending = [float(text) for text in column(driver, "weakest")]
    assert ascending == sorted(ascending)
    click(driver, button)
    assert heading(driver, "weakest").get_attribute("aria-sort") == "descending"
    descending = [float(text) for text in column(driver, "weakest")]
    assert descending == sorted(descending, reverse=True)
    assert descending[0] > ascending[0]
    assert heading(driver, "order").get_attribute("aria-sort") == "none"


def test_items_without_a_value_come_last_in_both_directions(opened: Open) -> None:
    driver = opened()
    button = heading(driver, "safety").find_element(By.TAG_NAME, "button")
    set_text(driver, "filter-text", "item-000")
    for _ in range(2):
        click(driver, button)
        assert "–" not in column(driver, "safety")
        assert set(column(driver, "character")) == {"–"}


def test_the_table_is_filtered_by_text_choice_flag_and_range(opened: Open) -> None:
    driver = opened()
    set_text(driver, "filter-text", "MAKE IT RED")
    assert found(driver) == f"{N // 3} of {N} items"
    Select(driver.find_element(By.XPATH, "//label[starts-with(., 'model')]/select")).select_by_visible_text("ours")
    assert found(driver) == f"{N // 6} of {N} items"
    Select(driver.find_element(By.ID, "filter-flag")).select_by_visible_text("nothing changed")
    assert set(column(driver, "flags")) == {"nothing changed "}
    click(driver, driver.find_element(By.ID, "filter-reset"))
    assert found(driver) == f"{N} of {N} items"
    Select(driver.find_element(By.ID, "filter-score")).select_by_visible_text("weakest")
    set_text(driver, "filter-low", "0.2")
    set_text(driver, "filter-high", "0.4")
    values = [float(text) for text in column(driver, "weakest")]
    assert values
    assert all(0.2 <= value <= 0.4 for value in values)
    set_text(driver, "filter-text", "nothing has this name")
    assert found(driver) == f"0 of {N} items"


def test_a_row_opens_with_its_reasons_in_words_and_leads_to_its_pictures(opened: Open) -> None:
    driver = opened()
    set_text(driver, "filter-text", f"item-{N - 3:04d}")
    why = driver.find_element(By.CSS_SELECTOR, "#items-table button.why")
    click(driver, why)
    assert why.get_attribute("aria-expanded") == "true"
    detail = driver.find_element(By.CSS_SELECTOR, "#items-table .detail")
    assert "No mask was given." in detail.text
    assert "No score: character Does not apply. No face was found in the source." in detail.text
    click(driver, detail.find_element(By.LINK_TEXT, "Pictures"))
    card = driver.switch_to.active_element
    assert f"item-{N - 3:04d}" in card.text
    assert card.is_displayed()
    click(driver, why)
    assert not driver.find_elements(By.CSS_SELECTOR, "#items-table .detail")


def test_unsafe_pictures_are_unblurred_by_click_and_by_keyboard(opened: Open) -> None:
    driver = opened()
    button = driver.find_element(By.CSS_SELECTOR, "button.reveal")
    image = driver.find_element(By.CSS_SELECTOR, ".sensitive img")
    blurred = "blur(22px) saturate(0.4)"
    assert image.value_of_css_property("filter") == blurred
    click(driver, button)
    assert image.value_of_css_property("filter") == "none"
    assert button.get_attribute("aria-pressed") == "true"
    click(driver, button)
    assert image.value_of_css_property("filter") == blurred
    for key, expected in ((Keys.ENTER, "none"), (Keys.SPACE, blurred)):
        button.send_keys(key)
        assert image.value_of_css_property("filter") == expected


def test_everything_is_reached_by_tab_and_the_focus_is_seen(opened: Open) -> None:
    driver = opened()
    seen: list[str] = []
    for _ in range(150):
        ActionChains(driver).send_keys(Keys.TAB).perform()
        name, outline = driver.execute_script(FOCUSED)
        assert outline, name
        seen.append(name)
        if name == "BUTTON why":
            break
    assert seen[0] == "A skip"
    assert "A Worst first" in seen
    wanted = (
        "BUTTON reveal",
        "BUTTON more",
        "INPUT filter-text",
        "SELECT filter-flag",
        "BUTTON filter-reset",
        "BUTTON why",
    )
    assert [name for name in wanted if name not in seen] == []


def test_sorting_works_from_the_keyboard(opened: Open) -> None:
    driver = opened()
    heading(driver, "id").find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert heading(driver, "id").get_attribute("aria-sort") == "ascending"
    assert column(driver, "id")[1] == "item-0000"  # the evil id, with a space, sorts before it


def test_more_cards_appear_on_request(opened: Open) -> None:
    driver = opened()
    shown = "return [...document.querySelectorAll('#worst .card')].filter((card) => !card.hidden).length"
    assert driver.execute_script(shown) == 12
    more = driver.find_element(By.CSS_SELECTOR, "#worst .more")
    assert more.text == "Show 8 more of 8"
    click(driver, more)
    assert driver.execute_script(shown) == 20
    assert not more.is_displayed()


def test_a_hostile_manifest_shows_as_text(opened: Open) -> None:
    driver = opened()
    assert driver.execute_script("return window.owned") is None
    set_text(driver, "filter-text", "evil")
    click(driver, driver.find_element(By.CSS_SELECTOR, "#items-table button.why"))
    assert driver.execute_script("return window.owned") is None
    for text in (column(driver, "id")[0], driver.find_element(By.CSS_SELECTOR, ".detail").text):
        assert "</script><script>window.owned=1</script><img src=x onerror=window.owned=1>" in text
        assert "[U+0001][U+001B][U+202E]" in text
    cards = driver.find_element(By.ID, "worst").text
    assert "<img src=x onerror=window.owned=1>" in cards


def test_no_request_leaves_the_page_and_foreign_scripts_do_not_run(opened: Open, page: Path) -> None:
    driver = opened()
    driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}
    assert urls
    assert {url for url in urls if not url.startswith("data:")} == {page.as_uri()}
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
    refused = driver.execute_async_script("""
      const done = arguments[0];
      const refused = [];
      document.addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
      const script = document.createElement("script");
      script.textContent = "window.owned = 1";
      document.body.append(script);
      const image = document.createElement("img");
      image.src = "https://example.invalid/x.png";
      document.body.append(image);
      fetch("https://example.invalid/").catch(() => setTimeout(() => done(refused), 200));
    """)
    assert {"script-src-elem", "img-src", "connect-src"} <= set(refused)
    assert driver.execute_script("return window.owned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_background(opened: Open, scheme: str) -> None:
    driver = opened(scheme=scheme)
    driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    click(driver, driver.find_element(By.CSS_SELECTOR, "#items-table button.why"))
    background = driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(20, 23, 27)") == (scheme == "dark")
    assert driver.execute_script(LOW_CONTRAST) == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_the_screen(opened: Open, width: int) -> None:
    driver = opened(width=width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert driver.execute_script("return window.innerWidth") == width
