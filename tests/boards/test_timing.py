"""The bound for paths through DSPs, which nextpnr does not see; on reports written by hand."""

import json

import pytest

from lutformer.boards.board import board
from lutformer.boards.build.timing import DSP_NS, expose_dsps, read_timing

ICEBREAKER = board("icebreaker")
CLOCK = "posedge clk"
DSP = "posedge $PACKER_GND_NET"
PORTS = {
    "SB_LUT4": {"I0": "input", "O": "output"},
    "SB_DFF": {"C": "input", "D": "input", "Q": "output"},
    "SB_MAC16": {"A": "input", "O": "output", "CLK": "input"},
}


def cell(kind, **bits):
    connections = {port: [bit] for port, bit in bits.items()}
    return {"type": kind, "connections": connections, "port_directions": dict(PORTS[kind])}


def path(start, end, *delays, nets=()):
    arcs = [{"delay": delay} for delay in delays]
    return {"from": start, "to": end, "path": arcs + [{"delay": 0.0, "net": net} for net in nets]}


@pytest.fixture
def read(tmp_path):
    """Return a reader of the timing of so many cells, with paths of 20, 5, 7 and 3 ns."""

    def read(**cells):
        (tmp_path / "top.json").write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
        expose_dsps(tmp_path / "top.json")
        report = {
            "fmax": {"clk": {"achieved": 50.0, "constraint": 12.0}},
            "critical_paths": [
                path(CLOCK, CLOCK, 11.0, 9.0, nets=["lutformer_top.a.b_SB_LUT4_O", "a.b[3]", "c"]),
                path(CLOCK, DSP, 5.0, nets=["x"]),
                path(DSP, CLOCK, 7.0, nets=["product"]),
                path(DSP, DSP, 3.0),
                path("<async>", CLOCK, 99.0),
            ],
        }
        (tmp_path / "report.json").write_text(json.dumps(report))
        return read_timing(tmp_path / "report.json", tmp_path / "top.json", ICEBREAKER)

    return read


def test_without_dsps_it_is_that_of_nextpnr(read):
    timing = read(lut=cell("SB_LUT4", I0=2, O=3))
    assert timing.fmax_mhz == timing.nextpnr_mhz == 50
    assert timing.path == ["a.b", "c"]


def test_path_through_a_dsp_is_put_together(read):
    timing = read(dsp=cell("SB_MAC16", A=2, O=3), lut=cell("SB_LUT4", I0=3, O=4))
    assert timing.nextpnr_mhz == 50
    assert timing.fmax_mhz == pytest.approx(1000 / (5 + DSP_NS + 7))
    assert timing.path == ["x", "product"]


def test_dsps_in_a_chain_count_each(read):
    timing = read(
        first=cell("SB_MAC16", A=2, O=3),
        lut=cell("SB_LUT4", I0=3, O=4),
        second=cell("SB_MAC16", A=4, O=5),
        beside=cell("SB_MAC16", A=2, O=6),
    )
    assert timing.fmax_mhz == pytest.approx(1000 / (5 + DSP_NS + 3 + DSP_NS + 7))


def test_a_register_breaks_the_chain(read):
    timing = read(
        first=cell("SB_MAC16", A=2, O=3),
        register=cell("SB_DFF", C=9, D=3, Q=4),
        second=cell("SB_MAC16", A=4, O=5),
    )
    assert timing.fmax_mhz == pytest.approx(1000 / (5 + DSP_NS + 7))


def test_registers_inside_of_dsps_are_not_believed(read):
    timing = read(dsp=cell("SB_MAC16", A=2, O=3, CLK=9))
    assert timing.fmax_mhz == pytest.approx(1000 / (20 + 2 * DSP_NS))


def test_open_clock_of_a_dsp_is_tied(tmp_path):
    cells = {"open": cell("SB_MAC16", A=2, O=3), "clocked": cell("SB_MAC16", A=2, O=4, CLK=9)}
    netlist = tmp_path / "top.json"
    netlist.write_text(json.dumps({"modules": {"top": {"cells": cells}}}))
    expose_dsps(netlist)
    found = json.loads(netlist.read_text())["modules"]["top"]["cells"]
    assert found["open"]["connections"]["CLK"] == ["0"]
    assert found["clocked"]["connections"]["CLK"] == [9]
