"""Pictures of a report for these pages: ``python docs/img/report_picture.py build/demo``.

Needs Chromium (``apt-get install -y chromium``). Writes ``docs/img/report.png`` (cycles and
floorplan) and ``docs/img/floorplan.png`` (the floorplan alone).
"""

import shutil
import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

WIDTH = 1080
MARGIN = 16
# The corners of each picture, as (left, top, right, bottom) in pixels of the page.
BOXES = """([width, margin]) => {
    const cycles = document.querySelector("#cycles").getBoundingClientRect();
    const plan = document.querySelector("svg[aria-label^=Floorplan]").getBoundingClientRect();
    return {
        "report.png": [0, cycles.top, width, plan.bottom + margin],
        "floorplan.png": [plan.left - margin, plan.top - margin, plan.right + margin, plan.bottom],
    };
}"""


def take(report: Path, folder: Path) -> None:
    """Write the pictures of the page ``report`` to ``folder``."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = chromium.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(report.absolute().as_uri())
        boxes = page.evaluate(BOXES, [WIDTH, MARGIN])
        whole = Image.open(BytesIO(page.screenshot(full_page=True)))
        chromium.close()
    for name, (left, top, right, bottom) in boxes.items():
        shown = whole.crop((max(0, int(left)), int(top), min(WIDTH, int(right)), int(bottom)))
        shown.convert("RGB").quantize(64).save(folder / name, optimize=True)


if __name__ == "__main__":
    take(Path(sys.argv[1]) / "report.html", Path(__file__).parent)
