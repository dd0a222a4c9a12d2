"""The plan of each family of networks."""

from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .model.network.stored_network import StoredNetwork
from .model.network.transformer import Transformer
from .model.network.weightless_classifier import WeightlessClassifier

if TYPE_CHECKING:
    from .boards.board import Board
    from .hdl.plan.board_plan import BoardPlan
    from .hdl.plan.classifier_plan import ClassifierPlan
    from .hdl.plan.plan import Plan

__all__ = ["plan_for", "read_plan"]


def plan_for(
    network: StoredNetwork, board_name: str, plan_file: Path | None, *, core: bool
) -> "BoardPlan":
    """Return the plan of a network's core, or of its board top, for a board.

    Fields that ``plan_file`` (TOML) sets are not the planner's to choose.
    """
    from .boards.board import board
    from .hdl.plan.plan import read_overrides

    target = board(board_name)
    overrides = {} if plan_file is None else read_overrides(plan_file, _kind(network))
    return _plan(network, target, overrides, core)


def read_plan(network: StoredNetwork, text: bytes) -> "BoardPlan":
    """Read a plan of the network's family; ``ValidationError`` if it is none."""
    return _kind(network).model_validate_json(text)


@singledispatch
def _kind(network: StoredNetwork) -> "type[BoardPlan]":
    """Return the plan class of that family."""
    raise UsageError(f"There is no hardware for a {type(network).__name__}")


@_kind.register(Transformer)
def _(network: Transformer) -> "type[Plan]":
    from .hdl.plan.plan import Plan

    return Plan


@_kind.register(WeightlessClassifier)
def _(network: WeightlessClassifier) -> "type[ClassifierPlan]":
    from .hdl.plan.classifier_plan import ClassifierPlan

    return ClassifierPlan


@singledispatch
def _plan(
    network: StoredNetwork, board: "Board", overrides: dict[str, Any], core: bool
) -> "BoardPlan":
    """Choose the plan fields that ``overrides`` leave open."""
    raise UsageError(f"There is no hardware for a {type(network).__name__}")


@_plan.register(Transformer)
def _(network: Transformer, board: "Board", overrides: dict[str, Any], core: bool) -> "Plan":
    from .hdl.planner.planner import make_plan

    return make_plan(network, board, overrides)


@_plan.register(WeightlessClassifier)
def _(
    network: WeightlessClassifier, board: "Board", overrides: dict[str, Any], core: bool
) -> "ClassifierPlan":
    from .hdl.planner.classifier_planner import make_classifier_plan

    return make_classifier_plan(network, board, overrides, core=core)
