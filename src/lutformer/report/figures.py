"""The figures of a report: their keys, what they mean and how each was obtained.

``docs/report.md`` documents the same for readers of ``report.json``; a test compares both.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..proofs.claims import Claim
from ..sim.result import Profile

__all__ = ["REPORT_SCHEMA", "Report", "figures", "obtained"]

REPORT_SCHEMA = 1
"""Version of the keys; it grows when one changes its meaning or goes away."""


def figure(meaning: str, how: str, *, alias: str | None = None) -> Any:
    """Return a field that is None until it is known; ``how`` tells where it comes from."""
    return Field(None, alias=alias, description=meaning, json_schema_extra={"obtained": how})


class Section(BaseModel):
    """Figures that belong together."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )


class Accuracy(Section):
    """Fractions of the held-out inputs that are classified right, or characters foreseen."""

    twin: float | None = figure(
        "of the float softmax/GELU twin",
        "measured: PyTorch in float32, all held-out images",
        alias="float",
    )
    integer: float | None = figure(
        "of the integer network", "measured: golden integer run, all held-out inputs"
    )
    loss: float | None = figure(
        "of a network of text: by how much it misses a held-out character, in nats",
        "measured: golden integer run, the held-out text in blocks",
    )
    reading_on: float | None = figure(
        "the same loss of a decoder whose contexts have no end",
        "measured: golden integer run, 32 parts of the held-out text, each read in one context",
    )
    images: int | None = figure("held-out images or rows, or characters of a text", "counted")


class Golden(Section):
    """The trained PyTorch model against the golden integer run, at export."""

    images: int | None = figure("images, rows or blocks compared", "counted by `lutformer export`")
    integers: int | None = figure("integers compared", "counted by `lutformer export`")
    mismatches: int | None = figure(
        "of these that differ; an export with any is refused", "counted by `lutformer export`"
    )


class Exact(Section):
    """The emitted Verilog against the golden integer run."""

    frames: int | None = figure(
        "images or rows simulated, or tokens chosen", "counted by `lutformer simulate` (cocotb)"
    )
    integers: int | None = figure(
        "integers compared, logits and the outputs of every block",
        "counted by `lutformer simulate` (cocotb)",
    )
    mismatches: int | None = figure(
        "of these that differ", "counted by `lutformer simulate` (cocotb)"
    )


class Cycles(Section):
    """Clock cycles of the core; the link is not in them."""

    per_inference: int | None = figure(
        "from the last pixel of the image to the last logit; of a weightless classifier, all the "
        "cycles of work on a sample, its bytes included; of a decoder the slowest of its tokens",
        "measured: `lutformer simulate` (cocotb)",
    )
    bound: int | None = figure(
        "the least that this plan's memories and operators allow", "derived from network and plan"
    )
    ratio: float | None = figure("per_inference / bound", "derived")
    engines: dict[str, int] | None = figure(
        "the least cycles of each engine; bound is the largest, of a decoder their sum",
        "derived from network and plan",
    )
    busy: dict[str, int] | None = figure(
        "cycles in which each engine worked on an instruction, in the last inference simulated; "
        "of a decoder the last token",
        "measured: `lutformer simulate` (cocotb)",
    )
    program: int | None = figure(
        "cycles that the program of this inference ran", "measured: `lutformer simulate` (cocotb)"
    )
    passes: dict[str, int] | None = figure(
        "of a decoder: the least cycles of each pass of a token; bound is their sum",
        "derived from network and plan",
    )
    mean: float | None = figure(
        "of a decoder: the mean over the places of a context that were simulated",
        "measured: `lutformer simulate` (cocotb)",
    )
    load: int | None = figure(
        "of a decoder: until its weights were loaded, the link never waiting",
        "measured: `lutformer simulate` (cocotb)",
    )


class Resources(Section):
    """Resources of the whole board top, the UART link included."""

    lut4: int | None = figure("4-input lookup tables", "counted by Yosys after mapping")
    ff: int | None = figure("flip-flops", "counted by Yosys after mapping")
    ebr: int | None = figure("block memories", "counted by Yosys after mapping")
    spram: int | None = figure("large single-port memories", "counted by Yosys after mapping")
    dsp: int | None = figure("hardware multipliers", "counted by Yosys after mapping")
    cells: int | None = figure("logic cells of the chip in use", "counted by nextpnr")
    available: dict[str, int] | None = figure("what the chip has", "data sheet")
    modules: dict[str, dict[str, int]] | None = figure(
        "cells of each module by kind, less those of its own submodules",
        "counted in the netlist of Yosys, each cell by the net that it is named after",
    )


class Timing(Section):
    """Clocks of the board top."""

    fmax_mhz: float | None = figure(
        "clock that the routed design can be trusted with, DSP delays included",
        "measured: static timing analysis of nextpnr, with the delays that it leaves out",
    )
    nextpnr_mhz: float | None = figure(
        "the same as nextpnr reports it", "measured: static timing analysis of nextpnr"
    )
    clock_mhz: float | None = figure("clock of the board", "from the board file")
    path: list[dict[str, Any]] | None = figure(
        "the slowest path by signals of the source: delays of cells and of wires, and cells",
        "measured: static timing analysis of nextpnr, with the delays that it leaves out",
    )
    delays: dict[int, int] | None = figure(
        "endpoints of paths by the delay of their slowest, in classes of 2 ns",
        "measured: static timing analysis of nextpnr",
    )


