"""Verilog and netlists taken apart into gates by Yosys."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lutformer.errors import BuildFailed

from ...boards.board import Board
from ...boards.build import tools
from .cell_models import cell_models, modelled

__all__ = ["mapped", "netlist_gates", "verilog_gates", "word_level"]

GATES = """\
dffunmap
simplemap
techmap
opt_expr
"""
FLAT = "proc -norom\nflatten\nwreduce t:$shr\ntechmap -map lookup.v\nbmuxmap\n" + GATES
LOOKUP = """\
(* techmap_celltype = "$shr" *)
module lookup (A, B, Y);
  parameter A_SIGNED = 0;
  parameter B_SIGNED = 0;
  parameter A_WIDTH = 1;
  parameter B_WIDTH = 1;
  parameter Y_WIDTH = 1;
  input [A_WIDTH-1:0] A;
  input [B_WIDTH-1:0] B;
  output [Y_WIDTH-1:0] Y;
  wire _TECHMAP_FAIL_ = Y_WIDTH != 1 || B_WIDTH > 6 || A_SIGNED;
  wire [2**B_WIDTH-1:0] padded = A;
  \\$bmux #(.WIDTH(1), .S_WIDTH(B_WIDTH)) choice (.A(padded), .S(B), .Y(Y[0]));
endmodule
"""
"""Tells Yosys that a table in Verilog, ``16'h1234 >> {d, c, b, a}``, chooses one of its bits; else
it takes each for a shifter, twenty times as slowly."""
PADS = {  # what a family's mapper does to closed cells after the word level
    "ice40": (),
    "ecp5": ("lattice_gsr", "techmap -map +/ecp5/cells_io.vh"),
}
CLOSED = {  # no logic, or none that a prover could look into
    "DP16KD",
    "EHXPLLL",
    "MULT18X18D",
    "PDPW16KD",
    "SB_GB_IO",
    "SB_IO",
    "SB_MAC16",
    "SB_PLL40_PAD",
    "SB_RAM40_4K",
    "SB_SPRAM256KA",
    "TRELLIS_IO",
}


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
    return _run("rtl", [*read, FLAT], module, directory)


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


def word_level(read: Sequence[str], module: str, board: Board, directory: Path) -> dict[str, Any]:
    """Return the design that a build's synthesis maps to the chip, as gates.

    Memories and multipliers have been chosen by then; adders, registers, and all logic have not,
    but for cells that the sources themselves name. ``read`` are the commands that read the
    sources, which lie in ``directory``.
    """
    synthesis = f"{board.synthesis} -top {module} -run begin:map_gates"
    commands = [*read, synthesis, *PADS[board.family], GATES, "blackbox =A:whitebox"]
    modules = _run_whole("words", commands, directory)
    types = {cell["type"] for cell in modules[module]["cells"].values()}
    if not modelled(board.family, types - CLOSED):
        return modules[module]
    return netlist_gates(modules, module, board.family, directory)


def netlist_gates(
    modules: Mapping[str, Any], module: str, family: str, directory: Path
) -> dict[str, Any]:
    """Return a mapped module, taken apart by the models of its cells that come with Yosys.

    The other ``modules`` tell the pins of cells that are no logic, and stay closed.
    """
    types = {cell["type"] for cell in modules[module]["cells"].values()}
    kept = {name: modules[name] for name in (module, *sorted(types & CLOSED))}
    design = {"creator": "lutformer", "modules": kept}
    (directory / "mapped.json").write_text(json.dumps(design))
    (directory / "models.v").write_text(cell_models(family, types - CLOSED))
    read = [
        "read_json mapped.json",
        "read_verilog -sv -overwrite models.v",
        f"hierarchy -top {module}",
    ]
    return _run("gates", [*read, FLAT], module, directory)


def _copy(verilog: Path, directory: Path) -> None:
    """Put the Verilog where scripts can name it: paths may have blanks, which Yosys' have not."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "rtl.v").write_bytes(verilog.read_bytes())


def _run(name: str, commands: Sequence[str], module: str, directory: Path) -> dict[str, Any]:
    return _run_whole(name, commands, directory)[module]


def _run_whole(name: str, commands: Sequence[str], directory: Path) -> dict[str, Any]:
    script = [*commands, f"write_json {name}.json"]
    (directory / "lookup.v").write_text(LOOKUP)
    (directory / f"{name}.ys").write_text("\n".join(script) + "\n")
    log = directory / f"{name}.log"
    if tools.call("yosys", [f"{name}.ys"], cwd=directory, log=log) != 0:
        raise BuildFailed(f"Yosys failed: {tools.reason(log)} (log: {str(log)!r})")
    file = directory / f"{name}.json"
    modules = json.loads(file.read_text())["modules"]
    file.unlink()  # tens of megabytes
    return modules
