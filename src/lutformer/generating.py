"""From the network to Verilog in a build directory."""

from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .model.network.gpt import Gpt
from .model.network.network_file import load_network
from .model.network.stored_network import StoredNetwork
from .model.network.vit import Network
from .model.network.weightless_classifier import WeightlessClassifier
from .planning import plan_for
from .workspace import Workspace, writable, write_text

if TYPE_CHECKING:
    from .hdl.plan.board_plan import BoardPlan

__all__ = ["generate_verilog"]


def generate_verilog(
    network_file: Path,
    board_name: str,
    directory: Path,
    *,
    plan_file: Path | None = None,
    core: bool = False,
) -> tuple[Workspace, "BoardPlan"]:
    """Plan the circuit of a network for a board and write its Verilog to ``directory``.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    network = load_network(network_file)
    workspace = Workspace(directory)
    plan = plan_for(network, board_name, plan_file, core=core)
    _generate(network, plan, writable(directory), core)
    for file in [workspace.top] if core else [workspace.core, *workspace.beside_core]:
        file.unlink(missing_ok=True)  # of an earlier plan
    _keep(board_name, workspace)
    workspace.write(workspace.generation, {"verilog": workspace.digest(), "network": network.hash})
    return workspace, plan


def _keep(board_name: str, workspace: Workspace) -> None:
    """Keep the board beside its Verilog if it is not the package's, which knows its own."""
    from .boards.board import board

    workspace.board_file.unlink(missing_ok=True)
    if board_name.endswith(".py"):
        write_text(workspace.board_file, board(board_name).model_dump_json(indent=2) + "\n")


@singledispatch
def _generate(network: StoredNetwork, plan: Any, directory: Path, core: bool) -> None:
    """Write the Verilog of a family of networks."""
    raise UsageError(f"There is no hardware for a {type(network).__name__}")


@_generate.register
def _(network: Network, plan: Any, directory: Path, core: bool) -> None:
    from .hdl.core.generate import generate

    generate(network, plan, directory, core=core)


@_generate.register
def _(network: Gpt, plan: Any, directory: Path, core: bool) -> None:
    from .hdl.core.generate_decoder import generate_decoder

    generate_decoder(network, plan, directory, core=core)


@_generate.register
def _(network: WeightlessClassifier, plan: Any, directory: Path, core: bool) -> None:
    from .hdl.core.generate_classifier import generate_classifier

    generate_classifier(network, plan, directory, core=core)
