"""What the pages tell a reader to type is typed here, page by page, from top to bottom.

A block in Python, Verilog or YAML whose first line (or second) is a comment with a file's name is
put into that file; a shell block is run; a ``text`` block after it is what it prints (``...``
stands for anything). A comment before a block can say otherwise: ``<!-- snippet: slow -->`` has it
run by the slow tests alone, ``<!-- snippet: not run: WHY -->`` never.
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import typer
from markdown_it import MarkdownIt

from lutformer.cli import app

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "docs/tutorial.md",
    "docs/attention.md",
    "docs/classifiers.md",
    "docs/text.md",
    "docs/own_data.md",
    "docs/own_board.md",
    "docs/own_attention.md",
    "docs/core.md",
)
SHELL = ("", "sh")
FILES = ("python", "verilog", "yaml", "toml")
MARK = re.compile(r"slow|not run: .+")
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
NAMED = re.compile(r"(?://|#) (\S+\.\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A piece of code on a page."""

    page: str
    line: int
    language: str  # empty: shell
    text: str
    mark: str  # of the comment before it

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str, root: Path = ROOT) -> list[Block]:
    """Return every code block of a page."""
    found, mark = [], ""
    for token in MarkdownIt().parse((root / page).read_text()):
        if token.type == "html_block" and token.content.startswith("<!-- snippet: "):
            mark = token.content.removeprefix("<!-- snippet: ").rstrip().removesuffix(" -->")
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            found.append(Block(page, token.map[0] + 1, token.info, token.content, mark))
            mark = ""
    return found


def images() -> None:
    """Write the images that the pages call mine."""
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 256, (40, 8, 8), np.uint8), np.arange(40) % 2
    np.savez("mine.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)


def table() -> None:
    """Write the table that the pages call mine."""
    rows = [f"{n % 7},{n % 5},{n % 2}" for n in range(80)]
    Path("mine.csv").write_text("\n".join(["a,b,kind", *rows]))


GIVEN: dict[str, Callable[[], None]] = {"mine.npz": images, "mine.csv": table}


@pytest.mark.parametrize("page", PAGES)
def test_every_block_is_of_a_known_kind(page):
    for block in blocks_of(page):
        assert block.language in (*SHELL, *FILES, "text"), block
        assert not block.mark or MARK.fullmatch(block.mark), f"{block}: {block.mark}"
        if block.language in FILES and not block.mark:
            assert NAMED.search(head(block)), f"{block} has no file's name"


@pytest.mark.parametrize(
    "block", [b for page in PAGES for b in blocks_of(page) if b.language in SHELL], ids=str
)
def test_commands_exist(block):
    """Also those that are not run."""
    group = typer.main.get_command(app)
    for line in block.text.splitlines():
        if line.removeprefix("$ ").startswith("lutformer "):
            words = shlex.split(line.removeprefix("$ "), comments=True)
            with group.make_context("lutformer", words[1:]) as context:
                name, found, rest = group.resolve_command(context, words[1:])  # type: ignore[attr-defined]
                found.make_context(name, rest, parent=context).close()


def head(block: Block) -> str:
    return "\n".join(block.text.splitlines()[:2])


def environment(directory: Path) -> dict[str, str]:
    """Return the environment of a reader, whose ``pip`` installs into ``directory``, offline."""
    site = str(directory / "site-packages")
    paths = {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": site}
    changed = {n: os.pathsep.join(filter(None, (p, os.environ.get(n)))) for n, p in paths.items()}
    pip = {"TARGET": site, "NO_DEPS": "1", "NO_INDEX": "1", "NO_BUILD_ISOLATION": "0"}
    return os.environ | changed | {f"PIP_{name}": value for name, value in pip.items()}


def run(block: Block, directory: Path) -> str:
    """Type a shell block; return what it prints."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],
        cwd=directory,
        env=environment(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, f"{block} ends with {done.returncode}:\n{done.stdout}"
    return done.stdout


def follow(page: str, directory: Path, *, slow: bool, root: Path = ROOT) -> int:
    """Do what a page says; return how many blocks were run."""
    said: str | None = None
    count = 0
    for block in blocks_of(page, root):
        if block.mark.startswith("not run") or (block.mark == "slow" and not slow):
            said = None
        elif block.language in FILES:
            name = NAMED.search(head(block))
            assert name is not None
            file = directory / name[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        elif block.language in SHELL:
            for name, give in GIVEN.items():
                if name in block.text and not (directory / name).exists():
                    give()
            said = run(block, directory)
            count += 1
        elif said is not None:
            checker = doctest.OutputChecker()
            told = f"{block}: printed was\n{said}"
            assert checker.check_output(f"...{block.text.strip()}...", said, FLAGS), told
    return count


@pytest.mark.parametrize("page", PAGES)
def test_page(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    count = follow(page, tmp_path, slow=False)
    quick = [b for b in blocks_of(page) if b.language in SHELL and not b.mark]
    assert count == len(quick)


@pytest.mark.slow
@pytest.mark.timeout(4 * 3600)
@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(b.mark == "slow" for b in blocks_of(page))]
)
def test_page_as_a_whole(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert follow(page, tmp_path, slow=True)


def test_a_wrong_page_is_noticed(tmp_path):
    def pages(text: str) -> None:
        (tmp_path / "a.md").write_text(text)
        follow("a.md", tmp_path, slow=False, root=tmp_path)

    pages("    echo right\n\n```text\nri...\n```\n")
    with pytest.raises(AssertionError, match=r"a\.md:3: printed was\n *right"):
        pages("    echo right\n\n```text\nwrong\n```\n")
    with pytest.raises(AssertionError, match=r"a\.md:1 ends with 1"):
        pages("    false\n")
