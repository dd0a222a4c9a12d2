"""What is a pipeline of samples, what is none, and what it computes."""

import pytest

from lutformer.sim.formal.aig import Aig
from lutformer.sim.formal.lowering import verilog_gates
from lutformer.sim.formal.pipeline import NoPipeline, Pipeline

PORTS = "clk, rst, i__valid, i__payload, o__ready, i__ready, o__valid, o__payload"
TEXT = f"""\
module dut({PORTS});
  input clk, rst, i__valid, o__ready;
  input [1:0] i__payload;
  output i__ready, o__valid;
  output [1:0] o__payload;
  reg [1:0] valid = 0;
  reg [1:0] early;
  reg [1:0] late;
  wire step = o__ready | ~o__valid;
  assign i__ready = step;
  assign o__valid = valid[1];
  assign o__payload = late;
  always @(posedge clk) begin
    if (step) early <= {{i__payload[0], i__payload[1]}};
    if (step) late <= {{early[0] & early[1], early[0]}};
    if (rst) valid <= 0;
    else if (step) valid <= {{valid[0], i__valid}};
  end
endmodule
"""


def made(text, directory):
    (directory / "dut.v").write_text(text)
    aig = Aig()
    payload = [aig.input("a"), aig.input("b")]
    return aig, Pipeline(verilog_gates(directory / "dut.v", "dut", directory), aig, payload)


def test_the_function_of_each_sample(tmp_path):
    aig, pipeline = made(TEXT, tmp_path)
    pipeline.check(tmp_path)
    assert (pipeline.stages, pipeline.registers) == (2, 6)
    for a in (False, True):
        for b in (False, True):
            assert aig.evaluate({"a": a, "b": b}, pipeline.outputs) == [b, a and b]


FAULTS = {
    "a register that does not hold": (
        "if (step) late <=",
        "late <=",
        r"^late\[\d\] does not move with the samples$",
    ),
    "a register that holds too long": (
        "if (step) early <=",
        "if (o__ready) early <=",
        r"^early\[\d\] does not move with the samples$",
    ),
    "a register that waits for its sample": (
        "if (step) late <=",
        "if (step & valid[0]) late <=",
        r"^The payload of o depends on more than that of i$",
    ),
    "a way that is too short": (
        "early[0] & early[1]",
        "early[0] & i__payload[1]",
        r"^Ways through the circuit differ in their number of registers$",
    ),
    "an output that comes too early": (
        "o__payload = late",
        "o__payload = early",
        r"^o\.payload\[0\] comes after 1 registers, o\.valid after 2$",
    ),
    "a register that remembers": (
        "early[0] & early[1]",
        "early[0] & late[1]",
        r"^A register of the circuit depends on itself$",
    ),
    "a sample that is not there": (
        "valid = 0;",
        "valid = 2;",
        r"^(valid\[1\]|o__valid\[0\]) does not start at 0$",
    ),
    "a sample that is lost": (
        "{valid[0], i__valid}",
        "{valid[0] & i__payload[0], i__valid}",
        r"^o\.valid does not follow i\.valid through registers alone$",
    ),
    "a reset that leaves a sample": (
        "if (rst) valid <= 0;",
        "if (rst) valid <= 1;",
        r"^valid\[\d\] does not move with the samples$",
    ),
    "a ready that does not see the output": (
        "i__ready = step",
        "i__ready = o__ready",
        r"^i\.ready does not move with the samples$",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_none(fault, tmp_path):
    before, after, message = FAULTS[fault]
    assert TEXT.count(before) == 1

    def check():
        made(TEXT.replace(before, after), tmp_path)[1].check(tmp_path)

    with pytest.raises(NoPipeline, match=message):
        check()


def test_a_payload_of_another_width(tmp_path):
    (tmp_path / "dut.v").write_text(TEXT)
    module, aig = verilog_gates(tmp_path / "dut.v", "dut", tmp_path), Aig()
    with pytest.raises(NoPipeline, match=r"^The payload of i has 2 bits, not 1$"):
        Pipeline(module, aig, [aig.input("a")])
