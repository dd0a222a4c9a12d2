"""The least cycles of an inference under any schedule."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from ...model.network.gpt import Gpt
from ...model.network.transformer import Transformer
from ...model.network.vit import Network
from ..plan.plan import Plan
from ..transformer.engines import attention_of, coder_of, matvec_of, mlp_of
from ..transformer.passes import passes

__all__ = ["bound", "pass_cycles"]

ENGINES = ("embedding", "matvec", "attention", "mlp", "layer_norm")
"""Of a decoder."""


@singledispatch
def bound(network: Transformer, plan: Plan) -> dict[str, int]:
    """Return the least cycles of each engine, and the ``bound`` that follows from them.

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
        "patches": tokens * network.embedding.patch.in_features,
    }
    return cycles | {"bound": max(cycles.values())}


@bound.register
def _(network: Gpt, plan: Plan) -> dict[str, int]:
    cycles: dict[str, int] = {name: 0 for name in ENGINES}
    for pace in _paces(network, plan):
        cycles[pace.engine] += pace.cycles
    return cycles | {"bound": sum(cycles.values())}


def pass_cycles(network: Gpt, plan: Plan) -> dict[str, int]:
    """Return the least cycles of each pass of a token, in order; their sum is the bound.

    A pass that reads the residual stream has the layer norm before it.
    """
    cycles: dict[str, int] = {}
    for pace in _paces(network, plan):
        cycles[pace.name] = cycles.get(pace.name, 0) + pace.cycles
    return cycles


@dataclass(frozen=True)
class _Pace:
    """Cycles that a pass of a token spends in an engine at least."""

    name: str
    engine: str
    cycles: int


def _paces(network: Gpt, plan: Plan) -> Iterator[_Pace]:
    matvec, coder = matvec_of(network, plan), coder_of(network, plan)
    attention, mlp, width = attention_of(network, plan), mlp_of(network, plan), network.width
    yield _Pace("embed", "embedding", width)
    for step, layer in zip(passes(network), matvec.layers, strict=True):
        block, pace = step.block or 0, matvec.cycles(layer)
        if coder is not None and step.raw_to == "codes":
            pace = max(pace, coder.cycles(coder.layers[block]))
        if step.source == "norm":
            yield _Pace(step.name, "layer_norm", width)
        if step.source == "attention":
            yield _Pace(f"attention {block}", "attention", attention.mixing_cycles)
        yield _Pace(step.name, "matvec", pace)
        if step.source == "attention" and mlp.adds:
            yield _Pace(f"mlp {block}", "layer_norm", width)
            yield _Pace(f"mlp {block}", "mlp", mlp.cycles[block])
