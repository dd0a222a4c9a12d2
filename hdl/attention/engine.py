"""What all attention engines have in common: ports, and how a context goes on from job to job."""

from collections.abc import Iterable
from typing import Any, Generic, Protocol, TypeVar

from amaranth.hdl import Module, Signal, Value, signed
from amaranth.lib import stream
from amaranth.lib.wiring import In, Member

from ...model.arithmetic import ACTIVATION_BITS
from ..lib.engine import Engine
from .engine_config import AttentionEngineConfig

__all__ = ["AttentionEngine"]


Config = TypeVar("Config", bound=AttentionEngineConfig[Any])


class ContextPart(Protocol):
    """A part of an engine that keeps keys, values or both of all layers."""

    @property
    def layer(self) -> Signal:
        """Layer of the job."""
        ...

    @property
    def before(self) -> Signal:
        """Tokens of the context before the job's."""
        ...


class AttentionEngine(Engine, Generic[Config]):
    """Mix the values of tokens.

    Parameters
    ----------
    config : AttentionEngineConfig
    codes : bool
        Whether binary codes come in.

    Members
    -------
    job : In(stream.Signature(range(len(config.layers) + 1)))
        Layer of the tokens.
    before : In(range(config.max_before + 1))
        None without contexts of many jobs: tokens of the context before the job's; steady during
        it.
    codes : In(stream.Signature(1))
        None if it takes no ``codes``: bits of each token.
    values : In(stream.Signature(signed(8)))
        Elements of each token.
    o : Out(stream.Signature(signed(8)))
        Of each token: the mixed columns of each head.
    """

    before: Signal | None
    codes: stream.Interface | None
    values: stream.Interface

    def __init__(self, config: Config, *, codes: bool) -> None:
        self.config = config
        element = signed(ACTIVATION_BITS)
        inputs: dict[str, Member] = {"values": In(stream.Signature(element))}
        if codes:
            inputs["codes"] = In(stream.Signature(1))
        if config.context:
            inputs["before"] = In(range(config.max_before + 1))
        super().__init__(len(config.layers), element, inputs)
        if not codes:
            self.codes = None
        if not config.context:
            self.before = None

    @property
    def latency(self) -> int:
        """Cycles from the last value in to the first mixed value out, the job waiting."""
        raise NotImplementedError

    def admit(self, m: Module, source: stream.Interface, target: stream.Interface) -> None:
        """Lead an input to one of the engine's parts.

        In a context of many jobs what comes in belongs behind the tokens that its layer has, so it
        must wait until its job is at hand.
        """
        at_hand = self.job.valid if self.config.context else 1
        m.d.comb += [target.payload.eq(source.payload), target.valid.eq(source.valid & at_hand)]
        m.d.comb += source.ready.eq(target.ready & at_hand)

    def resume(self, m: Module, parts: Iterable[ContextPart]) -> None:
        """Tell the parts of the engine where in which layer's context the job's token stands."""
        if self.before is not None:
            for part in parts:
                m.d.comb += [part.before.eq(self.before), part.layer.eq(self.job.payload)]

    def tell_before(self, m: Module, tokens: Value) -> None:
        """Tell the engine how many tokens of the context came before the job's."""
        if self.before is not None:
            m.d.comb += self.before.eq(tokens)
