"""From ``top.v`` to a packed bitstream: synthesis, place and route, packing."""

import hashlib
import json
import os
import shlex
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from lutformer.errors import BuildFailed, DoesNotFit, TimingMissed, UsageError

from ..board import Board
from . import netlist, tools
from .placement import keep_places
from .timing import expose_dsps, read_timing
from .wrapper import BoardTop

__all__ = ["PLACES", "READ", "BuildResult", "Progress", "bitstream_name", "build"]

READ = ("read_verilog -sv lutformer_top.v", "read_rtlil top.il")
"""What reads the sources of a board's design, in the board's directory."""

PLACE_AND_ROUTE = {
    "ice40": (),
    # Tables read bits from everywhere: the placer by forces leaves wires of half the length, and
    # the router that lays all of them at once gets where the other one turns round for hours.
    "ecp5": ("--placer", "static", "--router", "router2"),
}
"""Options of nextpnr for each family, beside those that choose the chip."""

PLACES = "placement.json"
"""Name of the file of :mod:`.placement` in the board's directory."""

Progress = Callable[[str, float | None], None]
"""Called with the name of a step and None as it starts, and its seconds when it is done."""


@dataclass(frozen=True, kw_only=True)
class BuildResult:
    """A finished build: the contents of ``build.json``."""

    board: str
    device: str
    bitstream: str
    """Path of the packed bitstream, relative to the build directory."""
    bitstream_sha256: str
    resources: dict[str, int]
    """``lut4 ff carry ebr spram dsp`` after synthesis, ``cells`` that they fill on the chip."""
    available: dict[str, int]
    """``cells ebr spram dsp`` of the chip."""
    timing: dict[str, float]
    """``fmax_mhz`` of the design's clock after routing, ``nextpnr_mhz`` before the correction of
    :mod:`.timing`, ``clock_mhz`` of the board."""
    critical_path: list[str]
    """Signals on the path that limits fmax."""
    seed: int
    versions: dict[str, str]
    commands: list[str]
    """That have made the bitstream, in the board's directory."""
    seconds: dict[str, float]
    """Of each step."""
    key: str
    """Hash of everything that the bitstream depends on."""
    cached: bool = False
    """Whether an earlier build was found to be still right; not part of ``build.json``."""


def bitstream_name(board: Board) -> str:
    """Return the name of the packed bitstream inside the board's directory."""
    return {"ice40": "top.bin", "ecp5": "top.bit"}[board.family]


def build(
    top: Path,
    board: Board,
    build_dir: Path,
    *,
    seed: int = 1,
    progress: Progress = lambda step, seconds: None,
) -> BuildResult:
    """Build the bitstream of the Verilog ``top`` for ``board``; return its resources and timing.

    Everything is written to ``build_dir / board.name``, the results also to
    ``build_dir / "build.json"``. Each tool has its own log there. Files of an earlier build are
    removed first and new ones appear only when complete. When nothing has changed since the last
    build, its result is returned at once.

    Raises
    ------
    DoesNotFit, TimingMissed
        The design is too large or too slow for the board.
    BuildFailed
        A tool refused the design.
    ToolMissing
        A tool is not installed.
    """
    if not top.is_file():
        raise UsageError(f"No Verilog at {str(top)!r}: run `lutformer generate` first")
    job = _Job(top, board, build_dir, seed, progress)
    tools.require(*job.tools)
    job.prepare()
    found = job.earlier()
    if found is not None:
        return found
    job.clear()
    with job.step("synthesis"):
        job.synthesise()
    with job.step("place and route"):
        job.route()
    with job.step("packing"):
        job.pack()
    return job.finish()


