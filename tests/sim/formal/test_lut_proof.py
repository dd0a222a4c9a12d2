"""Proofs of layers of lookup tables, and that one wrong bit is found wherever it is."""

import time

import numpy as np
import pytest

from lutformer.boards.board import board
from lutformer.errors import BuildFailed
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.luts.lut_layer import LutLayer
from lutformer.model.lut_layer import LutLayer as Layer
from lutformer.sim.formal.aig import Aig
from lutformer.sim.formal.gates import Gates
from lutformer.sim.formal.lowering import mapped, netlist_gates, verilog_gates
from lutformer.sim.formal.lut_proof import WrongEntry, check_tables

INPUTS, LUTS = 20, 12
BOARDS = ["icebreaker", "ulx3s_85f"]
INIT = {"icebreaker": "LUT_INIT", "ulx3s_85f": "INIT"}
PINS = {"icebreaker": ("I0", "I1", "I2", "I3", "O"), "ulx3s_85f": ("A", "B", "C", "D", "Z")}


def random_layer(fan_in):
    rng = np.random.default_rng(fan_in)
    mapping = [rng.choice(INPUTS, fan_in, replace=False) for _ in range(LUTS)]
    tables = rng.integers(0, 2, (LUTS, 1 << fan_in))
    tables[0] = 0  # tables of every kind: constant, a wire, an inverted wire
    tables[1] = np.arange(1 << fan_in) & 1
    tables[2] = 1 - tables[1]
    return Layer(inputs=INPUTS, mapping=np.array(mapping), tables=tables)


def flipped(layer, lut, address):
    tables = layer.tables.copy()
    tables[lut, address] ^= 1
    return Layer(inputs=layer.inputs, mapping=layer.mapping, tables=tables)


def written(layer, directory):
    path = directory / "layer.v"
    path.write_text(emit(LutLayer(layer), top="dut"))
    return path


def check(layer, module, directory):
    gates = Gates(module, Aig())
    return check_tables(layer, gates, (gates.wire("i"), gates.wire("o")), directory)


def synthesised(layer, name, directory):
    """Return a layer's netlist, which a test may then damage."""
    return mapped(written(layer, directory), "dut", board(name), directory, wires="io")


def check_netlist(layer, netlist, name, directory):
    module = netlist_gates({"dut": netlist}, "dut", board(name).family, directory)
    return check(layer, module, directory)


@pytest.mark.parametrize("fan_in", [1, 2, 3, 4, 5, 6])
def test_verilog(fan_in, tmp_path):
    layer = random_layer(fan_in)
    module = verilog_gates(written(layer, tmp_path), "dut", tmp_path)
    assert check(layer, module, tmp_path) is None
    address = (1 << fan_in) - 1
    wrong = check(flipped(layer, 7, address), module, tmp_path)
    assert wrong == WrongEntry(
        lut=7,
        address=address,
        found=layer.tables[7, address],
        trained=1 - layer.tables[7, address],
    )


@pytest.mark.parametrize(("lut", "address"), [(0, 0), (2, 5), (11, 62)])
def test_a_wrong_bit_in_the_verilog(lut, address, tmp_path):
    layer = random_layer(6)
    path = written(flipped(layer, lut, address), tmp_path)
    wrong = check(layer, verilog_gates(path, "dut", tmp_path), tmp_path)
    assert wrong is not None
    assert (wrong.lut, wrong.address) == (lut, address)
    assert wrong.trained == layer.tables[lut, address] != wrong.found


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize("fan_in", [4, 5, 6])
def test_netlist(fan_in, name, tmp_path):
    layer = random_layer(fan_in)
    netlist = synthesised(layer, name, tmp_path)
    assert check_netlist(layer, netlist, name, tmp_path) is None
    wrong = check_netlist(flipped(layer, 9, 3), netlist, name, tmp_path)
    assert wrong is not None
    assert (wrong.lut, wrong.address) == (9, 3)


