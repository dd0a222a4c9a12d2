"""What the families of transformers have in common: plan, proofs, bound, random blocks."""

from abc import ABC
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

from ..model.config.transformer import BlockConfig
from ..model.network.transformer import Transformer
from ..testing.random_network import BlockShape
from .family import AnyConfig, AnyData, Family

if TYPE_CHECKING:
    from ..boards.board import Board
    from ..hdl.plan.plan import Plan
    from ..proofs.claims import Task
    from ..workspace import Workspace

__all__ = ["TransformerFamily", "common_fields"]

AnyTransformer = TypeVar("AnyTransformer", bound=Transformer)


class TransformerFamily(Family[AnyTransformer, AnyConfig, AnyData], ABC):
    """A family of transformers."""

    def plan_class(self) -> "type[Plan]":
        from ..hdl.plan.plan import Plan

        return Plan

    def make_plan(
        self, network: AnyTransformer, board: "Board", overrides: dict[str, Any], *, core: bool
    ) -> "Plan":
        from ..hdl.planner.planner import make_plan

        return make_plan(network, board, overrides)

    def proof_tasks(self, network: AnyTransformer, workspace: "Workspace") -> "Iterator[Task]":
        from ..proofs.board_proof import board_task
        from ..proofs.layer_proofs import layer_tasks

        yield from layer_tasks(network, workspace)
        yield board_task(workspace)

    def bound(self, network: AnyTransformer, plan: Any, *, core: bool) -> dict[str, int]:
        from ..hdl.planner.bound import bound

        return bound(network, plan)


def common_fields(config: BlockConfig, shape: type[BlockShape]) -> dict[str, Any]:
    """Return the fields that a configuration and a random network's shape have in common."""
    names = {f.name for f in fields(shape)} & {f.name for f in fields(config)}
    common = {name: getattr(config, name) for name in names} | {"kind": config.weights}
    return common | ({"hash": "linear"} if config.form == "and" else {})
