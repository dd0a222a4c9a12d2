"""From a network and a plan to the files of a build directory."""

from pathlib import Path

from ...model.network.vit import Network
from ..plan.plan import Plan
from ..transformer.accelerator import Accelerator
from ..transformer.program import compile_network, disassemble
from .build_files import emit_design, header, write_design
from .core_files import core_files

__all__ = ["generate"]


def generate(network: Network, plan: Plan, directory: Path, *, core: bool = False) -> Path:
    """Write ``top.v`` (or ``core.v``), ``plan.json``, ``program.txt`` and ``network.safetensors``.

    ``top.v`` holds the modules ``lutformer_core`` and ``lutformer_top`` (the core behind a serial
    link); ``core.v`` the first alone, to be instantiated in other designs. The same network, plan
    and version give the same bytes.

    Returns
    -------
    Path
        The Verilog file.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    component, head = Accelerator(network, plan), _header(network, plan)
    text = head + emit_design(component, network, plan, core=core)
    more: dict[str, str | bytes] = {"program.txt": disassemble(compile_network(network))}
    more |= core_files(component, network, plan, head) if core else {}
    return write_design(directory, network, plan, text, core=core, more=more)


def _header(network: Network, plan: Plan) -> str:
    e = network.embedding
    shape = (
        f"{e.height}x{e.width}x{e.channels} pixels, {network.tokens} tokens of "
        f"{network.width} channels, {len(network.blocks)} blocks, {network.classes} classes"
    )
    return header("a transformer of popcounts and lookup tables", shape, network, plan)
