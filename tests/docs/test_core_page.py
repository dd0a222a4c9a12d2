"""The examples of docs/core.md, as they stand there, around cores that were generated."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, RisingEdge, with_timeout

from lutformer.generating import generate_verilog
from lutformer.hdl.core.core_interface import CoreInterface
from lutformer.hdl.lib.verilog import emit
from lutformer.model.network.golden import golden
from lutformer.model.network.network_file import save_network
from lutformer.model.network.stored_network import StoredNetwork
from lutformer.sim.bench import run_stream
from lutformer.sim.runner import config_from_env, simulate_verilog
from lutformer.sim.tools import find_verilator
from lutformer.testing.random_network import NetworkShape, random_network

PAGE = (Path(__file__).parents[2] / "docs" / "core.md").read_text()
NETWORK = random_network(NetworkShape(height=8, width=8, classes=10))
IMAGES = np.random.default_rng(3).integers(0, 256, (4, 8, 8, 1), np.uint8)


@dataclass(frozen=True, kw_only=True)
class Expected:
    classes: tuple[int, ...]
    pixels: bytes


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def shows_the_digit(dut):
    config = config_from_env(Expected)
    Clock(dut.clk, 10, "ns").start()
    dut.rst.value, dut.button.value = 1, 0
    for _ in range(3):
        await FallingEdge(dut.clk)
    dut.rst.value = 0
    for _ in range(2):  # and the same once more
        dut.button.value = 1
        await FallingEdge(dut.clk)
        dut.button.value = 0
        assert not dut.known.value
        await with_timeout(RisingEdge(dut.known), 1, "ms")
        await FallingEdge(dut.clk)
        assert int(dut.digit.value) == config.classes[0]


@cocotb.test(timeout_time=5, timeout_unit="ms")
async def gives_classes_alone(dut):
    config = config_from_env(Expected)
    found, _ = await run_stream(
        dut, config.pixels, idle=0.2, stall=0.2, expected_count=len(config.classes)
    )
    assert tuple(found) == config.classes


@pytest.fixture
def core(tmp_path) -> Path:
    return written(NETWORK, tmp_path)


def block(text: str) -> str:
    """Return the one code block of the page that has this text."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if text in block]
    return found


def written(network: StoredNetwork, directory: Path) -> Path:
    save_network(network, directory / "network.safetensors")
    file = directory / "network.safetensors"
    return generate_verilog(file, "icebreaker", directory / "core", core=True)[0].path


def expected() -> Expected:
    logits = golden(NETWORK, IMAGES).integers["logits"]
    return Expected(classes=tuple(logits.argmax(1).tolist()), pixels=IMAGES.tobytes())


def simulated(test: str, top: str, sources: list[Path], directory: Path) -> None:
    simulate_verilog(
        sources,
        top=top,
        test_file=__file__,
        build_dir=directory,
        config=expected(),
        tests=[test],
    )


def test_the_numbers_are_those_of_the_digits(core):
    interface = CoreInterface.load(core)
    assert (interface.input_bytes, interface.output_bytes) == (64, 46)


def test_verilog_example(core, tmp_path):
    top = tmp_path / "show_digit.v"
    top.write_text(block("// show_digit.v"))
    (tmp_path / "simulation").mkdir()
    picture = " ".join(f"{pixel:02x}" for pixel in IMAGES[0].ravel())
    (tmp_path / "simulation" / "picture.hex").write_text(picture)
    sources = [top, core / "core.v"]
    simulated("shows_the_digit", "show_digit", sources, tmp_path / "simulation")


def test_amaranth_example(core, tmp_path):
    names: dict[str, object] = {}
    exec(block("# class_only.py"), names)
    example = names["ClassOnly"](core)  # type: ignore[operator]
    (tmp_path / "class_only.v").write_text(emit(example, top="class_only"))
    sources = [tmp_path / "class_only.v", core / "core.v"]
    simulated("gives_classes_alone", "class_only", sources, tmp_path / "simulation")


def test_fusesoc_example(core, tmp_path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "show_digit.v").write_text(block("// show_digit.v"))
    (mine / "show_digit.core").write_text(block("# show_digit.core"))
    command = block("fusesoc --cores-root").replace("build/core", str(core)).split()
    done = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=mine,
        env=os.environ | dict(find_verilator().environment),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
