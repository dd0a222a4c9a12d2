"""The layout that packaging, type checkers and readers rely on: which package may import which.

``ALLOWED`` is the source of the table in docs/architecture.md; ``python tests/test_layout.py``
writes it there.
"""

import ast
import functools
import sys
import tomllib
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import grimp
import pytest

import lutformer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/architecture.md"
TOP = ("hdl", "model", "sim", "boards")
CODE = (*TOP, "src", "tests", "benchmarks")
MOST_FILES = 25
"""Files of Python code in one folder; a folder with more holds more than one subject."""


class Allowed(NamedTuple):
    """What a package may import beside the standard library and modules of its own."""

    ours: str
    others: str = ""


ROOT_MODULES = "*"
"""Of src/lutformer itself. They share a row, but in the search for circles each stands alone."""

# From the bottom up: a row may allow only rows above it.
ALLOWED = {
    "errors": Allowed(""),
    "model.storage": Allowed("errors", "numpy"),
    "model": Allowed("errors model.storage", "numpy"),
    "model.data": Allowed("errors model", "numpy sklearn"),
    "model.network": Allowed("errors model model.data model.storage", "numpy safetensors"),
    "model.costs": Allowed("model model.network"),
    "model.kinds": Allowed("errors model model.costs model.storage"),
    "model.config": Allowed("errors model model.kinds model.network model.storage"),
    "model.link": Allowed("errors model model.network model.storage"),
    "model.nn": Allowed("errors model model.config", "numpy torch"),
    "model.nn.network": Allowed("model model.config model.kinds model.network model.nn", "torch"),
    "model.nn.training": Allowed(
        "errors model model.config model.data model.network model.nn model.nn.network"
        " model.storage",
        "matplotlib numpy rich safetensors torch",
    ),
    "hdl": Allowed(""),
    "hdl.lib": Allowed("model", "amaranth"),
    "hdl.plan": Allowed("errors hdl.lib model.storage", "pydantic"),
    "hdl.linear": Allowed("hdl.lib model model.storage", "amaranth numpy"),
    "hdl.luts": Allowed("model", "amaranth numpy"),
    "hdl.attention": Allowed(
        "hdl.lib hdl.linear hdl.plan model model.kinds model.storage", "amaranth numpy"
    ),
    "hdl.mlp": Allowed(
        "hdl.lib hdl.luts hdl.plan model model.kinds model.storage", "amaranth numpy"
    ),
    "hdl.classifier": Allowed(
        "hdl.lib hdl.luts hdl.plan model model.network model.storage", "amaranth numpy"
    ),
    "hdl.transformer": Allowed(
        "hdl.attention hdl.lib hdl.linear hdl.mlp hdl.plan model model.network model.storage",
        "amaranth numpy",
    ),
    "hdl.core": Allowed(
        "errors hdl.classifier hdl.lib hdl.plan hdl.transformer"
        " model model.link model.network model.storage",
        "amaranth pydantic",
    ),
    "hdl.planner": Allowed(
        "errors hdl.attention hdl.classifier hdl.lib hdl.luts hdl.mlp hdl.plan hdl.transformer"
        " model model.network",
        "numpy pydantic",
    ),
    "boards": Allowed("errors", "amaranth amaranth_boards pydantic"),
    "boards.build": Allowed("errors boards hdl.core", "amaranth rich"),
    "boards.host": Allowed("errors boards boards.build model.link", "numpy serial"),
    "sim": Allowed(
        "errors hdl.core hdl.lib hdl.mlp hdl.transformer model model.link model.network",
        "amaranth cocotb cocotb_tools numpy pydantic",
    ),
    "sim.formal": Allowed(
        "errors boards boards.build hdl.core hdl.transformer model model.network", "numpy"
    ),
    "testing": Allowed("model model.kinds model.network", "numpy"),
    "proofs": Allowed(
        f"boards boards.build errors hdl.core model.network sim.formal {ROOT_MODULES}"
    ),
    "families": Allowed(
        "boards errors hdl.core hdl.plan hdl.planner hdl.transformer model model.config model.costs"
        " model.data model.network model.nn.training proofs sim testing"
        f" {ROOT_MODULES}",
        "PIL numpy",
    ),
    "report.pictures": Allowed("boards.build sim", "markupsafe"),
    "report": Allowed(
        "boards.build families model.costs model.data model.network proofs report.pictures sim"
        f" {ROOT_MODULES}",
        "jinja2 markupsafe pydantic",
    ),
    "session": Allowed(
        "boards.host errors families hdl.plan hdl.transformer model model.link model.network sim"
        f" {ROOT_MODULES}",
        "numpy typer",
    ),
    "commands": Allowed(
        "boards boards.host errors families model model.config model.network report"
        f" session {ROOT_MODULES}",
        "typer",
    ),
    ROOT_MODULES: Allowed(
        "boards boards.build boards.host errors families hdl.luts hdl.plan model.config model.data"
        " model.kinds model.network model.nn.network model.nn.training model.storage proofs report"
        " session sim sim.formal",
        "numpy pydantic rich torch typer",
    ),
}


@functools.cache
def graph() -> grimp.ImportGraph:
    """Return every import of the package, also inside of functions and for type checkers only."""
    assert Path(lutformer.__path__[0]) == ROOT / "src/lutformer", "another checkout is installed"
    return grimp.build_graph("lutformer", include_external_packages=True, cache_dir=None)


