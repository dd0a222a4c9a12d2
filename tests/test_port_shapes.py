"""Shapes of ports in docstrings: what is said of a layer's or a token's number is what is built."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HDL = Path(__file__).parents[1] / "hdl"
WIDTHS = {"ACTIVATION_BITS": "8", "RESIDUAL_BITS": "16"}


def components() -> Iterator[tuple[str, str, ast.ClassDef]]:
    """Yield name, docstring and class of each component whose docstring lists its ports."""
    for path in sorted(HDL.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                doc = ast.get_docstring(node) or ""
                if "Members\n-------" in doc:
                    yield f"{path.relative_to(HDL)}:{node.name}", doc, node


def said(doc: str) -> dict[str, str]:
    """Return the shapes that a docstring gives to ports."""
    members = doc.partition("Members\n-------")[2]
    found = re.findall(r"^([\w, ]+) : (.+)$", members, re.MULTILINE)
    return {name: shape for names, shape in found for name in names.split(", ")}


def built(node: ast.ClassDef) -> dict[str, str]:
    """Return the shapes of ports that a class passes on as a dictionary."""
    pairs: list[tuple[ast.expr | None, ast.expr]] = []
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            pairs += zip(part.keys, part.values, strict=True)
    return {
        key.value: ast.unparse(value)
        for key, value in pairs
        if isinstance(key, ast.Constant)
        and isinstance(key.value, str)
        and isinstance(value, ast.Call)
        and ast.unparse(value.func) in ("In", "Out")
    }


def plain(shape: str) -> str:
    """Return a shape without what a docstring leaves out."""
    for name, width in WIDTHS.items():
        shape = shape.replace(name, width)
    return re.sub(r"\b(self|config)\.|\s", "", shape)


@pytest.mark.parametrize(
    ("doc", "node"),
    [pytest.param(doc, node, id=name) for name, doc, node in components()],
)
def test_numbers_have_the_range_that_is_said(doc, node):
    ports = built(node)
    numbers = {name for name, shape in ports.items() if "len(" in shape or name == "before"}
    assert {n: plain(s) for n, s in said(doc).items() if n in numbers} == {
        n: plain(ports[n]) for n in numbers
    }
