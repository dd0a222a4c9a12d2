"""The command line, called in this process."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lutformer.cli import main
from lutformer.generating import generate_verilog
from lutformer.model.network.network_file import save_network
from lutformer.model.network.vit import Network
from lutformer.testing.random_network import NetworkShape, random_network
from lutformer.workspace import Workspace


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """Return standard error, which must be one line without a traceback."""
        assert "Traceback" not in self.err
        (line,) = self.err.splitlines()
        return line


Cli = Callable[..., Result]


@pytest.fixture
def cli(capsys, tmp_path, monkeypatch) -> Cli:
    """Return what runs a command line in an empty directory."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path) -> Result:
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in arguments])
        said = capsys.readouterr()
        return Result(int(stopped.value.code or 0), said.out, said.err)

    return run


@pytest.fixture(scope="session")
def network() -> Network:
    """Return a small network of unknown origin."""
    return random_network(NetworkShape(), seed=1)


@pytest.fixture
def network_file(network, tmp_path) -> Path:
    """Return that network as a file."""
    path = tmp_path / "network.safetensors"
    save_network(network, path)
    return path


@pytest.fixture
def generated(network_file, tmp_path) -> Path:
    """Return a build directory with the Verilog of that network for the iCEBreaker."""
    workspace, _ = generate_verilog(network_file, "icebreaker", tmp_path / "generated")
    return workspace.path


@pytest.fixture
def simulated() -> Callable[..., None]:
    """Return what leaves the record of a simulation, as it would be for a workspace's Verilog."""

    def leave(workspace: Workspace, **changes: object) -> None:
        record = {
            "verilog": hashlib.sha256(workspace.verilog.read_bytes()).hexdigest(),
            "frames": 7,
            "integers": 700,
            "mismatches": 0,
            "cycles": 1000,
        }
        workspace.write(workspace.simulation, record | changes)

    return leave


@pytest.fixture
def built() -> Callable[[Workspace], None]:
    """Return what leaves the records of a build of three cells, as it would be for the Verilog."""

    def leave(workspace: Workspace) -> None:
        folder = workspace.path / "icebreaker"
        folder.mkdir()
        (folder / "lutformer_top.v").write_bytes(workspace.verilog.read_bytes())
        resources = {"lut4": 11, "ff": 12, "carry": 13, "ebr": 14, "spram": 0, "dsp": 2}
        record = {
            "board": "icebreaker",
            "resources": resources | {"cells": 20},
            "available": {"cells": 5280, "ebr": 30, "spram": 4, "dsp": 8},
            "timing": {"fmax_mhz": 15.25, "nextpnr_mhz": 20.5, "clock_mhz": 12.0},
            "seed": 3,
            "commands": ["yosys top.ys", "nextpnr-ice40 --up5k"],
            "versions": {"yosys": "0.70"},
        }
        workspace.write(workspace.build, record)
        for name, content in BUILD_FILES.items():
            (folder / name).write_text(json.dumps(content))

    return leave


CORE = "lutformer_top.core"
CELLS = {
    "lutformer_top": "$scopeinfo",
    CORE: "$scopeinfo",
    f"{CORE}.matvec": "$scopeinfo",
    f"{CORE}.matvec.sum_SB_LUT4_O": "SB_LUT4",
    f"{CORE}.x_SB_DFF_Q": "SB_DFF",
    f"{CORE}.matvec.weights.0.0": "SB_RAM40_4K",
}
BUILD_FILES = {
    "top.json": {
        "modules": {
            "top": {
                "cells": {
                    name: {"type": kind, "connections": {}, "port_directions": {}}
                    for name, kind in CELLS.items()
                }
            }
        }
    },
    "placement.json": {
        f"{CORE}.matvec.sum_SB_LUT4_O_LC": "X1/Y2/lc3",
        f"{CORE}.x_SB_DFF_Q_DFFLC": "X2/Y1/lc0",
        f"{CORE}.matvec.weights.0.0_RAM": "X6/Y1/ram",
    },
    "report.json": {
        "fmax": {"clk": {"achieved": 20.5, "constraint": 12.0}},
        "critical_paths": [
            {
                "from": "posedge clk",
                "to": "posedge clk",
                "path": [
                    {"type": "clk-to-q", "delay": 1.5},
                    {"type": "routing", "delay": 2.0, "net": f"{CORE}.matvec.sum_SB_LUT4_O"},
                    {"type": "logic", "delay": 1.0},
                    {"type": "routing", "delay": 0.5, "net": f"{CORE}.x[3]"},
                    {"type": "setup", "delay": 0.1},
                ],
            }
        ],
        "detailed_net_timings": [
            {
                "event": "posedge clk",
                "endpoints": [
                    {"event": "posedge clk", "delay": [1.0, 2.5]},
                    {"event": "posedge clk", "delay": [1.0, 3.5]},
                    {"event": "posedge clk", "delay": [5.0, 6.0]},
                    {"event": "<async>", "delay": [9.0, 9.0]},
                ],
            }
        ],
    },
}
