"""Headless Chromium for every browser test: one driver a module, skipped where either program is absent."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars",
)  # fmt: skip

POLL = 0.03
"""Seconds between two looks at what is waited for; selenium's own is half a second."""

# Text whose contrast with what lies behind it is below 4.5 : 1, as [ratio, text].
LOW_CONTRAST = """
const luminance = (color) => {
  const [r, g, b] = color.map((v) => { v /= 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const backdrop = (node) => {
  for (let at = node; at; at = at.parentElement) {
    const color = parse(getComputedStyle(at).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color.slice(0, 3);
  }
  return [255, 255, 255];
};
const found = [];
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || !node.checkVisibility() || ["SCRIPT", "STYLE", "NOSCRIPT"].includes(node.tagName)) continue;
  const [a, b] = [luminance(parse(getComputedStyle(node).color).slice(0, 3)), luminance(backdrop(node))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < 4.5) found.push([ratio, node.className, node.textContent.slice(0, 40)]);
}
return found;
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in (*ARGUMENTS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(DRIVER, log_output=subprocess.DEVNULL)
    # Selenium must talk to the driver, not to a proxy; and it looks nothing up when both programs are named.
    previous = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()
    if previous is None:
        del os.environ["NO_PROXY"]
    else:
        os.environ["NO_PROXY"] = previous


def look(driver: Any, width: int = 1280, scheme: str = "light", height: int = 900) -> None:
    """Set the screen and the colour scheme, and forget what was logged."""
    driver.get_log("performance")
    driver.get_log("browser")
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def click(driver: Any, element: Any) -> None:
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def axe_violations(driver: Any) -> list[str]:
    """What axe-core finds wrong on the page as it stands: rule and the first places."""
    package = pytest.importorskip("axe_core_python")
    script = (Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    driver.execute_script(script)
    found = driver.execute_async_script("axe.run(document).then(arguments[0])")
    return [
        f"{one['id']}: {one['help']}: " + " | ".join(str(node["target"]) for node in one["nodes"][:3])
        for one in found["violations"]
    ]


def screenshot(driver: Any, name: str) -> None:
    """Kept for a person to look at, where EDIT_METRICS_SCREENSHOTS names a folder."""
    if folder := os.environ.get("EDIT_METRICS_SCREENSHOTS"):
        driver.save_screenshot(str(Path(folder) / f"{name}.png"))
