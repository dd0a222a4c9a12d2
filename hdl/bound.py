"""How many cycles an inference takes at least, whatever the schedule."""

from functools import singledispatch

from ..model.gpt import Gpt
from ..model.network import Network
from ..model.transformer import Transformer
from .engines import attention_of, coder_of, matvec_of, mlp_of
from .mlp import WeightlessConfig
from .passes import passes
from .plan import Plan

__all__ = ["bound"]


@singledispatch
def bound(network: Transformer, plan: Plan) -> dict[str, int]:
    """Return the least cycles of each engine, and what they come to as ``bound``.

    An engine cannot be faster than its operations over its operators, which is as fast as its
    memory feeds it: every engine reads one word of weights, keys or channels a cycle.

    Where tokens come together, engines work on different ones at a time, and the bound is the
    largest of their figures. No engine waits for another in it, so an inference can only come near
    it. A decoder has one token, whose passes need each all that the one before makes: there the
    bound is the sum of the passes, each at its slowest engine's pace, without what latencies add.
    """
    raise TypeError(f"{type(network).__name__} has no hardware")


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
def _(network: Gpt, plan: Plan) -> dict[str, int]:
    matvec, coder = matvec_of(network, plan), coder_of(network, plan)
    attention, mlp, width = attention_of(network, plan), mlp_of(network, plan), network.width
    cycles = {
        "embedding": width,
        "matvec": 0,
        "attention": len(network.blocks) * attention.mixing_cycles,
        "mlp": sum(mlp.cycles) if isinstance(mlp, WeightlessConfig) else 0,
        "layer_norm": (2 * len(network.blocks) + 1) * width,
    }
    for step, layer in zip(passes(network), matvec.layers, strict=True):
        pace = matvec.cycles(layer)
        if coder is not None and step.raw_to == "codes":
            pace = max(pace, coder.cycles(coder.layers[step.block or 0]))
        cycles["matvec"] += pace
    return cycles | {"bound": sum(cycles.values())}
