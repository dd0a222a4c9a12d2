"""From a decoder of text and a plan to the files of a build directory."""

from pathlib import Path

from ...model.network.gpt import Gpt
from ..plan.plan import Plan
from ..transformer.decoder import stored_weights
from ..transformer.program import compile_network, disassemble
from .build_files import emit_design, header, write_design
from .core_files import core_files
from .decoder_core import DecoderCore

__all__ = ["generate_decoder"]


def generate_decoder(network: Gpt, plan: Plan, directory: Path, *, core: bool = False) -> Path:
    """Write the files of a decoder; return the Verilog file.

    ``core.v`` holds the module ``lutformer_core``, see :class:`DecoderCore`, ``top.v`` also
    ``lutformer_top``, that core behind a serial link; beside it lie
    ``plan.json``, ``program.txt``, ``network.safetensors`` and, if weights are external,
    ``weights.bin``. The same network, plan and version give the same bytes.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    component, head = DecoderCore(network, plan), _header(network, plan)
    text = head + emit_design(component, network, plan, core=core)
    more: dict[str, str | bytes] = {"program.txt": disassemble(compile_network(network))}
    more |= core_files(component, network, plan, head) if core else {}
    if plan.external_weights:
        more["weights.bin"] = stored_weights(network, plan)
    return write_design(directory, network, plan, text, core=core, more=more)


def _header(network: Gpt, plan: Plan) -> str:
    end = "without an end" if network.endless else f"of {network.block_size} tokens"
    shape = (
        f"{network.head.out_features} characters, {network.width} channels, "
        f"{len(network.blocks)} blocks, contexts {end}"
    )
    return header("a decoder of text", shape, network, plan)
