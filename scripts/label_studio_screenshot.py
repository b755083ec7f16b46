"""Open Label Studio's labelling page in headless Chromium; called by label_studio_roundtrip.py.

python scripts/label_studio_screenshot.py ADDRESS PROJECT USER PASSWORD OUT.png
"""

from __future__ import annotations

import sys
import time

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait


def main() -> None:
    address, project, user, password, out = sys.argv[1:]
    options = ChromeOptions()
    for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,2000"):
        options.add_argument(flag)
    with Chrome(options=options) as browser:
        browser.get(f"{address}/user/login")
        browser.find_element(By.NAME, "email").send_keys(user)
        browser.find_element(By.NAME, "password").send_keys(password)
        browser.find_element(By.CSS_SELECTOR, "button[type=submit], [aria-label='Log In']").click()
        time.sleep(3)
        browser.get(f"{address}/projects/{project}/data?labeling=1")
        WebDriverWait(browser, 120).until(lambda page: page.find_elements(By.CSS_SELECTOR, ".em-pictures img"))
        time.sleep(6)
        browser.save_screenshot(out)
        print(f"screenshot → {out}")


if __name__ == "__main__":
    main()
