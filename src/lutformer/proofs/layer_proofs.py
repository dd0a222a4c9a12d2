"""Claims about the layers of lookup tables of a transformer."""

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from ..errors import NotEqual
from ..model.network.transformer import Transformer
from ..sim.formal.aig import Aig
from ..sim.formal.gates import Gates
from ..sim.formal.lowering import mapped, netlist_gates, verilog_gates
from ..sim.formal.lut_proof import WrongEntry, check_tables
from ..sim.formal.placed_layers import PlacedLayer, placed_layers
from .claims import EVERY_INPUT, Task

if TYPE_CHECKING:
    from ..workspace import Workspace

__all__ = ["layer_tasks"]


def layer_tasks(network: Transformer, workspace: "Workspace") -> Iterator[Task]:
    """Yield the claims about each layer of each weightless MLP."""
    lowered = cache(partial(_lowered, workspace))  # layers of one MLP stand in one module
    for placed in placed_layers(network):
        yield from _layer(workspace, placed, lowered)


def _lowered(workspace: "Workspace", module: str) -> dict[str, Any]:
    return verilog_gates(workspace.require_verilog(), module, workspace.path / "proof" / module)


def _layer(
    workspace: "Workspace", placed: PlacedLayer, lowered: Callable[[str], dict[str, Any]]
) -> Iterator[Task]:
    verilog, board = workspace.require_verilog(), workspace.board()
    directory = workspace.path / "proof" / placed.name
    layer, module = placed.layer, placed.module

    def verilog_looks_up() -> str:
        directory.mkdir(parents=True, exist_ok=True)
        gates = Gates(lowered(placed.around), Aig())
        nets = gates.wire(placed.inputs), gates.wire(placed.outputs)
        return _judge(check_tables(layer, gates, nets, directory), placed, "emitted Verilog")

    def netlist_looks_up() -> str:
        netlist = mapped(verilog, module, board, directory, wires="io")
        gates = Gates(netlist_gates({module: netlist}, module, board.family, directory), Aig())
        nets = gates.wire("i"), gates.wire("o")
        return _judge(check_tables(layer, gates, nets, directory), placed, "netlist")

    yield Task(
        part=placed.name, claim="Verilog == tables", method=EVERY_INPUT, work=verilog_looks_up
    )
    yield Task(
        part=placed.name,
        claim=f"netlist of the layer alone ({board.family}) == tables",
        method=EVERY_INPUT,
        work=netlist_looks_up,
    )


def _judge(wrong: WrongEntry | None, placed: PlacedLayer, what: str) -> str:
    if wrong is None:
        return f"{placed.layer.luts} LUTs"
    raise NotEqual(
        f"The {what} of {placed.name} ({placed.module}) is not what was trained: LUT {wrong.lut} "
        f"gives {wrong.found} at address {wrong.address}, its table {wrong.trained}"
    )