def our_modules() -> set[str]:
    return {name for name in graph().modules if not graph().is_module_squashed(name)}


def packages() -> set[str]:
    return {name for name in our_modules() if graph().find_children(name)}


def node(module: str) -> str:
    """Return the package of a module; a module of src/lutformer itself is a node of its own."""
    if module in packages():
        return module
    package = module.rpartition(".")[0]
    return module if package == "lutformer" else package


def row(module: str) -> str:
    """Return the row of ``ALLOWED`` that a module of ours obeys and is allowed by."""
    name = node(module).removeprefix("lutformer.")
    if name in ALLOWED:
        return name
    assert node(module) not in packages() - {"lutformer"}, f"ALLOWED has no row for {name}"
    return ROOT_MODULES


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT / "src" if "src" in path.parts else ROOT).with_suffix("").parts
    inner = parts if parts[0] == "lutformer" else ("lutformer", *parts)
    return ".".join(inner).removesuffix(".__init__")


def bare_imports(path: Path) -> set[str]:
    """Return the first words of what a file imports absolutely."""
    names = set()
    for part in ast.walk(ast.parse(path.read_text())):
        if isinstance(part, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in part.names}
        elif isinstance(part, ast.ImportFrom) and not part.level:
            names.add((part.module or "").partition(".")[0])
    return names


def folder(name: str) -> str:
    if name == ROOT_MODULES:
        return "src/lutformer/*.py"
    if name == "errors":
        return "src/lutformer/errors.py"
    inner = name.replace(".", "/")
    return f"{inner}/" if name.partition(".")[0] in TOP else f"src/lutformer/{inner}/"


def holds(name: str) -> str:
    """Return the first sentence of a package's docstring, as a cell of the table."""
    if name == ROOT_MODULES:
        return "the steps from data to board that the commands call"
    package = ROOT / folder(name)
    text = (package if package.is_file() else package / "__init__.py").read_text()
    return (ast.get_docstring(ast.parse(text)) or "").splitlines()[0].rstrip(".").replace("``", "`")


def listed(names: str) -> str:
    return " ".join(f"`{name}`" for name in names.split()) or "-"


def table() -> str:
    lines = [
        "| folder | what is in it | may import of ours | and of others |",
        "|---|---|---|---|",
    ]
    lines += (
        f"| `{folder(name)}` | {holds(name)} | {listed(allowed.ours)} | {listed(allowed.others)} |"
        for name, allowed in ALLOWED.items()
    )
    return "\n".join(lines)


def with_table(page: str) -> str:
    """Return the page with the table between its two marks."""
    before, start, rest = page.partition("<!-- imports: python tests/test_layout.py -->\n")
    _, end, after = rest.partition("\n<!-- end of imports -->")
    assert all((start, end)), "docs/architecture.md has lost the marks of its table"
    return f"{before}{start}{table()}{end}{after}"


def test_every_package_is_listed():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert set(tool["packages"]) == packages()
    assert set(tool["package-dir"]) == packages()
    for package, place in tool["package-dir"].items():
        assert (ROOT / place / "__init__.py").is_file(), package


def test_every_file_is_a_module():
    """A folder without ``__init__.py`` would be left out of the wheel, and of the rules here."""
    assert {module_name(path) for path in sources(*TOP, "src")} == our_modules()


def test_a_row_allows_only_rows_above_it():
    above: set[str] = set()
    for name, allowed in ALLOWED.items():
        if name != ROOT_MODULES:
            assert set(allowed.ours.split()) - {ROOT_MODULES} <= above, name
        above.add(name)


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_are_in_the_table(name):
    ours, others = (set(names.split()) for names in ALLOWED[name])
    for module in (m for m in our_modules() if row(m) == name):
        for target in graph().find_modules_directly_imported_by(module):
            if target in our_modules():
                assert row(target) in ours | {name}, f"{module} imports {target}"
            elif target not in sys.stdlib_module_names:
                assert target in others, f"{module} imports {target}"


def test_no_circle_between_modules():
    graph_of_modules = {
        module: graph().find_modules_directly_imported_by(module) & our_modules()
        for module in our_modules()
    }
    refuse_circles(graph_of_modules)


def test_no_circle_between_packages():
    """Neither between the packages taken flat, nor between a package's children as wholes."""
    arrows: dict[str, set[str]] = {}
    for module in our_modules():
        for target in graph().find_modules_directly_imported_by(module) & our_modules():
            arrows.setdefault(node(module), set()).add(node(target))
    refuse_circles({name: targets - {name} for name, targets in arrows.items()})
    for package in packages():
        assert graph().nominate_cycle_breakers(package) == set(), package


def refuse_circles(arrows: dict[str, set[str]]) -> None:
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_no_folder_is_imported_by_its_bare_name():
    for path in sources(*CODE):
        assert bare_imports(path).isdisjoint(TOP), path


def test_no_folder_holds_too_many_files():
    counts = Counter(path.parent.relative_to(ROOT) for path in sources(*CODE))
    assert {str(place): n for place, n in counts.items() if n > MOST_FILES} == {}


def test_what_is_public_is_said():
    for path in sources(*TOP):
        if path.name != "__init__.py":
            assert "__all__ = [" in path.read_text(), path


def test_page_has_the_table():
    page = PAGE.read_text()
    assert page == with_table(page), "run: python tests/test_layout.py"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
