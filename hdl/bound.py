"""How many cycles an inference takes at least, whatever the schedule."""

from ..model.network import Network
from .engines import attention_of, matvec_of, mlp_of
from .plan import Plan

__all__ = ["bound"]


def bound(network: Network, plan: Plan) -> dict[str, int]:
    """Return the least cycles of each engine, and the largest of them as ``bound``.

    An engine cannot be faster than its operations over its operators, which is as fast as its
    memory feeds it: every engine reads one word of weights, keys or channels a cycle. No engine
    waits for another in this figure, so an inference can only come near it.
    """
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
