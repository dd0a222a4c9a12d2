"""The files beside a core, for use in other designs: adapter, template, FuseSoC, record."""

from functools import singledispatch
from importlib.metadata import version

from amaranth.lib import wiring

from ...model.network.stored_network import StoredNetwork
from ...model.network.weightless_classifier import WeightlessClassifier
from ..classifier.classifier_beats import ClassifierBeats
from ..lib.verilog import emit
from ..plan.board_plan import BoardPlan
from .axi_stream import AxiStream
from .core_instance import CoreInstance
from .core_interface import CoreInterface, CorePort, FieldShape, core_interface
from .top import CORE

__all__ = ["AXIS", "FUSESOC_NAME", "axi_stream", "core_files"]

AXIS = "lutformer_axis"
TEMPLATE = "core_template"
FUSESOC_NAME = "lutformer:lutformer:core"
CLASSIFIER_BEAT = 4
"""Bytes of a beat for a core that takes a whole sample at a time."""
BYTE_CORE_FRAMES = 4
"""A core of bytes computes one frame while it takes another, and sends a third."""
CLOCK = tuple(
    CorePort(path=(name,), flow="in", shape=FieldShape(width=1), says=says)
    for name, says in (("clk", "Rising edge."), ("rst", "Synchronous, high."))
)
LINT = {
    "DECLFILENAME": "one file holds all modules",
    "UNUSEDSIGNAL": "sums are emitted at full width",
    "PROCASSINIT": "registers have a reset and an initial value",
    "WIDTHTRUNC": "the emission leaves truncation to assignments",
    "WIDTHEXPAND": "the emission leaves extension to Verilog",
    "ASCRANGE": "a counter of a single value has no bits",
    "CMPCONST": "a counter of few bits is compared with what it never passes",
    "PINCONNECTEMPTY": "what is only there to be verified is left open",
}
FUSESOC = f"""\
CAPI=2:
name: {{name}}
description: "{{description}}"

filesets:
  core:
    files:
      - core.vlt: {{{{file_type: vlt}}}}
      - core.v
    file_type: verilogSource
  axis:
    files: [core_axis.v]
    file_type: verilogSource
  template:
    files: [core_template.v]
    file_type: verilogSource

targets:
  default:
    description: The core alone
    filesets: [core]
    toplevel: {CORE}
  axis:
    description: The core behind AXI4-Stream
    filesets: [core, axis]
    toplevel: {AXIS}
  lint:
    description: Verilator on the core and its template
    filesets: [core, template]
    toplevel: {TEMPLATE}
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
  lint_axis:
    description: Verilator on the core behind AXI4-Stream
    filesets: [core, axis]
    toplevel: {AXIS}
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
"""


def core_files(
    component: wiring.Component, network: StoredNetwork, plan: BoardPlan, header: str
) -> dict[str, str]:
    """Return the files that belong to ``core.v``, by name; Verilog begins with ``header``.

    They are ``core.json`` (the interface, see :class:`.core_instance.CoreInstance`),
    ``core_axis.v`` (module ``lutformer_axis``, see :class:`AxiStream`), ``core_template.v`` (an
    instantiation to copy), ``lutformer.core`` (for FuseSoC), and ``core.vlt`` (for Verilator).
    """
    interface = core_interface(component, network, plan, version("lutformer"))
    latency = getattr(component, "latency", 0)
    adapter = axi_stream(network, CoreInstance(interface), latency)
    return {
        "core.json": interface.model_dump_json(indent=2, exclude_defaults=True) + "\n",
        "core_axis.v": header + emit(adapter, top=AXIS),
        "core_template.v": header + _template(interface),
        "core.vlt": _waivers(),
        "lutformer.core": _fusesoc(interface),
    }


@singledispatch
def axi_stream(network: StoredNetwork, core: CoreInstance, latency: int) -> AxiStream:
    """Return a core behind AXI4-Stream; ``latency`` is that of a core of whole samples."""
    interface = core.interface
    return AxiStream(
        core,
        beats_in=interface.input_bytes,
        beats_out=interface.output_bytes,
        flying=BYTE_CORE_FRAMES,
    )


@axi_stream.register
def _(network: WeightlessClassifier, core: CoreInstance, latency: int) -> AxiStream:
    size, interface = CLASSIFIER_BEAT, core.interface
    return AxiStream(
        ClassifierBeats(core, network.encoder, latency=latency, size=size),
        size=size,
        beats_in=-(-interface.input_bytes // size),
        beats_out=-(-interface.output_bytes // size),
        flying=latency + 3,  # one is gathered, one waits, one is sent
    )


def _template(interface: CoreInterface) -> str:
    """Return a module that does nothing but instantiate the core, a comment at each port."""
    ports = [port for port in (*CLOCK, *interface.ports) if interface.clocked or port not in CLOCK]
    declared, connected = [], []
    for n, port in enumerate(ports):
        size = f"[{port.shape.width - 1}:0] " if port.shape.width > 1 else ""
        comma = "," * (n < len(ports) - 1)
        signal = "core_" + "_".join(port.path)
        declared.append(f"    {port.flow}put wire {size}{signal}{comma}")
        connected.append(f"        // {port.flow}put, {port.shape}. {port.says}")
        connected.append(f"        .{port.name} ({signal}){comma}")
    return "\n".join(
        [
            f"// {interface.title}. Copy the instance, and give its ports signals of yours.",
            "// A word moves at each rising edge at which both valid and ready are high.",
            f"module {TEMPLATE} (",
            *declared,
            ");",
            f"    {CORE} core (",
            *connected,
            "    );",
            "endmodule",
            "",
        ]
    )


def _fusesoc(interface: CoreInterface) -> str:
    """Return a core description of the CAPI2 kind."""
    return FUSESOC.format(
        name=f"{FUSESOC_NAME}:{interface.version}",
        description=f"{interface.title} (network {interface.network[:16]})",
    )


def _waivers() -> str:
    """Return Verilator waivers for the emitted files only."""
    lines = ["`verilator_config"]
    for rule, why in LINT.items():
        files = ("*core.v", "*core_axis.v")
        lines += [f"// {why}", *(f'lint_off -rule {rule} -file "{name}"' for name in files)]
    return "\n".join(lines) + "\n"
