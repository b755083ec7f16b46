"""The viewer in a real browser: every function of it; pictures beside the page, in a bundle, or nowhere."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser_driver import LOW_CONTRAST, POLL, axe_violations, click, look, screenshot
from conftest_report import score_rows, write_run
from PIL import Image
from typer.testing import CliRunner

from edit_metrics.cli import app
from edit_metrics.evidence.files import boxes_name, evidence_name
from edit_metrics.report.write import ReportOptions, write_report

pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser
N = 14
LAST = f"item-{N - 1:04d}"  # the worst: the first card
FACES = {
    "source": [{"kind": "faces", "label": "1: lost", "box": [0.1, 0.1, 0.5, 0.6], "matched": False}],
    "edited": [{"kind": "text", "label": "SALE", "box": [0.2, 0.2, 0.9, 0.4], "matched": True}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with full pictures of 960×640, evidence of the worst item, and an unsafe item after it."""
    rows = score_rows(N)
    rows[-2] |= {"flags": "unsafe", "safety.score": 0.0}
    run = write_run(tmp_path_factory.mktemp("viewer") / "run", rows)
    coarse = np.random.default_rng(5).integers(0, 255, (16, 24, 3), dtype=np.uint8)
    for name in ("source", "edited"):
        Image.fromarray(coarse).resize((960, 640)).save(run.parent / "pictures" / f"{name}.png")
    evidence = run / "evidence"
    evidence.mkdir()
    for kind in ("change", "lpips", "region"):
        Image.new("RGB", (96, 64), "red").save(evidence / evidence_name(LAST, kind), "WEBP")
    (evidence / boxes_name(LAST)).write_text(json.dumps(FACES), encoding="utf-8")
    return run


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    return write_report(folder, None, ReportOptions(thumbnails=6)).path


Open = Callable[..., Any]


@pytest.fixture
def opened(driver: Any, page: Path) -> Open:
    def go(hash_: str = "", width: int = 1280, scheme: str = "light", path: Path = page) -> Any:
        look(driver, width, scheme)
        driver.get("about:blank")
        driver.get(path.as_uri() + hash_)
        return driver

    return go


def press(driver: Any, *keys: str) -> None:
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def open_first(driver: Any) -> None:
    click(driver, driver.find_element(By.CSS_SELECTOR, "#worst .card .look"))
    WebDriverWait(driver, 5, POLL).until(lambda d: d.find_element(By.CSS_SELECTOR, ".viewer-dialog").is_displayed())


def title(driver: Any) -> str:
    text: str = driver.find_element(By.CSS_SELECTOR, ".viewer-title").text
    return text


def panes(driver: Any) -> list[dict[str, Any]]:
    """Per pane in sight: name, place and size of the picture, clip, whether the full file is shown."""
    script = """
      return [...document.querySelectorAll(".viewer-pane:not(.off)")].map((pane) => {
        const box = pane.getBoundingClientRect(), layer = pane.querySelector(".viewer-layer").getBoundingClientRect();
        return { name: pane.dataset.name, left: layer.left - box.left, top: layer.top - box.top, width: layer.width,
          height: layer.height, clip: pane.style.clipPath,
          full: pane.querySelector(".viewer-picture").dataset.full ?? "" };
      });
    """
    found: list[dict[str, Any]] = driver.execute_script(script)
    return found


def until(driver: Any, condition: Callable[[], bool]) -> None:
    WebDriverWait(driver, 5, POLL).until(lambda _: condition())


def pressed(driver: Any, label: str) -> str | None:
    button = driver.find_element(By.XPATH, f"//div[@class='viewer-bar']//button[text()='{label}']")
    value: str | None = button.get_attribute("aria-pressed")
    return value