@pytest.mark.parametrize("name", BOARDS)
def test_a_wrong_bit_in_a_cell(name, tmp_path):
    """A LUT of four inputs is one cell, whose pins tell which address the bit is at."""
    layer, lut, place = random_layer(4), 8, 6
    netlist = synthesised(layer, name, tmp_path)
    inputs, output = (netlist["netnames"][wire]["bits"] for wire in "io")
    pins = PINS[name]
    (cell,) = (
        cell
        for cell in netlist["cells"].values()
        if cell["connections"].get(pins[-1]) == [output[lut]]
    )
    text = cell["parameters"][INIT[name]]
    bit = len(text) - 1 - place
    cell["parameters"][INIT[name]] = text[:bit] + "10"[int(text[bit])] + text[bit + 1 :]

    level = {cell["connections"][pin][0]: place >> n & 1 for n, pin in enumerate(pins[:-1])}
    wires = layer.mapping[lut].tolist()
    address = sum(level[inputs[wire]] << n for n, wire in enumerate(wires))
    wrong = check_netlist(layer, netlist, name, tmp_path)
    assert wrong is not None
    assert (wrong.lut, wrong.address) == (lut, address)
    assert wrong.trained == layer.tables[lut, address] != wrong.found


def test_tables_in_reverse_order_on_ecp5(tmp_path):
    """As by a mapper that reads a table from its other end."""
    layer = random_layer(6)
    netlist = synthesised(layer, "ulx3s_85f", tmp_path)
    for cell in netlist["cells"].values():
        if cell["type"] == "LUT4":
            cell["parameters"]["INIT"] = cell["parameters"]["INIT"][::-1]
    wrong = check_netlist(layer, netlist, "ulx3s_85f", tmp_path)
    assert wrong is not None
    assert wrong.trained == layer.tables[wrong.lut, wrong.address] != wrong.found


def test_crossed_wires(tmp_path):
    layer = random_layer(4)
    mapping = layer.mapping.copy()
    mapping[5, :2] = mapping[5, 1::-1]
    other = Layer(inputs=layer.inputs, mapping=mapping, tables=layer.tables)
    module = verilog_gates(written(other, tmp_path), "dut", tmp_path)
    wrong = check(layer, module, tmp_path)
    assert wrong is not None
    assert wrong.lut == 5


def test_a_loop_is_no_function(tmp_path):
    text = "module dut(input i, output o); wire a = o & i; assign o = ~a; endmodule\n"
    (tmp_path / "layer.v").write_text(text)
    gates = Gates(verilog_gates(tmp_path / "layer.v", "dut", tmp_path), Aig())
    gates.cut("input", gates.wire("i"))
    with pytest.raises(BuildFailed, match=r"depends on itself without a register$"):
        gates.function(gates.wire("o")[0])


def test_what_nothing_drives_is_no_function(tmp_path):
    (tmp_path / "layer.v").write_text("module dut(input i, output o); endmodule\n")
    gates = Gates(verilog_gates(tmp_path / "layer.v", "dut", tmp_path), Aig())
    with pytest.raises(BuildFailed, match=r"^Nothing that has a known function drives o$"):
        gates.function(gates.wire("o")[0])


@pytest.mark.slow
@pytest.mark.parametrize("name", BOARDS)
def test_a_thousand_tables(name, tmp_path):
    """In less than five minutes, synthesis included; and one wrong bit of them all is found."""
    rng = np.random.default_rng(0)
    layer = Layer(
        inputs=2352,
        mapping=rng.integers(0, 2352, (1000, 6)),
        tables=rng.integers(0, 2, (1000, 64)),
    )
    start = time.monotonic()
    netlist = synthesised(layer, name, tmp_path)
    module = netlist_gates({"dut": netlist}, "dut", board(name).family, tmp_path)
    assert check(layer, module, tmp_path) is None
    assert time.monotonic() - start < 300
    wrong = check(flipped(layer, 777, 33), module, tmp_path)
    assert wrong is not None
    assert (wrong.lut, wrong.address) == (777, 33)
