"""The emitted Verilog: the same bytes every time, and what lint has to say about it."""

import os
import re
import subprocess

import pytest

from lutformer.hdl.core.generate import generate
from lutformer.hdl.plan.plan import Plan
from lutformer.sim.tools import find_verilator
from lutformer.testing.random_network import NetworkShape, random_network

WAIVERS = {
    "UNUSEDSIGNAL": "sums are emitted at full width, of which the design may read only a part",
    "PROCASSINIT": "registers have a reset and, for FPGAs, an initial value as well",
    "WIDTHTRUNC": "Yosys writes reductions as `!` and leaves the truncation to the assignment",
    "WIDTHEXPAND": "Yosys leaves operands as wide as they are; Verilog extends them",
    "DECLFILENAME": "one file holds the core and its top",
    "ASCRANGE": "a counter of a single value has no bits",
}


@pytest.fixture(scope="module")
def verilog(tmp_path_factory):
    directory = tmp_path_factory.mktemp("generated")
    network = random_network(NetworkShape(depth=2, heads=2, class_token=True))
    return generate(network, Plan(), directory)


def test_same_bytes_again(verilog, tmp_path):
    network = random_network(NetworkShape(depth=2, heads=2, class_token=True))
    again = generate(network, Plan(), tmp_path)
    for name in ("top.v", "plan.json", "program.txt", "network.safetensors"):
        assert (verilog.parent / name).read_bytes() == (again.parent / name).read_bytes()


def test_header_tells_what_it_is(verilog):
    network = random_network(NetworkShape(depth=2, heads=2, class_token=True))
    head = verilog.read_text()[:2000]
    assert head.startswith("// lutformer ")
    assert network.hash in head
    assert "clock_hz=12000000" in head
    assert "Apache-2.0" in head


def test_scores_and_mlp_multiply_nothing(tmp_path):
    # Three layers of 24 channels: no address is a power of two times the layer.
    network = random_network(NetworkShape(depth=3, dim=24, heads=3, code_bits=13))
    text = generate(network, Plan(), tmp_path).read_text()
    modules = dict(re.findall(r"^module (\S+)(.*?)^endmodule", text, re.MULTILINE | re.DOTALL))
    free = [name for name in modules if re.search(r"\.attention\.scores|\.mlp", name)]
    assert len(free) >= 4
    assert [name for name in free if " * " in modules[name]] == []
    assert " * " in modules[r"\lutformer_core.attention.weighted_sum"]  # what a product looks like


def test_verilator_lint(verilog):
    tool = find_verilator()
    flags = [f"-Wno-{name}" for name in WAIVERS]
    command = [tool.executable, "--lint-only", "-Wall", *flags, "--top-module", "lutformer_top"]
    environment = os.environ | tool.environment
    done = subprocess.run([*command, str(verilog)], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("standard", ["2001", "2005-sv", "2012"])
def test_icarus_accepts(verilog, standard, tmp_path):
    command = ["iverilog", f"-g{standard}", "-Wall", "-o", str(tmp_path / "out"), str(verilog)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