class _Job:
    """One build, step by step; the order is that of :func:`build`."""

    def __init__(
        self, top: Path, board: Board, build_dir: Path, seed: int, progress: Progress
    ) -> None:
        self.top = top
        self.board = board
        self.build_dir = build_dir
        self.dir = build_dir / board.name
        self.seed = seed
        self.progress = progress
        self.seconds: dict[str, float] = {}
        self.commands: list[str] = []
        self.nextpnr = f"nextpnr-{board.family}"
        self.packer = {"ice40": "icepack", "ecp5": "ecppack"}[board.family]
        self.tools = ("yosys", self.nextpnr, self.packer)
        self.pins = {"ice40": "top.pcf", "ecp5": "top.lpf"}[board.family]
        self.routed = {"ice40": "top.asc", "ecp5": "top.config"}[board.family]
        self.bitstream = bitstream_name(board)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.progress(name, None)
        start = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - start, 2)
        self.progress(name, self.seconds[name])

    def prepare(self) -> None:
        """Elaborate the wrapper; hash it with everything else that decides the bitstream."""
        self.versions = tools.versions(*self.tools)
        # Without source positions: they hold the path of this checkout.
        plan = self.board.pins().prepare(BoardTop(self.board), "top", emit_src=False)
        self.inputs = {
            "lutformer_top.v": self.top.read_bytes(),
            "top.il": _encode(plan.files["top.il"]),
            self.pins: _encode(plan.files[self.pins]),
            "top.ys": self._script("-json top.json.part", "top.stat.json").encode(),
        }
        facts = [self.versions, self.seed, self.board.build_facts]
        facts += PLACE_AND_ROUTE[self.board.family]
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
        for name, content in sorted(self.inputs.items()):
            digest.update(hashlib.sha256(name.encode() + b"\0" + content).digest())
        self.key = digest.hexdigest()

    def _script(self, options: str, stat: str) -> str:
        read = "".join(f"{command}\n" for command in READ)
        return f"{read}{self.board.synthesis} {options} -top top\ntee -q -o {stat} stat -json\n"

    def earlier(self) -> BuildResult | None:
        """Return the last build's result if it is of these very inputs and still complete."""
        try:
            record = json.loads((self.build_dir / "build.json").read_text())
            result = BuildResult(**record, cached=True)
            bits = (self.dir / self.bitstream).read_bytes()
        except (OSError, ValueError, TypeError):
            return None
        same = (
            result.key == self.key and result.bitstream_sha256 == hashlib.sha256(bits).hexdigest()
        )
        return result if same else None

    def clear(self) -> None:
        """Remove the files of an earlier build and write the inputs of this one."""
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.build_dir / "build.json").unlink(missing_ok=True)
        for path in self.dir.glob("*"):
            if path.suffix in {".json", ".asc", ".config", ".bin", ".bit", ".log", ".part"}:
                path.unlink()
        for name, content in self.inputs.items():
            (self.dir / name).write_bytes(content)

    def call(self, tool: str, arguments: list[str], log: str) -> bool:
        self.commands.append(shlex.join([tool, *arguments]))
        return tools.call(tool, arguments, cwd=self.dir, log=self.dir / log) == 0

    def publish(self, name: str) -> None:
        """Give a complete file its name."""
        os.replace(self.dir / f"{name}.part", self.dir / name)

    def failed(self, tool: str, log: str) -> BuildFailed:
        path = self.dir / log
        return BuildFailed(f"{tool} failed: {tools.reason(path)} (log: {str(path)!r})")

    def synthesise(self) -> None:
        if not self.call("yosys", ["top.ys"], "synthesis.log"):
            raise self.failed("Yosys", "synthesis.log")
        if self.board.family == "ice40":
            expose_dsps(self.dir / "top.json.part")
        self.publish("top.json")
        self.cells = netlist.cells(_load(self.dir / "top.stat.json"), self.board)

    def route(self) -> None:
        report = self.dir / "report.json"
        arguments = [*self._chip(), *PLACE_AND_ROUTE[self.board.family], "--seed", str(self.seed)]
        arguments += ["--timing-allow-fail"]  # the verdict is ours, with the numbers
        output = {"ice40": "--asc", "ecp5": "--textcfg"}[self.board.family]
        arguments += [output, f"{self.routed}.part", "--write", "routed.json"]
        arguments += ["--report", "report.json", "--detailed-timing-report"]
        if not self.call(self.nextpnr, arguments, "route.log"):
            self._refuse_if_too_large()
            raise self.failed(self.nextpnr, "route.log")
        self.usage = netlist.used(report, self.board)
        self.timing = read_timing(report, self.dir / "top.json", self.board)
        self._refuse_if_too_slow()
        keep_places(self.dir / "routed.json", self.dir / PLACES)
        self.publish(self.routed)

    def _chip(self) -> list[str]:
        pins = {"ice40": "--pcf", "ecp5": "--lpf"}[self.board.family]
        frequency = ["--freq", f"{self.board.clock_hz / 1e6:g}"]
        return [*self.board.nextpnr, "--json", "top.json", pins, self.pins, *frequency]

    def _refuse_if_too_large(self) -> None:
        """Raise :class:`DoesNotFit` if packing alone shows that more is needed than there is."""
        arguments = [*self._chip(), "--pack-only", "--report", "fit.json"]
        if not self.call(self.nextpnr, arguments, "fit.log"):
            return
        over = netlist.exceeded(netlist.used(self.dir / "fit.json", self.board))
        if not over:
            return
        modules = self.modules()
        takers = {word: netlist.consumers(modules, word) for word in over}
        needs = " and ".join(
            f"{need} of {have} {word} ({', '.join(f'{m} {n}' for m, n in takers[word].items())})"
            for word, (need, have) in over.items()
        )
        raise DoesNotFit(
            f"The design does not fit {self.board.title} ({self.board.device}): it needs {needs}; "
            "use a smaller network, fewer lanes or a larger board",
            over=over,
            consumers=takers,
        )

    def modules(self) -> dict[str, dict[str, int]]:
        """Return the cells of each module, from a synthesis that keeps them apart."""
        (self.dir / "modules.ys").write_text(self._script("-noflatten", "modules.stat.json"))
        if not self.call("yosys", ["modules.ys"], "modules.log"):
            raise self.failed("Yosys", "modules.log")
        return netlist.modules(_load(self.dir / "modules.stat.json"), self.board)

    def _refuse_if_too_slow(self) -> None:
        clock = self.board.clock_hz / 1e6
        if self.timing.fmax_mhz >= clock:
            return
        raise TimingMissed(
            f"The design reaches {self.timing.fmax_mhz:.2f} MHz on {self.board.title}, which runs "
            f"it at {clock:g} MHz; the slowest path goes through {' -> '.join(self.timing.path)}; "
            "add a pipeline stage there, use fewer lanes or another seed",
            fmax_mhz=self.timing.fmax_mhz,
            clock_mhz=clock,
            path=self.timing.path,
        )

    def pack(self) -> None:
        output = f"{self.bitstream}.part"
        arguments = {
            "ice40": [self.routed, output],
            "ecp5": ["--compress", "--input", self.routed, "--bit", output],
        }[self.board.family]
        if not self.call(self.packer, arguments, "pack.log"):
            raise self.failed(self.packer, "pack.log")
        self.publish(self.bitstream)

    def finish(self) -> BuildResult:
        budget = self.board.budget
        result = BuildResult(
            board=self.board.name,
            device=self.board.device,
            bitstream=f"{self.board.name}/{self.bitstream}",
            bitstream_sha256=hashlib.sha256((self.dir / self.bitstream).read_bytes()).hexdigest(),
            resources={**self.cells, "cells": self.usage["logic cells"][0]},
            available={
                "cells": budget.luts,
                "ebr": budget.ebr,
                "spram": budget.spram,
                "dsp": budget.dsp,
            },
            timing={
                "fmax_mhz": round(self.timing.fmax_mhz, 2),
                "nextpnr_mhz": round(self.timing.nextpnr_mhz, 2),
                "clock_mhz": self.board.clock_hz / 1e6,
            },
            critical_path=self.timing.path,
            seed=self.seed,
            versions=self.versions,
            commands=self.commands,
            seconds=self.seconds,
            key=self.key,
        )
        record = asdict(result)
        del record["cached"]
        part = self.build_dir / "build.json.part"
        part.write_text(json.dumps(record, indent=2) + "\n")
        os.replace(part, self.build_dir / "build.json")
        return replace(result, cached=False)


def _encode(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())
