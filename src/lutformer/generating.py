"""From the network to Verilog in a build directory."""

from functools import singledispatch
from pathlib import Path

from pydantic import BaseModel

from .errors import UsageError
from .model.gpt import Gpt
from .model.network import Network
from .model.network_file import StoredNetwork, load_network
from .model.weightless_classifier import WeightlessClassifier
from .workspace import Workspace, writable

__all__ = ["generate_verilog"]


def generate_verilog(
    network_file: Path,
    board_name: str,
    directory: Path,
    *,
    plan_file: Path | None = None,
    core: bool = False,
) -> tuple[Workspace, BaseModel]:
    """Plan the circuit of a network for a board and write its Verilog to ``directory``.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    network = load_network(network_file)
    workspace = Workspace(directory)
    plan = _generate(network, board_name, directory, plan_file, core)
    (workspace.top if core else workspace.core).unlink(missing_ok=True)  # of an earlier plan
    return workspace, plan


@singledispatch
def _generate(
    network: StoredNetwork, board_name: str, directory: Path, plan_file: Path | None, core: bool
) -> BaseModel:
    """Write the Verilog of a family of networks; return its plan."""
    raise UsageError(f"There is no hardware for a {type(network).__name__}")


@_generate.register
def _(
    network: Network, board_name: str, directory: Path, plan_file: Path | None, core: bool
) -> BaseModel:
    from .boards.board import board
    from .hdl.generate import generate
    from .hdl.plan import read_overrides
    from .hdl.planner import make_plan

    overrides = None if plan_file is None else read_overrides(plan_file)
    plan = make_plan(network, board(board_name), overrides)
    generate(network, plan, writable(directory), core=core)
    return plan


@_generate.register
def _(
    network: Gpt, board_name: str, directory: Path, plan_file: Path | None, core: bool
) -> BaseModel:
    from .boards.board import board
    from .hdl.generate_decoder import generate_decoder
    from .hdl.plan import read_overrides
    from .hdl.planner import make_plan

    overrides = None if plan_file is None else read_overrides(plan_file)
    plan = make_plan(network, board(board_name), overrides)
    if not core:
        raise UsageError("A decoder has no board top yet: add --core")
    generate_decoder(network, plan, writable(directory))
    return plan


@_generate.register
def _(
    network: WeightlessClassifier,
    board_name: str,
    directory: Path,
    plan_file: Path | None,
    core: bool,
) -> BaseModel:
    from .boards.board import board
    from .hdl.classifier_plan import ClassifierPlan
    from .hdl.generate_classifier import generate_classifier
    from .hdl.plan import read_overrides

    board(board_name)  # its name is checked; the circuit is the same on every board
    if not core:
        raise UsageError("A weightless classifier has no board top yet: add --core")
    overrides = {} if plan_file is None else read_overrides(plan_file, ClassifierPlan)
    plan = ClassifierPlan(**overrides)
    generate_classifier(network, plan, writable(directory))
    return plan
