"""From a decoder of text and a plan to the files of a build directory."""

from importlib.metadata import version
from pathlib import Path

from lutformer.errors import LutformerError

from ..model.files import write_whole
from ..model.gpt import Gpt
from ..model.network_file import save_network
from .decoder import stored_weights
from .decoder_core import DecoderCore
from .plan import Plan
from .program import compile_network, disassemble
from .verilog import emit

__all__ = ["generate_decoder"]


def generate_decoder(network: Gpt, plan: Plan, directory: Path) -> Path:
    """Write the files of a decoder's core; return the Verilog file.

    ``core.v`` holds the module ``lutformer_core``, see :class:`DecoderCore`; beside it lie
    ``plan.json``, ``program.txt``, ``network.safetensors`` and, if weights are ``stored``,
    ``weights.bin``. The same network, plan and version give the same bytes.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    text = _header(network, plan) + emit(DecoderCore(network, plan), top="lutformer_core")
    verilog = directory / "core.v"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_network(network, directory / "network.safetensors")
        write_whole(directory / "plan.json", (plan.model_dump_json(indent=2) + "\n").encode())
        write_whole(directory / "program.txt", disassemble(compile_network(network)).encode())
        if plan.stored:
            write_whole(directory / "weights.bin", stored_weights(network, plan))
        write_whole(verilog, text.encode())
    except OSError as error:
        raise LutformerError(
            f"{directory} cannot be written ({error.strerror}); choose another with -o"
        ) from error
    return verilog


def _header(network: Gpt, plan: Plan) -> str:
    fields = " ".join(f"{name}={value}" for name, value in plan.model_dump().items())
    end = "without an end" if network.endless else f"of {network.block_size} tokens"
    return (
        f"// lutformer {version('lutformer')}: a decoder of text\n"
        f"// network  {network.hash}\n"
        f"//          {network.head.rows} characters, {network.width} channels, "
        f"{len(network.blocks)} blocks, contexts {end}\n"
        f"// plan     {fields}\n"
        "// licence  the generated circuit is yours; its generator is Apache-2.0\n\n"
    )
