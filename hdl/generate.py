"""From a network and a plan to the files of a build directory."""

from importlib.metadata import version
from pathlib import Path

from ..model.network import Network
from .accelerator import Accelerator
from .build_files import emit_design, write_design
from .plan import Plan
from .program import compile_network, disassemble

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
    text = emit_design(Accelerator(network, plan), network, plan, core=core)
    program = disassemble(compile_network(network))
    return write_design(
        directory,
        network,
        plan,
        _header(network, plan) + text,
        core=core,
        texts={"program.txt": program},
    )


def _header(network: Network, plan: Plan) -> str:
    e = network.embedding
    fields = " ".join(f"{name}={value}" for name, value in plan.model_dump().items())
    return (
        f"// lutformer {version('lutformer')}: a transformer of popcounts and lookup tables\n"
        f"// network  {network.hash}\n"
        f"//          {e.height}x{e.width}x{e.channels} pixels, {network.tokens} tokens of "
        f"{network.width} channels, {len(network.blocks)} blocks, {network.classes} classes\n"
        f"// plan     {fields}\n"
        "// licence  the generated circuit is yours; its generator is Apache-2.0\n\n"
    )
