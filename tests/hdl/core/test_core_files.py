"""What lies beside a core: it lints, FuseSoC takes it, and the record is that of the module."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from amaranth.back import rtlil  # pyright: ignore[reportAttributeAccessIssue]
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from lutformer.errors import UsageError
from lutformer.generating import generate_verilog
from lutformer.hdl.core.core_files import FUSESOC_NAME
from lutformer.hdl.core.core_instance import CoreInstance
from lutformer.hdl.core.core_interface import CoreInterface
from lutformer.model.network.network_file import save_network
from lutformer.sim.tools import find_verilator
from lutformer.testing.random_classifier import random_classifier
from lutformer.testing.random_gpt import GptShape, random_gpt
from lutformer.testing.random_network import NetworkShape, random_network

NETWORKS = {
    "transformer": (random_network(NetworkShape()), ""),
    "classifier": (random_classifier(word_bits=11, signed=True), ""),
    "classifier without registers": (random_classifier(), "rows = 0\n"),
    "folded classifier": (random_classifier(), "lanes = 2\n"),
    "decoder": (random_gpt(GptShape()), ""),
}
BESIDE = ("core.json", "core.vlt", "core_axis.v", "core_template.v", "lutformer.core")


@pytest.fixture(params=NETWORKS)
def core(request, tmp_path) -> Path:
    return generated(request.param, tmp_path)


def generated(kind: str, directory: Path, *, core: bool = True) -> Path:
    network, plan = NETWORKS[kind]
    save_network(network, directory / "network.safetensors")
    (directory / "plan.toml").write_text(plan)
    workspace, _ = generate_verilog(
        directory / "network.safetensors",
        "icebreaker",
        directory / "core",
        plan_file=directory / "plan.toml",
        core=core,
    )
    return workspace.path


def fusesoc(core: Path, *words: str) -> str:
    program = Path(sys.executable).with_name("fusesoc")
    done = subprocess.run(
        [program, "--cores-root", core, *words],
        cwd=core.parent,
        env=os.environ | find_verilator().environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_fusesoc_lists_and_lints_it(core):
    assert FUSESOC_NAME in fusesoc(core, "core", "list")
    shown = fusesoc(core, "core", "show", FUSESOC_NAME)
    targets = re.findall(r"^(\w+) +: ", shown.partition("Targets:")[2], re.MULTILINE)
    assert targets == ["axis", "default", "lint", "lint_axis"]
    for target in ("lint", "lint_axis"):
        fusesoc(core, "run", f"--target={target}", FUSESOC_NAME)


def test_lint_sees_a_port_too_narrow(tmp_path):
    core = generated("transformer", tmp_path)
    template = core / "core_template.v"
    template.write_text(template.read_text().replace("[7:0] core_i_payload", "core_i_payload"))
    with pytest.raises(AssertionError, match=r"Warning-WIDTHEXPAND: .*core_template"):
        fusesoc(core, "run", "--target=lint", FUSESOC_NAME)


def test_record_names_the_ports_of_the_module(core):
    header = re.search(r"module lutformer_core\(([^)]*)\)", (core / "core.v").read_text())
    assert header is not None
    names = set(re.split(r",\s*", header[1]))
    interface = CoreInterface.load(core)
    clock = {"clk", "rst"} if interface.clocked else set()
    assert names == {port.name for port in interface.ports} | clock


class Holder(wiring.Component):
    """A design that a core is in."""

    i: In(stream.Signature(5 * 11))  # type: ignore[valid-type]

    def __init__(self, core):
        super().__init__()
        self.core = core

    def elaborate(self, platform):
        m = Module()
        m.submodules.core = self.core
        m.d.comb += self.core.i.p.as_value().eq(self.i.payload)
        return m


def test_classifier_has_fields(tmp_path):
    instance = CoreInstance.load(generated("classifier", tmp_path))
    assert len(instance.i.p[4]) == 11
    assert instance.i.p[4].shape().signed
    assert len(instance.o.p.counts[2]) == len(instance.o.p.counts[0])
    assert "lutformer_core" in rtlil.convert(Holder(instance))


def test_same_bytes_again(core, tmp_path):
    source = tmp_path / "network.safetensors"
    plan = tmp_path / "plan.toml"
    generate_verilog(source, "icebreaker", tmp_path / "again", plan_file=plan, core=True)
    for name in ("core.v", *BESIDE):
        assert (core / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_a_top_leaves_none_of_it(tmp_path):
    core = generated("transformer", tmp_path)
    assert all((core / name).is_file() for name in BESIDE)
    top = generated("transformer", tmp_path, core=False)
    assert top == core
    assert not [name for name in ("core.v", *BESIDE) if (core / name).exists()]
    with pytest.raises(UsageError, match="holds no core of this version: run `lutformer generate"):
        CoreInstance.load(core)


def test_a_record_of_another_version_is_refused(tmp_path):
    core = generated("transformer", tmp_path)
    record = json.loads((core / "core.json").read_text())
    (core / "core.json").write_text(json.dumps(record | {"schema_version": 2}))
    with pytest.raises(UsageError, match="holds no core of this version"):
        CoreInstance.load(core)
