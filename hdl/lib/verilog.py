"""Emission of a component as Verilog."""

import contextlib
import gc
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Fragment, Signal, Value
from amaranth.lib import wiring

__all__ = ["Wire", "emit", "wires"]

Wire = tuple[str, ...]
"""The emitted module, instances from there down, and the name of a wire in the last of them."""

SCRIPT = """\
read_rtlil dut.il
proc -norom
pmuxtree
memory_collect
attrmap -remove generator -remove top -remove src -remove unused_bits
attrmap -modattr -remove generator -remove top -remove src
write_verilog -norename dut.v
"""
YOSYS = "from pyosys import libyosys as ys; ys.run_pass('script dut.ys', ys.Design())"


def emit(component: wiring.Component, *, top: str = "dut") -> str:
    """Return the Verilog-2001 of ``component`` as module ``top``, the same text every time.

    Unlike :func:`amaranth.back.verilog.convert`, combinational logic becomes continuous
    assignments: an ``always @*`` that reads only registers at their initial values is never
    evaluated by a simulator that follows IEEE 1800, where initialisers run before all processes.
    """
    with _uncollected():
        text = rtlil.convert(component, name=top, emit_src=False)
    text = _without_contents(text)
    text = text.replace("cell \\$lut ", "cell $lut ")  # Amaranth takes it for a module's name
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "dut.il").write_text(text)
        (directory / "dut.ys").write_text(SCRIPT)
        subprocess.run(
            [sys.executable, "-c", YOSYS], cwd=directory, check=True, capture_output=True
        )
        body = (directory / "dut.v").read_text()
    return body.split("\n", 2)[2]  # without the banner of Yosys: the header is the caller's


def wires(component: wiring.Component) -> Mapping[Signal, Wire]:
    """Return where :func:`emit` leaves each signal of ``component``."""
    members = component.signature.flatten(component)
    ports = {"__".join(map(str, path)): (Value.cast(value), None) for path, _, value in members}
    with _uncollected():
        _, names = rtlil.convert_fragment(Fragment.get(component, None), ports, emit_src=False)
    return names


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Keep Python from looking for garbage: of a large circuit everything stays, and it is much."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _without_contents(rtlil_text: str) -> str:
    """Leave large memories (:func:`~.memory.large_memory`) undefined at the start, as they are."""
    large = r'  attribute \\ram_style "huge"\n(?:  attribute .*\n)*  memory .* (\\\S+)\n'
    modules = re.split(r"(?=^module )", rtlil_text, flags=re.MULTILINE)
    for n, module in enumerate(modules):
        for name in re.findall(large, module):
            memory = re.escape(f'"\\{name}"')
            contents = rf"  cell \$meminit_v2 \S+\n    parameter \\MEMID {memory}\n"
            modules[n] = re.sub(contents + r"(?:    .*\n)*  end\n", "", modules[n])
    return "".join(modules)
