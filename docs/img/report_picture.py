"""The picture of a report in these pages: ``python docs/img/report_picture.py build/demo``.

Needs Chromium (``apt-get install -y chromium``); writes ``docs/img/report.png``.
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 1080
SHOWN = """() => {
    const at = selector => document.querySelector(selector).getBoundingClientRect();
    return [at("#cycles").top, at("svg[aria-label^=Floorplan]").bottom + 16];
}"""


def take(report: Path, picture: Path) -> None:
    """Take the page from its cycles to the end of the floorplan."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(report.absolute().as_uri())
        top, bottom = page.evaluate(SHOWN)
        whole = page.screenshot(full_page=True)
        chromium.close()
    shown = Image.open(BytesIO(whole)).crop((0, int(top), WIDTH, int(bottom)))
    shown.convert("RGB").quantize(64).save(picture, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]) / "report.html", Path(__file__).with_name("report.png"))