def test_a_card_opens_its_full_pictures(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    assert title(driver) == LAST
    until(driver, lambda: [one["full"] for one in panes(driver)] == ["yes", "yes"])
    natural = driver.execute_script("return document.querySelector('.viewer-picture').naturalWidth")
    assert natural == 960
    assert driver.find_element(By.CSS_SELECTOR, ".viewer-say").text == ""
    press(driver, Keys.ESCAPE)
    assert not driver.find_element(By.CSS_SELECTOR, ".viewer-dialog").is_displayed()
    assert driver.switch_to.active_element.get_attribute("aria-label") == f"Look at {LAST}"


def test_zoom_and_pan_move_both_pictures_alike(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    until(driver, lambda: len(panes(driver)) == 2 and panes(driver)[0]["width"] > 0)
    before = panes(driver)
    press(driver, "+")
    zoomed = panes(driver)
    assert zoomed[0]["width"] == pytest.approx(before[0]["width"] * 1.5, rel=0.01)
    stage = driver.find_element(By.CSS_SELECTOR, ".viewer-stage")
    ActionChains(driver).move_to_element_with_offset(stage, -200, 0).click_and_hold().move_by_offset(
        -60, -20
    ).release().perform()
    moved = panes(driver)
    assert moved[0]["left"] == pytest.approx(zoomed[0]["left"] - 60, abs=2)
    keys = ("left", "top", "width", "height")
    assert [moved[0][key] for key in keys] == pytest.approx([moved[1][key] for key in keys], abs=1)
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    ActionChains(driver).scroll_from_origin(ScrollOrigin.from_element(stage, -200, 50), 0, -240).perform()
    wheeled = panes(driver)
    assert wheeled[0]["width"] > moved[0]["width"]
    assert [wheeled[0][key] for key in keys] == pytest.approx([wheeled[1][key] for key in keys], abs=1)
    press(driver, "z")
    assert panes(driver)[0]["width"] == pytest.approx(960, abs=1)
    press(driver, "0")
    assert panes(driver) == before


def test_the_slider_moves_by_input_and_by_hand(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    press(driver, "v")
    assert pressed(driver, "Slider") == "true"
    assert [one["clip"] for one in panes(driver)] == ["inset(0px 50% 0px 0px)", "inset(0px 0px 0px 50%)"]
    stage = driver.find_element(By.CSS_SELECTOR, ".viewer-stage")
    ActionChains(driver).move_to_element(stage).click_and_hold().move_by_offset(
        stage.size["width"] // 4, 0
    ).release().perform()
    assert driver.execute_script("return Number(document.querySelector('.viewer-split').value)") == pytest.approx(
        75, abs=1
    )
    driver.find_element(By.CSS_SELECTOR, ".viewer-split").send_keys(Keys.HOME)
    assert panes(driver)[0]["clip"] == "inset(0px 100% 0px 0px)"


def test_space_flickers_and_says_which_picture_is_shown(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    names = []
    for _ in range(3):
        press(driver, " ")
        names.append([one["name"] for one in panes(driver)])
    assert names == [["source"], ["edited"], ["source"]]
    assert driver.find_element(By.CSS_SELECTOR, ".viewer-say").text == "Showing: source"


def test_maps_mask_and_boxes_are_laid_over_and_taken_off(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    lit = """return ["change", "lpips"].map((kind) =>
      [...document.querySelectorAll(`.viewer-overlay[data-kind=${kind}]`)].map((o) => getComputedStyle(o).opacity))"""
    press(driver, "c")
    assert driver.execute_script(lit) == [["0", "0.7"], ["0", "0"]]  # over the edited picture, not over the source
    driver.find_element(By.CSS_SELECTOR, ".viewer-opacity").send_keys(Keys.END)
    assert driver.execute_script(lit)[0][1] == "1"
    click(driver, driver.find_element(By.XPATH, "//div[@class='viewer-bar']//button[text()='LPIPS map']"))
    assert driver.execute_script(lit) == [["0", "0"], ["0", "1"]]
    click(driver, driver.find_element(By.XPATH, "//div[@class='viewer-bar']//button[text()='region of the check']"))
    assert driver.execute_script(lit) == [["0", "0"], ["0", "0"]]
    regions = driver.find_elements(By.CSS_SELECTOR, ".viewer-overlay[data-kind=region]")
    assert [one.value_of_css_property("opacity") for one in regions] == ["0", "1"]
    mask = driver.find_element(By.CSS_SELECTOR, ".viewer-mask")
    assert mask.value_of_css_property("opacity") == "0"
    press(driver, "m")
    assert mask.value_of_css_property("opacity") == "1"
    shown = """return [...document.querySelectorAll('.viewer-label')].filter((one) => one.checkVisibility())
      .map((one) => one.textContent)"""
    assert driver.execute_script(shown) == []
    press(driver, "b")
    assert driver.execute_script(shown) == ["1: lost", "SALE"]
    click(driver, driver.find_element(By.XPATH, "//div[@class='viewer-bar']//button[text()='faces']"))
    assert driver.execute_script(shown) == ["SALE"]
    boxes = driver.execute_script(
        "return [...document.querySelectorAll('.viewer-boxes rect.on')].map((r) => r.getAttribute('x'))"
    )
    assert boxes == ["200"]


def test_j_k_and_arrows_turn_through_the_section_and_keep_the_view(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    press(driver, "v", "j")
    assert title(driver) == f"item-{N - 2:04d}"
    assert pressed(driver, "Slider") == "true"
    press(driver, "k", "k")
    where = driver.find_element(By.CSS_SELECTOR, ".viewer-where").text
    assert where == "4 of 4"
    press(driver, Keys.ARROW_RIGHT)
    assert title(driver) == LAST
    press(driver, Keys.ARROW_DOWN, Keys.ARROW_UP)
    assert title(driver) == LAST


def test_a_place_is_shared_by_its_address(opened: Open) -> None:
    driver = opened()
    open_first(driver)
    press(driver, "v", "+", "c", "m", "b")
    address, before = driver.current_url, panes(driver)
    assert f"#look={LAST}&mode=slider" in address
    opened(address[address.index("#") :])
    until(driver, lambda: driver.find_element(By.CSS_SELECTOR, ".viewer-dialog").is_displayed())
    assert title(driver) == LAST
    until(driver, lambda: panes(driver) == before)
    assert [pressed(driver, label) for label in ("Slider", "change map", "Mask", "faces")] == ["true"] * 4
    press(driver, Keys.ESCAPE)
    until(driver, lambda: "#" not in driver.current_url)


@pytest.mark.parametrize(
    "hash_", ["#look=nobody", "#look=%E0%A4%A", "#look=", "#zoom=x", f"#look={LAST}&zoom=x&at=a,b&mode=up"]
)
def test_an_address_that_makes_no_sense_does_no_harm(opened: Open, hash_: str) -> None:
    driver = opened(hash_)
    assert driver.find_element(By.CSS_SELECTOR, ".viewer-dialog").is_displayed() == hash_.startswith(f"#look={LAST}")
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_unsafe_pictures_are_blurred_in_the_viewer_too(opened: Open) -> None:
    driver = opened(f"#look=item-{N - 2:04d}")
    layer = driver.find_element(By.CSS_SELECTOR, ".viewer-layer")
    assert "blur(28px)" in layer.value_of_css_property("filter")
    click(driver, driver.find_element(By.CSS_SELECTOR, ".viewer .reveal"))
    assert layer.value_of_css_property("filter") == "none"
    press(driver, "j", "k")
    assert "blur(28px)" in driver.find_element(By.CSS_SELECTOR, ".viewer-layer").value_of_css_property("filter")
    button = driver.find_element(By.CSS_SELECTOR, "#items-table .look.sensitive img")
    assert "blur(8px)" in button.value_of_css_property("filter")


def test_a_row_without_a_card_opens_in_the_tables_order(opened: Open) -> None:
    driver = opened()
    button = driver.find_elements(By.CSS_SELECTOR, "#items-table .look")[9]
    click(driver, button)
    assert title(driver) == f"item-{N - 10:04d}"
    assert driver.find_element(By.CSS_SELECTOR, ".viewer-where").text == f"10 of {N}"
    until(driver, lambda: [one["full"] for one in panes(driver)] == ["yes", "yes"])
    masks = driver.find_elements(By.CSS_SELECTOR, ".viewer-mask")
    assert [mask.value_of_css_property("opacity") for mask in masks] == ["0", "0"]
    press(driver, "m")
    assert [mask.value_of_css_property("opacity") for mask in masks] == ["1", "1"]
    for mask in masks:  # a picture that the browser could read, as large as the one under it
        assert driver.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 0", mask)
        under = driver.execute_script("return arguments[0].parentElement.getBoundingClientRect().width", mask)
        assert mask.rect["width"] == pytest.approx(under, abs=1)


def test_the_table_shows_the_instruction_and_small_pictures(opened: Open) -> None:
    driver = opened()
    headings = [th.text for th in driver.find_elements(By.CSS_SELECTOR, "#items-table > thead th")]
    assert headings[:4] == ["pictures", "order", "id", "instruction"]
    assert len(driver.find_elements(By.CSS_SELECTOR, "#items-table .look img")) == 2 * N


def test_the_six_worst_stand_above_the_fold_each_with_a_sentence(opened: Open, folder: Path, tmp_path: Path) -> None:
    page = write_report(folder, tmp_path / "page.html", ReportOptions(thumbnails=30)).path
    driver = opened(path=page)
    cards = driver.find_elements(By.CSS_SELECTOR, "#worst .card")[:6]
    assert max(card.rect["y"] + card.rect["height"] for card in cards) <= 900
    assert cards[0].find_element(By.CSS_SELECTOR, ".why-first").text == "Adherence 0.00: No mask was given."
    assert cards[1].find_element(By.CSS_SELECTOR, ".why-first").text == "Unsafe picture: No mask was given."


def test_a_page_that_was_moved_says_that_its_pictures_are_small(opened: Open, page: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.html"
    moved.write_bytes(page.read_bytes())
    driver = opened(path=moved)
    open_first(driver)
    until(
        driver, lambda: "edit-metrics report RUN --bundle" in driver.find_element(By.CSS_SELECTOR, ".viewer-say").text
    )
    assert len(panes(driver)) == 2


def test_a_bundle_holds_the_page_with_its_full_pictures(opened: Open, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    arguments = ["report", str(folder), "--bundle", str(target), "--ids", f"{LAST},item-0003"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "run report with 5 full pictures" in result.stderr  # two pictures, three maps
    first = target.read_bytes()
    CliRunner().invoke(app, arguments)
    assert target.read_bytes() == first
    with zipfile.ZipFile(target) as bundle:
        bundle.extractall(tmp_path / "there")
    driver = opened(path=tmp_path / "there" / "report.html")
    open_first(driver)
    until(driver, lambda: [one["full"] for one in panes(driver)] == ["yes", "yes"])
    assert len(driver.find_elements(By.CSS_SELECTOR, "#items-table > tbody > tr")) == 2


def test_two_fingers_zoom_and_a_swipe_turns_to_the_next(opened: Open) -> None:
    driver = opened(width=390)
    open_first(driver)
    until(driver, lambda: panes(driver)[0]["width"] > 0)
    before = panes(driver)[0]["width"]

    def touch(kind: str, *points: tuple[float, float]) -> None:
        spots = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    touch("touchStart", (180, 300), (220, 300))
    touch("touchMove", (140, 300), (260, 300))
    touch("touchEnd")
    assert panes(driver)[0]["width"] > 1.5 * before
    press(driver, "0")
    touch("touchStart", (300, 300))
    touch("touchMove", (150, 300))
    touch("touchEnd")
    assert title(driver) == f"item-{N - 2:04d}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_and_viewer_pass_axe_and_contrast(opened: Open, width: int, scheme: str) -> None:
    driver = opened(width=width, scheme=scheme)
    examined = (width == 1280) == (scheme == "light")  # what axe finds hangs on either alone; it takes seconds
    assert not examined or axe_violations(driver) == []
    screenshot(driver, f"report-{width}-{scheme}")
    open_first(driver)
    press(driver, "c", "m", "b")
    assert not examined or axe_violations(driver) == []
    assert driver.execute_script(LOW_CONTRAST) == []
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    screenshot(driver, f"viewer-{width}-{scheme}")


def test_comparison_and_triage_use_the_same_viewer(driver: Any, folder: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", [row | {"preservation.score": 0.1} for row in score_rows(N)])
    compared, triaged = tmp_path / "compared", tmp_path / "triaged"
    assert CliRunner().invoke(app, ["compare", str(folder), str(other), "--out", str(compared)]).exit_code == 0
    assert CliRunner().invoke(app, ["triage", str(folder), "--out", str(triaged)]).exit_code == 0
    for made, names in (
        (write_report(compared), ["source", "run", "other"]),
        (write_report(triaged, None, ReportOptions(run=folder)), ["source", "edited"]),
    ):
        look(driver)
        driver.get(made.path.as_uri())
        assert axe_violations(driver) == []
        click(driver, driver.find_element(By.CSS_SELECTOR, ".card .look"))
        assert [one["name"] for one in panes(driver)] == names
        until(driver, lambda: all(one["full"] == "yes" for one in panes(driver)))
        press(driver, " ")
        assert len(panes(driver)) == 1
        press(driver, "v")
        press(driver, "v")
        assert [one["name"] for one in panes(driver)] == names[-2:]
        assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []
