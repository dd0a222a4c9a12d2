"""The files of a build directory that hold a network and its Verilog."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from amaranth.lib import wiring

from lutformer.errors import LutformerError

from ...model.network.network_file import save_network
from ...model.network.stored_network import StoredNetwork
from ...model.storage.files import write_whole
from ..lib.verilog import emit
from ..plan.board_plan import BoardPlan
from .top import CORE, TOP, Top, link_config

__all__ = ["emit_design", "header", "write_design"]


def header(kind: str, shape: str, network: StoredNetwork, plan: BoardPlan, *further: str) -> str:
    """Return the comment that a file of Verilog begins with; ``further`` are lines of their own."""
    fields = " ".join(f"{name}={value}" for name, value in plan.model_dump().items())
    lines = [
        f"lutformer {version('lutformer')}: {kind}",
        f"network  {network.hash}",
        f"         {shape}",
        f"plan     {fields}",
        *further,
        "licence  the generated circuit is yours; its generator is Apache-2.0",
    ]
    return "".join(f"// {line}\n" for line in lines) + "\n"


def emit_design(
    component: wiring.Component, network: StoredNetwork, plan: BoardPlan, *, core: bool
) -> str:
    """Return the Verilog of module ``lutformer_core``; unless ``core`` also of its board top."""
    text = emit(component, top=CORE)
    if not core:
        text += emit(Top(component, link_config(network, plan), plan.divisor), top=TOP)
    return text


def write_design(
    directory: Path,
    network: StoredNetwork,
    plan: BoardPlan,
    verilog: str,
    *,
    core: bool,
    more: Mapping[str, str | bytes] | None = None,
) -> Path:
    """Write ``top.v`` (or ``core.v``), ``plan.json``, ``network.safetensors``, and ``more``.

    Returns
    -------
    Path
        The Verilog file.

    Raises
    ------
    LutformerError
        If the directory cannot be written.
    """
    name = "core.v" if core else "top.v"
    files: dict[str, str | bytes] = {"plan.json": plan.model_dump_json(indent=2) + "\n"}
    files |= {**(more or {}), name: verilog}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_network(network, directory / "network.safetensors")
        for file, content in files.items():
            write_whole(directory / file, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise LutformerError(
            f"{directory} cannot be written ({error.strerror}); choose another with -o"
        ) from error
    return directory / name
