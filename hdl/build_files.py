"""The files of a build directory that hold a network and its Verilog."""

from collections.abc import Mapping
from pathlib import Path

from amaranth.lib import wiring

from lutformer.errors import LutformerError

from ..model.files import write_whole
from ..model.network_file import StoredNetwork, save_network
from .board_plan import BoardPlan
from .top import Top, link_config
from .verilog import emit

__all__ = ["emit_design", "write_design"]


def emit_design(
    component: wiring.Component, network: StoredNetwork, plan: BoardPlan, *, core: bool
) -> str:
    """Return the Verilog of module ``lutformer_core``; unless ``core`` also of its board top."""
    text = emit(component, top="lutformer_core")
    if not core:
        text += emit(Top(component, link_config(network, plan), plan.divisor), top="lutformer_top")
    return text


def write_design(
    directory: Path,
    network: StoredNetwork,
    plan: BoardPlan,
    verilog: str,
    *,
    core: bool,
    texts: Mapping[str, str] | None = None,
) -> Path:
    """Write ``top.v`` (or ``core.v``), ``plan.json``, ``network.safetensors``, and ``texts``.

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
    files = {"plan.json": plan.model_dump_json(indent=2) + "\n", **(texts or {}), name: verilog}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        save_network(network, directory / "network.safetensors")
        for file, text in files.items():
            write_whole(directory / file, text.encode())
    except OSError as error:
        raise LutformerError(
            f"{directory} cannot be written ({error.strerror}); choose another with -o"
        ) from error
    return directory / name