class Memories(Section):
    """Memories of the Verilog."""

    bits: int | None = figure("of all words", "counted in the Verilog")
    in_blocks: int | None = figure(
        "of the words that lie in block memories and SPRAM", "counted in the netlist of Yosys"
    )
    taken: int | None = figure(
        "bits of the block memories and SPRAM in use", "counted in the netlist of Yosys"
    )
    map: list[dict[str, Any]] | None = figure(
        "each memory: name, width, depth, block memories (or `large` ones, SPRAM), their bits",
        "counted in the Verilog and in the netlist of Yosys",
    )


class Activity(Section):
    """Toggles of nets: the mean of an inference, transfers of input and output included."""

    toggles: int | None = figure(
        "changes of a bit, an inference; without the clock and glitches",
        "measured: `lutformer simulate --activity` (Verilator, SAIF)",
    )
    nets: int | None = figure(
        "bits that are watched: every net of the core, in each module that it passes",
        "counted by `lutformer simulate --activity`",
    )
    share: float | None = figure(
        "toggles of a bit in a cycle, the mean", "derived: toggles / nets / cycles"
    )
    inferences: int | None = figure(
        "that the means are of", "counted by `lutformer simulate --activity`"
    )
    modules: dict[str, dict[str, int]] | None = figure(
        "nets and toggles of each module, less those of its own submodules",
        "measured: `lutformer simulate --activity` (Verilator, SAIF)",
    )


class Speed(Section):
    """Images, rows or tokens a second of the core, one after the other, without the link."""

    at_fmax: float | None = figure("at fmax_mhz", "derived: fmax / cycles per inference")
    at_clock: float | None = figure("at clock_mhz", "derived: clock / cycles per inference")


class Virtual(Section):
    """Answers of the virtual board: the board top, UART link included, from the Verilog."""

    images: int | None = figure("images asked about", "counted by the host program")
    mismatches: int | None = figure(
        "answers that differ from the golden run", "counted by the host program"
    )
    cycles: int | None = figure("cycles that the board reported", "measured by the board itself")


class Counts(Section):
    """Operations and memory of one inference; of a decoder, of a token (the mean of a block)."""

    multiplications: int | None = figure("of any width", "derived from the layers' shapes")
    additions: int | None = figure(
        "of any width, comparisons too; a zero weight is added as well",
        "derived from the layers' shapes",
    )
    bit_operations: int | None = figure(
        "bits of codes that are compared and counted", "derived from the layers' shapes"
    )
    lookups: int | None = figure("reads of tables", "derived from the layers' shapes")
    shifts: int | None = figure(
        "by an amount that depends on the data", "derived from the layers' shapes"
    )
    memory_bits: int | None = figure(
        "weights, tables, and what is kept from token to token", "derived from the layers' shapes"
    )
    energy_pj: float | None = figure(
        "of these operations in a chip of 45 nm, in pJ; no memory, no wires, not this FPGA",
        "estimated: Horowitz' table, an entry for each class of operation (docs/report.md)",
    )
    energy_fp32_pj: float | None = figure(
        "the same as EcoFormer's authors count it, in pJ",
        "estimated: 3.7 pJ a multiplication and 0.9 pJ an addition, as of 32-bit floats",
    )


class Removed(Section):
    """The part of the int8 baseline that this network removes."""

    mlp_share: float | None = figure(
        "part of the baseline's multiplications that its MLPs make and weightless ones do not",
        "derived from the layers' shapes, as QuWeiT counts: matrix products alone",
    )


class Report(Section):
    """All figures of one build directory."""

    schema_version: int = Field(default=REPORT_SCHEMA, alias="schema")
    name: str
    board: str | None = None
    network: str
    """Content hash."""
    unit: str = "image"
    """What one inference is of."""
    example: str = "image"
    """What one held-out input is."""
    accuracy: Accuracy = Accuracy()
    golden: Golden = Golden()
    exact: Exact = Exact()
    cycles: Cycles = Cycles()
    resources: Resources = Resources()
    memories: Memories = Memories()
    timing: Timing = Timing()
    speed: Speed = Speed()
    activity: Activity = Activity()
    virtual: Virtual = Virtual()
    operations: Counts = Counts()
    """Of this network."""
    baseline: Counts = Counts()
    """Of the int8 softmax/GELU network of the same shape."""
    removed: Removed = Removed()
    sample: str | None = None
    """What a decoder says: the golden run at temperature 0.8, seed 1, after an empty prompt."""
    claims: list[Claim] | None = None
    """What `lutformer verify` has shown of this Verilog, and what it skipped."""
    profile: Profile | None = None
    """From when to when each engine worked on each instruction of the program."""
    commands: dict[str, list[str]] = {}
    """What has made each record."""
    versions: dict[str, str]
    obtained: dict[str, str] = {}
    """How each figure that is there was obtained, by its dotted key."""


def obtained(report: Report) -> dict[str, str]:
    """Return how each figure of ``report`` that is not None was obtained."""
    return {key: how for key, value, _, how in figures(report) if value is not None}


def figures(report: Report) -> Iterator[tuple[str, Any, str, str]]:
    """Yield dotted key, value, meaning and origin of each figure."""
    for name in type(report).model_fields:
        section = getattr(report, name)
        if not isinstance(section, Section):
            continue
        for field_name, field in type(section).model_fields.items():
            extra = field.json_schema_extra
            how = str(extra["obtained"]) if isinstance(extra, dict) else ""
            key = f"{name}.{field.alias or field_name}"
            yield key, getattr(section, field_name), field.description or "", how
