"""A decoder behind byte streams: requests of one size in, replies of one size out."""

from typing import Any

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...model.link.text_link import ANSWER, HEADER_BYTES, REPLY_BYTES, REQUEST_BYTES, SLOTS, Status
from ...model.network.gpt import Gpt
from ...model.sampling import SEED_BITS
from ..lib.arithmetic import select
from ..lib.memory import block_memory
from ..plan.plan import Plan
from ..transformer.decoder import CYCLE_BITS, Decoder
from ..transformer.passes import context

__all__ = ["DecoderCore"]

TOKEN_BITS = 16


class DecoderCore(wiring.Component):
    """Take in tokens, and choose those that follow, as bytes.

    Requests and replies are those of :mod:`lutformer.model.link.text_link`; the core acts on a
    request when its last byte has come. It refuses what the decoder must not be asked, so nothing
    that comes in can lock it up. A request whose turn is that of the last one done is that one
    again:
    its reply was lost, and is repeated.

    From the last byte of a request for tokens to the first of its reply takes :attr:`latency`
    cycles more than the reply says.

    Parameters
    ----------
    network : Gpt
    plan : Plan

    Members
    -------
    i : In(stream.Signature(8))
        Requests.
    abort : In(1)
        Forget the bytes of an unfinished request.
    o : Out(stream.Signature(8))
        Replies.
    busy : Out(1)
    logits, written : Out(Signature(valid, payload))
        See :class:`Decoder`.
    """

    latency = 4

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    busy: Signal
    logits: Any
    written: Any

    def __init__(self, network: Gpt, plan: Plan) -> None:
        self.network, self.plan = network, plan
        self.decoder = Decoder(network, plan)
        watched = ("logits", "written")
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "o": Out(stream.Signature(8)),
                "busy": Out(1),
            }
            | {name: self.decoder.signature.members[name] for name in watched}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self.decoder
        m.submodules.slots = slots = block_memory(shape=unsigned(8), depth=2 * SLOTS)
        m.submodules.chosen = chosen = block_memory(shape=unsigned(TOKEN_BITS), depth=SLOTS)
        self._slot, self._chosen = slots.read_port(), chosen.read_port()
        self._header = Signal(_header())
        self._status, self._count = Signal(Status), Signal(range(SLOTS + 1))
        self._turn = Signal()
        for name in ("logits", "written"):
            ours, theirs = getattr(self, name), getattr(decoder, name)
            m.d.comb += [ours.valid.eq(theirs.valid), ours.payload.eq(theirs.payload)]
        m.d.comb += decoder.o.ready.eq(1)
        write = chosen.write_port()
        m.d.comb += [write.addr.eq(self._count), write.data.eq(decoder.o.p.token)]
        m.d.comb += write.en.eq(decoder.o.valid)
        with m.If(decoder.o.valid):
            m.d.sync += self._count.eq(self._count + 1)
        self._act(m, slots.write_port())
        return m

    def _act(self, m: Module, write: Any) -> None:
        """Receive a request, do it, reply."""
        decoder, header = self.decoder, self._header
        at = Signal(range(max(REQUEST_BYTES, REPLY_BYTES)))
        low = Signal(8)
        step = Signal()
        running = Signal()
        slot = at - HEADER_BYTES
        stored = decoder.store is not None

        m.d.comb += [self.busy.eq(1), write.addr.eq(slot), write.data.eq(self.i.payload)]
        m.d.comb += [self._slot.addr.eq(at), self._chosen.addr.eq((at - ANSWER.size) >> 1)]
        m.d.comb += decoder.i.payload.eq(Cat(low, self._slot.data))
        self._job(m)
        m.d.comb += decoder.job.valid.eq(running)
        with m.If(decoder.job.ready):
            m.d.sync += running.eq(0)
        with m.FSM(name="request"):
            with m.State("receive"):
                m.d.comb += [self.i.ready.eq(1), self.busy.eq(0)]
                m.d.comb += step.eq(self.i.valid)
                m.d.comb += write.en.eq(step & (at >= HEADER_BYTES))
                with m.If(step & (at < HEADER_BYTES)):
                    m.d.sync += header.eq(Cat(header, self.i.payload)[8:])
                with m.If(step):
                    m.d.sync += at.eq(at + 1)
                with m.If(self.abort):
                    m.d.sync += at.eq(0)
                with m.If(step & (at == REQUEST_BYTES - 1)):
                    m.d.sync += at.eq(0)
                    m.next = "check"
            with m.State("check"):
                m.d.sync += self._status.eq(Status.DONE)
                m.next = "reply"
                with m.If(header.turn != self._turn):
                    m.d.sync += [self._status.eq(self._verdict()), self._count.eq(0)]
                    with m.If(self._verdict() == Status.DONE):
                        m.d.sync += self._turn.eq(header.turn)
                        m.d.sync += running.eq(1)
                        m.next = "low"
                        with m.If(header.load):
                            m.d.sync += running.eq(0)
                            m.next = "load"
            with m.State("load"):
                if stored:
                    m.d.comb += decoder.reload.eq(header.reload & (at == 0))
                m.next = "byte"
            with m.State("byte"):
                if stored:
                    m.d.comb += [decoder.load.valid.eq(1), decoder.load.payload.eq(self._slot.data)]
                m.d.sync += at.eq(at + 1)
                m.next = "next"
                with m.If(at == header.items - 1):
                    m.d.sync += at.eq(0)
                    m.next = "reply"
            with m.State("next"):
                m.next = "byte"
            with m.State("low"):  # its first byte is read
                m.d.sync += at.eq(at + 1)
                m.next = "high"
            with m.State("high"):
                m.d.sync += low.eq(self._slot.data)
                m.next = "token"
            with m.State("token"):
                m.d.comb += decoder.i.valid.eq(1)
                with m.If(decoder.i.ready):
                    m.d.sync += at.eq(at + 1)
                    m.next = "low"
                with m.If(decoder.i.ready & (at[1:] == header.items - 1)):
                    m.d.sync += at.eq(0)
                    m.next = "run"
            with m.State("run"), m.If(decoder.job.ready):
                m.next = "reply"
            with m.State("reply"):  # a byte of the memory is read
                m.next = "send"
            with m.State("send"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready):
                    m.d.sync += at.eq(at + 1)
                    m.next = "reply"
                with m.If(self.o.ready & (at == REPLY_BYTES - 1)):
                    m.d.sync += at.eq(0)
                    m.next = "receive"
        m.d.comb += self.o.payload.eq(self._reply(at))

    def _job(self, m: Module) -> None:
        """Send the header's job to the decoder."""
        job, header = self.decoder.job.p, self._header
        m.d.comb += [job.reset.eq(header.reset), job.reseed.eq(header.reseed)]
        m.d.comb += [job.prompt.eq(header.items), job.count.eq(header.count)]
        m.d.comb += [job.temperature.eq(header.temperature), job.top_k.eq(header.top_k)]
        m.d.comb += job.seed.eq(header.seed)

    def _verdict(self) -> Value:
        """Return whether the decoder can execute the header's request."""
        header, decoder = self._header, self.decoder
        loaded = decoder.loaded if decoder.store is not None else Const(1)
        size = context(self.network)
        before = Mux(header.reset, 0, decoder.place)
        after = before + header.items + Mux(header.count == 0, 0, header.count - 1)
        full = Const(0) if self.network.endless else after > size
        refused = (header.items == 0) | (header.items > SLOTS) | (header.count > SLOTS)
        verdict = Mux(full, Status.FULL.value, Status.DONE.value)
        verdict = Mux(refused, Status.REFUSED.value, verdict)
        verdict = Mux(~loaded, Status.NOT_LOADED.value, verdict)
        if decoder.store is None:
            return Mux(header.load, Status.REFUSED.value, verdict)
        fits = (header.items != 0) & (header.items <= 2 * SLOTS) & (~loaded | header.reload)
        loading = Mux(fits, Status.DONE.value, Status.REFUSED.value)
        return Mux(header.load, loading, verdict)

    def _reply(self, at: Signal) -> Value:
        """Return the reply's byte at a place."""
        cycles = self.decoder.cycles
        place = self.decoder.place | Const(0, 16)
        status = Cat(self._status, Const(0, 7))[:7]
        head = [Cat(status, self._turn), self._count, place[:8], place[8:]]
        head += [cycles[n : n + 8] for n in range(0, CYCLE_BITS, 8)]
        token = self._chosen.data
        body = Mux(at[0], token[8:], token[:8])  # the head has an even number of bytes
        known = (at - ANSWER.size) >> 1 < self._count
        return Mux(at < ANSWER.size, select(head, at[:3]), Mux(known, body, 0))


def _header() -> data.StructLayout:
    """Return the header of a request, as ``text_link.HEADER`` packs it."""
    return data.StructLayout(
        {
            "reset": 1,
            "reseed": 1,
            "load": 1,
            "reload": 1,
            "turn": 1,
            "spare": 3,
            "items": 8,
            "count": 8,
            "temperature": 16,
            "top_k": 16,
            "seed": SEED_BITS,
        }
    )
