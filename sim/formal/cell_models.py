"""The simulation models of an FPGA's cells that come with Yosys."""

import importlib.util
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from lutformer.errors import ToolMissing

__all__ = ["cell_models", "modelled"]

FILES = {
    "ice40": ("ice40/cells_sim.v",),
    "ecp5": ("ecp5/common_sim.vh", "ecp5/ccu2c_sim.vh", "ecp5/cells_ff.vh", "ecp5/cells_io.vh"),
}
HEAD = """\
`define SB_DFF_INIT initial Q = 0;
`define ICE40_DEFAULT_ASSIGNMENT_V(v)
`define ICE40_DEFAULT_ASSIGNMENT_0
`define ICE40_DEFAULT_ASSIGNMENT_1
"""
MODULE = re.compile(r"^module\s+(\w+).*?\bendmodule\b", re.MULTILINE | re.DOTALL)


def cell_models(family: str, types: Iterable[str]) -> str:
    """Return Verilog of the cells called ``types``, and of what they are made of.

    The whole files take Yosys half a minute. Types without a model are left out.
    """
    known, wanted, waiting = _modules(family), dict[str, str](), list(types)
    while waiting:
        name = waiting.pop()
        if name in known and name not in wanted:
            wanted[name] = known[name]
            waiting += [word for word in re.findall(r"\w+", known[name]) if word in known]
    return HEAD + "".join(f"{wanted[name]}\n" for name in sorted(wanted))


def modelled(family: str, types: Iterable[str]) -> set[str]:
    """Return those of ``types`` that have a model."""
    return set(types) & _modules(family).keys()


@cache
def _modules(family: str) -> dict[str, str]:
    """Return the text of each module in the files of a family."""
    spec = importlib.util.find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise ToolMissing("Not installed: yosys; run `pip install pyosys`")
    share = Path(spec.origin).parent / "share"
    text = "".join((share / file).read_text() for file in FILES[family])
    return {match[1]: match[0] for match in MODULE.finditer(text)}
