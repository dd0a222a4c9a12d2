"""Emit the Verilog of a component, build it and run a cocotb test module on it."""

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar
from xml.etree import ElementTree

import cocotb_tools.config
from amaranth.hdl import Shape, Value
from amaranth.lib import wiring
from cocotb_tools.runner import Runner, get_runner
from pydantic import ConfigDict, TypeAdapter

from lutformer.errors import BuildFailed

from ..hdl.lib.verilog import emit
from .tools import find_verilator, plain_directory, plain_path, require

__all__ = [
    "CocotbFailure",
    "Inner",
    "Simulator",
    "Waves",
    "config_from_env",
    "emit",
    "ports_from_env",
    "simulate",
    "simulate_verilog",
]

Simulator = Literal["icarus", "verilator"]
Waves = bool | Literal["saif"]
Inner = tuple[str, str]
"""A module below the top, and one of its wires, as a glob pattern."""
Config = TypeVar("Config")

CONFIG_VARIABLE = "LUTFORMER_CONFIG"
PORTS_VARIABLE = "LUTFORMER_PORTS"
SEED = 1
TIMESCALE = ("1ns", "1ps")
BUILD_ARGS = {
    "icarus": [],
    # Lint is a test of its own; here a warning must not stop a simulation.
    "verilator": ["-Wno-fatal", "-Wno-lint", "-Wno-style", "-O3", "--x-assign", "unique"],
}


class CocotbFailure(AssertionError):
    """Some cocotb test failed; the message names every one with the reason that it gave."""


def simulate(
    component: wiring.Component,
    *,
    test_file: str | Path,
    build_dir: str | Path,
    top: str = "dut",
    simulator: Simulator = "icarus",
    env: Mapping[str, str] | None = None,
    config: object = None,
    tests: Sequence[str] = (),
    waves: bool = False,
) -> None:
    """Run the cocotb tests of ``test_file`` on the emitted Verilog of ``component``.

    Parameters
    ----------
    component : wiring.Component
        What is emitted; its ``config`` attribute, if any, is the default of ``config``.
    test_file : str or Path
        The Python file with the ``@cocotb.test`` functions.
    build_dir : str or Path
        Directory for everything that is written.
    top : str
        Name of the emitted module.
    simulator : {"icarus", "verilator"}
        Icarus builds at once, Verilator runs ten times faster after a minute of compilation.
    env : mapping, optional
        Further environment variables of the simulation.
    config : dataclass, optional
        What :func:`config_from_env` returns inside the simulation.
    tests : sequence of str
        Names of the cocotb tests to run; by default all of the file.
    waves : bool
        Also write the wave form, an FST (Icarus) or VCD (Verilator) file in ``build_dir``.

    Raises
    ------
    CocotbFailure
        When a cocotb test fails.
    BuildFailed
        When the simulator refuses the Verilog.
    RuntimeError
        When no test ran.
    ToolMissing
        When the simulator is not installed.
    """
    build_dir = Path(build_dir)
    build_dir.mkdir(parents=True, exist_ok=True)
    source = build_dir / f"{top}.v"
    source.write_text(emit(component, top=top))
    config = getattr(component, "config", None) if config is None else config
    simulate_verilog(
        [source],
        top=top,
        test_file=test_file,
        build_dir=build_dir,
        simulator=simulator,
        env={PORTS_VARIABLE: json.dumps(_ports(component)), **(env or {})},
        config=config,
        tests=tests,
        waves=waves,
    )


def simulate_verilog(
    sources: Sequence[str | Path],
    *,
    top: str,
    test_file: str | Path,
    build_dir: str | Path,
    simulator: Simulator = "icarus",
    env: Mapping[str, str] | None = None,
    config: object = None,
    tests: Sequence[str] = (),
    waves: Waves = False,
    inner: Sequence[Inner] = (),
) -> None:
    """Run the cocotb tests of ``test_file`` on Verilog files; arguments as in :func:`simulate`.

    With ``waves="saif"`` Verilator counts the changes of every net into ``dump.saif``. Without
    waves it shows a bench only the wires of the top and those of ``inner``, for it is slow to keep
    all others: gpt-ulx3s would take half an hour to compile.
    """
    test_file = Path(test_file).absolute()
    with (
        plain_directory(Path(build_dir)) as directory,
        _simulator_environment(simulator, test_file.parent),
    ):
        runner = get_runner(simulator)
        _build(runner, sources, top, directory, simulator, waves, inner)
        variables = {"COCOTB_RANDOM_SEED": str(SEED), **_config_variable(config, directory)}
        if tests:  # a parameter set follows the name after a slash
            names = "|".join(map(re.escape, tests))
            variables["COCOTB_TEST_FILTER"] = rf"\.({names})(/.*)?$"
        _run(runner, top, test_file.stem, directory, {**variables, **(env or {})}, waves)


def config_from_env(cls: type[Config]) -> Config:
    """Return the config that :func:`simulate` was given, as an instance of dataclass ``cls``."""
    adapter = _adapter(cls)
    return adapter.validate_json(Path(os.environ[CONFIG_VARIABLE]).read_bytes())[0]


