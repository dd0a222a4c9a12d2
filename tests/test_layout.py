"""The layout that packaging, type checkers and readers rely on."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("hdl", "model", "sim", "boards")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Return the absolute names a file imports; relative imports resolved within lutformer."""
    package = ("lutformer", *path.relative_to(ROOT).with_suffix("").parts[:-1])
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return names


def among(names: set[str], *packages: str) -> set[str]:
    return {n for n in names if any(n == p or n.startswith(f"{p}.") for p in packages)}


def test_every_package_is_listed():
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {f"lutformer.{'.'.join(p.parent.relative_to(ROOT).parts)}" for p in sources(*FOLDERS)}
    inner = {p.parent.relative_to(ROOT / "src") for p in (ROOT / "src").rglob("__init__.py")}
    found |= {".".join(path.parts) for path in inner}
    assert set(tool["packages"]) == found
    assert set(tool["package-dir"]) == set(tool["packages"])
    for package, folder in tool["package-dir"].items():
        assert (ROOT / folder / "__init__.py").is_file(), package


def test_imports_are_resolved_as_python_does():
    """The other tests rest on this."""
    assert "lutformer.model.arithmetic" in imports(ROOT / "model/nn/layer_norm.py")
    assert "lutformer.model.nn.arithmetic" in imports(ROOT / "model/nn/layer_norm.py")
    assert "torch" in imports(ROOT / "model/nn/layer_norm.py")


@pytest.mark.parametrize("path", sources(*FOLDERS, "src", "tests"), ids=lambda p: str(p.name))
def test_no_folder_is_imported_by_its_bare_name(path):
    assert among(imports(path), *FOLDERS) == set()


def test_torch_stays_in_its_place():
    for path in sources("hdl", "sim", "boards", "model"):
        if ROOT / "model/nn" not in path.parents:
            assert among(imports(path), "torch", "lutformer.model.nn") == set(), path


def test_model_knows_no_hardware():
    for path in sources("model"):
        hardware = ("amaranth", "cocotb", "lutformer.hdl", "lutformer.sim", "lutformer.boards")
        assert among(imports(path), *hardware) == set(), path


def test_hardware_does_not_depend_on_what_drives_it():
    for path in sources("hdl"):
        assert among(imports(path), "lutformer.sim", "lutformer.boards", "cocotb") == set(), path


def test_what_is_public_is_said():
    for path in sources(*FOLDERS):
        if path.name != "__init__.py":
            assert "__all__ = [" in path.read_text(), path
