"""The site is made without a warning, and has everything."""

import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lutformer.boards
import lutformer.hdl
import lutformer.model
import lutformer.model.nn
import lutformer.sim

ROOT = Path(__file__).parents[2]
PACKAGES = (lutformer.model, lutformer.model.nn, lutformer.hdl, lutformer.sim, lutformer.boards)


def make(source: Path, directory: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", directory / "trees"]
    return subprocess.run(
        [*words, source, directory / "site"],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("docs")
    done = make(ROOT / "docs", directory)
    assert done.returncode == 0, done.stderr
    return directory / "site"


def test_every_page_is_there(site):
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert pages
    assert [page for page in pages if not (site / page).with_suffix(".html").is_file()] == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_module_is_described(site, package):
    text = "".join(path.read_text() for path in (site / "reference").glob("*.html"))
    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        assert module.ispkg or f'id="module-{module.name}"' in text, module.name


def test_links_lead_somewhere(site):
    """Sphinx has checked those between Markdown pages; these are all of them, as a browser does."""
    for page in site.rglob("*.html"):
        for link in re.findall(r'href="([^"#:?]+)(?:#[^"]*)?"', page.read_text()):
            assert (page.parent / link).exists(), f"{page.relative_to(site)} links to {link}"


def test_a_broken_link_is_an_error(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "conf.py").write_text((ROOT / "docs" / "conf.py").read_text())
    (tmp_path / "source" / "index.md").write_text("# Page\n\n[there](nowhere.md)\n")
    done = make(tmp_path / "source", tmp_path)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
