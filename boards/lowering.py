"""Verilog and netlists taken apart into gates by Yosys."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lutformer.errors import BuildFailed

from . import tools
from .board import Board
from .cell_models import cell_models

__all__ = ["mapped", "netlist_gates", "verilog_gates"]

GATES = """\
proc -norom
flatten
simplemap
techmap
opt_expr
"""


def verilog_gates(verilog: Path, module: str, directory: Path) -> dict[str, Any]:
    """Return module ``module`` of a Verilog file, taken apart without any optimisation to speak of.

    This and its neighbours return what Yosys writes as JSON and work in ``directory``.

    Raises
    ------
    BuildFailed
        If Yosys refuses.
    """
    _copy(verilog, directory)
    read = ["read_verilog -sv rtl.v", f"hierarchy -check -top {module}"]
    return _run("rtl", [*read, GATES], module, directory)


def mapped(
    verilog: Path, module: str, board: Board, directory: Path, *, wires: Sequence[str] = ()
) -> dict[str, Any]:
    """Return the netlist of ``module`` alone, synthesised as a build does it for ``board``.

    Its ``wires`` keep their names.
    """
    _copy(verilog, directory)
    read = ["read_verilog -sv rtl.v", f"hierarchy -check -top {module}"]
    read += [f"setattr -set keep 1 w:{wire}" for wire in wires]
    return _run("netlist", [*read, f"{board.synthesis} -top {module}"], module, directory)


def netlist_gates(
    netlist: dict[str, Any], module: str, family: str, directory: Path
) -> dict[str, Any]:
    """Return a mapped module, taken apart by the models of its cells that come with Yosys."""
    types = {cell["type"] for cell in netlist["cells"].values()}
    design = {"creator": "lutformer", "modules": {module: netlist}}
    (directory / "mapped.json").write_text(json.dumps(design))
    (directory / "models.v").write_text(cell_models(family, types))
    read = ["read_json mapped.json", "read_verilog -sv models.v", f"hierarchy -top {module}"]
    return _run("gates", [*read, GATES], module, directory)


def _copy(verilog: Path, directory: Path) -> None:
    """Put the Verilog where scripts can name it: paths may have blanks, which Yosys' have not."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "rtl.v").write_bytes(verilog.read_bytes())


def _run(name: str, commands: Sequence[str], module: str, directory: Path) -> dict[str, Any]:
    script = [*commands, f"write_json {name}.json"]
    (directory / f"{name}.ys").write_text("\n".join(script) + "\n")
    log = directory / f"{name}.log"
    if tools.call("yosys", [f"{name}.ys"], cwd=directory, log=log) != 0:
        raise BuildFailed(f"Yosys failed: {tools.reason(log)} (log: {str(log)!r})")
    file = directory / f"{name}.json"
    modules = json.loads(file.read_text())["modules"]
    file.unlink()  # tens of megabytes
    return modules[module]
