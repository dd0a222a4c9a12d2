"""The pages of the documentation, taken apart."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]


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


def blocks_of(page: str) -> list[Block]:
    """Return every code block of a page; a comment ``<!-- snippet: MARK -->`` marks the next."""
    found, mark = [], ""
    for token in MarkdownIt().parse((ROOT / page).read_text()):
        if token.type == "html_block" and token.content.startswith("<!-- snippet: "):
            mark = token.content.removeprefix("<!-- snippet: ").removesuffix(" -->\n")
        if token.type in ("fence", "code_block"):
            assert token.map is not None
            found.append(Block(page, token.map[0] + 1, token.info, token.content, mark))
            mark = ""
    return found


@pytest.fixture
def block():
    """Return what finds the one code block of a page that contains a text."""

    def find(page: str, text: str) -> str:
        (found,) = [block.text for block in blocks_of(page) if text in block.text]
        return found

    return find
