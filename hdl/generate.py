"""From a network and a plan to the files of a build directory."""

from importlib.metadata import version
from pathlib import Path

from lutformer.errors import LutformerError

from ..model.files import write_whole
from ..model.network import Network
from ..model.network_file import save_network
from .accelerator import Accelerator
from .plan import Plan
from .program import compile_network, disassemble
from .top import Top
from .verilog import emit

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
    text = _header(network, plan) + emit(Accelerator(network, plan), top="lutformer_core")
    if not core:
        text += emit(Top(network, plan), top="lutformer_top")
    verilog = directory / ("core.v" if core else "top.v")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_network(network, directory / "network.safetensors")
        write_whole(directory / "plan.json", (plan.model_dump_json(indent=2) + "\n").encode())
        write_whole(directory / "program.txt", disassemble(compile_network(network)).encode())
        write_whole(verilog, text.encode())
    except OSError as error:
        raise LutformerError(
            f"{directory} cannot be written ({error.strerror}); choose another with -o"
        ) from error
    return verilog


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