def ports_from_env() -> dict[str, dict[str, Any]]:
    """Return direction, width and sign of every port; empty for Verilog from elsewhere."""
    return json.loads(os.environ.get(PORTS_VARIABLE, "{}"))


def _adapter(cls: type[Config]) -> TypeAdapter[tuple[Config]]:
    # A dataclass refuses a config of the adapter, a tuple of one hands it down: bytes of any value.
    one: Any = tuple.__class_getitem__(cls)
    return TypeAdapter(one, config=ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))


def _config_variable(config: object, build_dir: Path) -> dict[str, str]:
    if config is None:
        return {}
    path = build_dir / "config.json"  # a file: one environment variable holds 128 KiB at most
    path.write_bytes(_adapter(type(config)).dump_json((config,)))
    return {CONFIG_VARIABLE: str(path)}


def _ports(component: wiring.Component) -> dict[str, dict[str, Any]]:
    ports = {}
    for path, member, value in component.signature.flatten(component):
        shape = Shape.cast(Value.cast(value).shape())
        ports["__".join(map(str, path))] = {
            "flow": member.flow.name,
            "width": shape.width,
            "signed": shape.signed,
        }
    return ports


def _build_arguments(
    simulator: Simulator, top: str, directory: Path, waves: Waves, inner: Sequence[Inner]
) -> list[str]:
    arguments = list(BUILD_ARGS[simulator])
    if waves == "saif":
        arguments.append("--trace-saif")
    elif simulator == "verilator" and not waves:
        shown = directory / "inner.vlt"
        wires = [(top, "*"), *inner]
        lines = (f'public_flat_rw -module "{module}" -var "{wire}"' for module, wire in wires)
        shown.write_text("\n".join(["`verilator_config", *lines, ""]))
        arguments += ["--no-public-flat-rw", str(shown)]  # takes back what cocotb's runner says
    return arguments


def _build(
    runner: Runner,
    sources: Sequence[str | Path],
    top: str,
    directory: Path,
    simulator: Simulator,
    waves: Waves,
    inner: Sequence[Inner],
) -> None:
    log = directory / "build.log"
    try:
        runner.build(
            sources=[Path(source).absolute() for source in sources],
            hdl_toplevel=top,
            build_dir=directory,
            build_args=_build_arguments(simulator, top, directory, waves, inner),
            always=True,
            timescale=TIMESCALE,
            waves=bool(waves),
            log_file=log,
        )
    except RuntimeError as error:
        raise BuildFailed(f"{simulator} did not build {top!r}: {error}\n{_tail(log)}") from error


def _run(
    runner: Runner,
    top: str,
    test_module: str,
    directory: Path,
    variables: Mapping[str, str],
    waves: Waves,
) -> None:
    results, log = directory / "results.xml", directory / "test.log"
    results.unlink(missing_ok=True)
    stopped = None
    try:
        runner.test(
            test_module=test_module,
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            build_dir=directory,
            test_dir=directory,
            results_xml=str(results),
            extra_env=variables,
            waves=bool(waves),
            log_file=log,
        )
    except (SystemExit, RuntimeError) as error:
        stopped = error
    _judge(results, log)
    if stopped is not None:
        raise RuntimeError(f"The simulator ended with an error after the tests: {stopped}")


@contextlib.contextmanager
def _simulator_environment(simulator: Simulator, test_dir: Path) -> Iterator[None]:
    """Make the simulator and the test module visible to the cocotb runner, then undo it."""
    if simulator == "verilator":
        variables = find_verilator().environment
    else:
        require("iverilog", "vvp")
        variables = {}
    tools = cocotb_tools.config
    saved, directories = dict(os.environ), (tools.libs_dir, tools.share_dir)
    os.environ.update(variables)
    # The runner takes this as a sign to name files after the pytest test and to exit on failure.
    os.environ.pop("PYTEST_CURRENT_TEST", None)
    tools.libs_dir, tools.share_dir = map(plain_path, directories)
    sys.path.insert(0, str(test_dir))  # the runner hands sys.path to the simulation
    try:
        yield
    finally:
        sys.path.remove(str(test_dir))
        tools.libs_dir, tools.share_dir = directories
        os.environ.clear()
        os.environ.update(saved)


def _judge(results: Path, log: Path) -> None:
    if not results.is_file():
        raise RuntimeError(f"The simulation ended without results\n{_tail(log)}")
    cases = list(ElementTree.parse(results).getroot().iter("testcase"))
    failed = {}
    for case in cases:
        for kind in ("failure", "error"):
            found = case.find(kind)
            if found is not None:
                failed[case.get("name")] = found.get("message") or found.get("type")
    if failed:
        reasons = "\n".join(f"  {name}: {reason}" for name, reason in failed.items())
        raise CocotbFailure(f"{len(failed)} of {len(cases)} cocotb tests failed\n{reasons}")
    if not any(case.find("skipped") is None for case in cases):
        raise RuntimeError(f"No cocotb test ran\n{_tail(log)}")


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:] if log.is_file() else ""
