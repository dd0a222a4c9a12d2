"""The netlist of a clocked design with a memory and a multiplier, and faults planted in it."""

import copy
import json

import pytest

from lutformer.boards.board import board
from lutformer.boards.build.bitstream import READ
from lutformer.boards.build.tools import call
from lutformer.sim.formal.lowering import netlist_gates, verilog_gates, word_level
from lutformer.sim.formal.netlist_proof import Difference, Equality, check_netlist

BOARDS = ["icebreaker", "ulx3s_85f"]
LUT = {"icebreaker": ("SB_LUT4", "LUT_INIT"), "ulx3s_85f": ("LUT4", "INIT")}


def synthesised(name, verilog, directory):
    """Return a board, a design's word level, its netlist and the directory."""
    chip = board(name)
    (directory / "lutformer_top.v").write_text(verilog)
    (directory / "top.ys").write_text(
        f"{READ[0]}\n{chip.synthesis} -top lutformer_top -json top.json\n"
    )
    assert call("yosys", ["top.ys"], cwd=directory, log=directory / "top.log") == 0
    words = word_level(READ[:1], "lutformer_top", chip, directory)
    modules = json.loads((directory / "top.json").read_text())["modules"]
    return chip, words, modules, directory


@pytest.fixture(scope="module", params=BOARDS)
def design(request, echo, tmp_path_factory):
    return synthesised(request.param, echo, tmp_path_factory.mktemp("proof"))


def check(design, modules):
    chip, words, _, directory = design
    return check_netlist(
        words, netlist_gates(modules, "lutformer_top", chip.family, directory), directory
    )


def test_equal(design):
    found = check(design, design[2])
    assert isinstance(found, Equality)
    assert found.registers > 9
    assert found.boxes == 2  # the memory and the multiplier


def test_each_wrong_table_is_found(design):
    chip, _, modules, _ = design
    kind, parameter = LUT[chip.name]
    cells = modules["lutformer_top"]["cells"]
    names = [name for name, cell in cells.items() if cell["type"] == kind][:3]
    assert names
    for name in names:
        damaged = copy.deepcopy(modules)
        parameters = damaged["lutformer_top"]["cells"][name]["parameters"]
        text = parameters[parameter]
        parameters[parameter] = "".join("10"[int(bit)] for bit in text)
        assert isinstance(check(design, damaged), Difference), name


def test_a_changed_memory_is_found(design):
    chip, _, modules, _ = design
    damaged = copy.deepcopy(modules)
    memory = {"ice40": "SB_RAM40_4K", "ecp5": "DP16KD"}[chip.family]
    (cell,) = (c for c in damaged["lutformer_top"]["cells"].values() if c["type"] == memory)
    name = next(name for name in sorted(cell["parameters"]) if name.startswith("INIT"))
    cell["parameters"][name] = "1" + cell["parameters"][name][1:]
    found = check(design, damaged)
    assert isinstance(found, Difference)
    assert found.where.startswith(f"parameter {name} of ")


RARE = """
module lutformer_top(input clk, input start, input [12:0] at, input [23:0] key, output [8:0] out);
  reg [7:0] memory [0:4999];
  reg [7:0] word, first = 0;
  wire rare = start & key == 24'hc0ffee;
  initial $readmemh("words.hex", memory);
  always @(posedge clk) begin
    word <= memory[at];
    if (rare) first <= at[0] ? 8'h44 : 8'h00;
  end
  assign out = word + (at[1] ? first : 8'h00);
endmodule
"""


@pytest.fixture(scope="module", params=BOARDS)
def rare(request, tmp_path_factory):
    """Return the same of a register that seldom changes, and of a memory of odd size.

    Yosys makes one of two bits of the register, and reads any block where the memory has none.
    """
    directory = tmp_path_factory.mktemp("rare")
    words = "\n".join(f"{n * 37 % 256:02x}" for n in range(5000))
    (directory / "words.hex").write_text(words)
    return synthesised(request.param, RARE, directory)


def test_rare_events_and_words_beyond_the_last(rare):
    assert isinstance(check(rare, rare[2]), Equality)


def test_each_wrong_table_is_found_there_too(rare):
    test_each_wrong_table_is_found(rare)


MERGED = """
module merged(input clk, input a, input b, output x, output y, output z);
  reg one = 0, other = 0, next = 0{third};
  always @(posedge clk) begin
    one <= a & b;
    other <= ~(~a | ~b);
    next <= {source};
    {assignment}
  end
  assign x = one, y = other, z = next;
endmodule
"""


@pytest.mark.parametrize("source", ["one", "other", "~one", "b"])
def test_a_register_that_does_what_two_others_do(source, tmp_path):
    """The netlist reads either of the two where the Verilog reads a third, which is gone."""
    first = {"third": ", third = 0", "source": "third", "assignment": "third <= b & a;"}
    second = {"third": "", "source": source, "assignment": ""}

    def gates(name, fields):
        file = tmp_path / f"{name}.v"
        file.write_text(MERGED.format(**fields))
        return verilog_gates(file, "merged", tmp_path)

    found = check_netlist(gates("verilog", first), gates("netlist", second), tmp_path)
    if source in ("one", "other"):
        assert found == Equality(functions=13, registers=3, boxes=0)
    else:
        assert isinstance(found, Difference)
        assert found.where == "next value of next[0]"
