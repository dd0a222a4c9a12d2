"""The site is made without a warning, and has everything."""

import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

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


def test_site(tmp_path):
    """One test: a second worker need not make it again."""
    done = make(ROOT / "docs", tmp_path)
    assert done.returncode == 0, done.stderr
    site = tmp_path / "site"
    pages = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")}
    assert pages
    assert [page for page in pages if not (site / page).with_suffix(".html").is_file()] == []
    described = "".join(path.read_text() for path in (site / "reference").glob("*.html"))
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            assert module.ispkg or f'id="module-{module.name}"' in described, module.name
    for page in site.rglob("*.html"):  # Sphinx looks at those between Markdown pages alone
        for link in re.findall(r'href="([^"#:?]+)(?:#[^"]*)?"', page.read_text()):
            assert (page.parent / link).exists(), f"{page.relative_to(site)} links to {link}"


def test_a_broken_link_is_an_error(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "conf.py").write_text((ROOT / "docs" / "conf.py").read_text())
    (tmp_path / "source" / "index.md").write_text("# Page\n\n[there](nowhere.md)\n")
    done = make(tmp_path / "source", tmp_path)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr
