"""How many cycles an inference takes at least, whatever the schedule."""

from functools import singledispatch

from ..model.lut_pruning import prune
from ..model.network import Network
from ..model.network_file import StoredNetwork
from ..model.weightless_classifier import WeightlessClassifier
from .accelerator import attention_of, matvec_of, mlp_of
from .board_plan import BoardPlan
from .classifier_plan import ClassifierPlan
from .folded_lut_layers import FoldedShape
from .folded_tables import folded_tables
from .plan import Plan

__all__ = ["bound"]


@singledispatch
def bound(network: StoredNetwork, plan: BoardPlan) -> dict[str, int]:
    """Return the least cycles of each engine, and the largest of them as ``bound``.

    An engine cannot be faster than its operations over its operators, which is as fast as its
    memory feeds it: every engine reads one word of weights, keys or channels a cycle. No engine
    waits for another in this figure, so an inference can only come near it. Nothing is returned
    for a circuit that takes an input every cycle.
    """
    raise TypeError(f"{type(network).__name__} is of no known family")


@bound.register
def _(network: Network, plan: Plan) -> dict[str, int]:
    tokens, blocks = network.tokens, network.blocks
    matvec = matvec_of(network, plan)
    *layers, head = matvec.layers
    norms = 2 * len(blocks) * tokens + 1
    cycles = {
        "matvec": matvec.cycles(head) + tokens * sum(map(matvec.cycles, layers)),
        "attention": len(blocks) * attention_of(network, plan).cycles,
        "mlp": tokens * sum(mlp_of(network, plan).cycles),
        "layer_norm": norms * network.width,
        "patches": tokens * network.embedding.patch.columns,
    }
    return cycles | {"bound": max(cycles.values())}


@bound.register
def _(network: WeightlessClassifier, plan: ClassifierPlan) -> dict[str, int]:
    if plan.lanes == 0:
        return {}
    tables = folded_tables(prune(network), plan.lanes)
    cycles = {"tables": sum(FoldedShape(tuple(tables), plan.lanes).steps)}
    return cycles | {"bound": max(cycles.values())}
