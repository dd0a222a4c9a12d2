"""The command line, called in this process."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lutformer.cli import main
from lutformer.generating import generate_verilog
from lutformer.model.network import Network
from lutformer.model.network_file import save_network
from lutformer.model.random_network import NetworkShape, random_network


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
