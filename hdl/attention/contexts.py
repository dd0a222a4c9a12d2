"""How attention engines that keep keys and values go on with a context, in hardware."""

from collections.abc import Iterable
from typing import Any

from amaranth.hdl import Module
from amaranth.lib import stream

__all__ = ["admit", "resume"]


def admit(m: Module, engine: Any, source: stream.Interface, target: stream.Interface) -> None:
    """Lead an engine's input to one of its parts.

    In a context of many jobs what comes in belongs behind the tokens that its layer has, so it must
    wait until its job is at hand.
    """
    at_hand = engine.job.valid if engine.config.context else 1
    m.d.comb += [target.payload.eq(source.payload), target.valid.eq(source.valid & at_hand)]
    m.d.comb += source.ready.eq(target.ready & at_hand)


def resume(m: Module, engine: Any, parts: Iterable[Any]) -> None:
    """Tell the parts of an engine where in which layer's context the job's token stands."""
    if engine.config.context:
        for part in parts:
            m.d.comb += [part.before.eq(engine.before), part.layer.eq(engine.job.payload)]
