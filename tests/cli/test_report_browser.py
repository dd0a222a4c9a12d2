"""The page in a real browser: nothing loaded, no errors, nothing too wide, every picture seen."""

import shutil

import pytest

from lutformer.generating import generate_verilog
from lutformer.model.network.network_file import save_network
from lutformer.testing.random_classifier import random_classifier
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="there is no Chromium: run `apt-get install -y chromium`"
)

NETWORKS = {
    "transformer": lambda: random_network(NetworkShape(depth=2)),
    "classifier": lambda: random_classifier(),
    "decoder": lambda: random_gpt(GptShape(heads=2)),
}
CURVE = "epoch,step,lr,ramp,loss,train_accuracy\n1,22,0.1,0,2.3,0.19\n2,44,0.1,0,0.1,0.9\n"
SPANS = [
    ["matvec", "embed", 0, 30],
    ["matvec", "head", 90, 100],
    ["attention", "project 0", 40, 80],
]
LOOK = """() => {
    const outside = [];
    for (const svg of document.querySelectorAll("svg")) {
        const box = svg.viewBox.baseVal;
        for (const text of svg.querySelectorAll("text")) {
            const at = text.getBBox();
            if (at.x < -1 || at.y < -1 || at.x + at.width > box.width + 1
                || at.y + at.height > box.height + 1) outside.push(text.textContent);
        }
    }
    const boxes = [...document.querySelectorAll("svg")].map(s => s.getBoundingClientRect());
    const links = [...document.querySelectorAll("a")].map(a => a.getAttribute("href"));
    return {
        width: document.documentElement.scrollWidth,
        sizes: boxes.map(box => Math.min(box.width, box.height)),
        outside: outside,
        dangling: links.filter(link => !document.querySelector(link)),
    };
}"""


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        # As root, in a container, Chromium has no sandbox of its own.
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(params=NETWORKS)
def workspace(request, tmp_path):
    save_network(NETWORKS[request.param](), tmp_path / "network.safetensors")
    workspace, _ = generate_verilog(
        tmp_path / "network.safetensors", "icebreaker", tmp_path / "generated"
    )
    return workspace


@pytest.mark.parametrize("complete", [False, True])
def test_page(cli, workspace, browser, simulated, built, complete):
    if complete:
        program = workspace.program.is_file()
        simulated(workspace, profile={"cycles": 100, "spans": SPANS} if program else None)
        built(workspace)
        (workspace.path / "curve.csv").write_text(CURVE)
    assert cli("report", workspace.path).code == 0
    for width in (1280, 400):
        page = browser.new_page(viewport={"width": width, "height": 900}, offline=True)
        asked, wrong = [], []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.on("console", lambda message, wrong=wrong: wrong.append(message.text))
        page.on("pageerror", lambda error, wrong=wrong: wrong.append(str(error)))
        page.goto(workspace.report_html.as_uri())
        seen = page.evaluate(LOOK)
        assert asked == [workspace.report_html.as_uri()]
        assert wrong == []
        assert seen["width"] <= width
        assert len(seen["sizes"]) >= (4 if complete else 1)
        assert all(size > 5 for size in seen["sizes"])
        assert seen["outside"] == []
        assert seen["dangling"] == []
        page.close()
