"""The sequencer: hands the instructions of a program to the engines."""

from collections.abc import Mapping, Sequence

from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .program import Instruction

__all__ = ["Sequencer"]


class Sequencer(wiring.Component):
    """Issue one instruction after the other, each to all of its engines.

    An instruction stays at hand until each of its engines has taken its job; an engine takes a job
    when it has finished the one before. So an instruction overlaps the ones before it wherever it
    uses other engines, and the data themselves make engines wait for each other.

    Parameters
    ----------
    program : sequence of Instruction
    engines : mapping of str to str
        Each engine's name, and the field of an instruction that says whether it takes part.
    blocks, vectors, layers : int
        Largest numbers in it, plus one.

    Members
    -------
    start : In(1)
        Run the program; looked at when the one before is done.
    done : In(1)
        The program's result is there.
    busy : Out(1)
    NAME : Out(stream.Signature(layout))
        For each engine: the instructions in which it takes part.
    """

    start: Signal
    done: Signal
    busy: Signal

    def __init__(
        self,
        program: Sequence[Instruction],
        engines: Mapping[str, str],
        *,
        blocks: int,
        vectors: int,
        layers: int,
    ) -> None:
        self.program, self.engines = tuple(program), dict(engines)
        self.layout = data.StructLayout(
            {
                "engines": len(engines),
                "embed": 1,
                "after_mlp": 1,
                "pool": 1,
                "to_mlp": 1,
                "layer": range(layers + 1),
                "vectors": range(vectors + 1),
                "block": range(blocks + 1),
            }
        )
        job = Out(stream.Signature(self.layout))
        members = {"start": In(1), "done": In(1), "busy": Out(1)}
        super().__init__(members | dict.fromkeys(engines, job))

    def _word(self, instruction: Instruction) -> data.Const:
        """Return the encoded instruction."""
        values = [getattr(instruction, field) for field in self.engines.values()]
        takes_part = [value is not None and value is not False for value in values]
        block = instruction.attention if instruction.attention is not None else instruction.mlp
        return self.layout.const(
            {
                "engines": sum(part << n for n, part in enumerate(takes_part)),
                "embed": instruction.write == "set",
                "after_mlp": instruction.read == "mlp",
                "pool": instruction.pool,
                "to_mlp": instruction.norm_to == "mlp",
                "layer": instruction.matvec or 0,
                "vectors": instruction.vectors or 0,
                "block": block or 0,
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        counter = Signal(range(len(self.program)))
        at_hand = Signal(self.layout)
        pending = Signal(len(self.engines))
        taken = Signal(len(self.engines))
        word = Signal(self.layout)

        with m.Switch(counter):
            for n, instruction in enumerate(self.program):
                with m.Case(n):
                    m.d.comb += word.eq(self._word(instruction))
        jobs = [getattr(self, name) for name in self.engines]
        for n, job in enumerate(jobs):
            m.d.comb += [job.valid.eq(pending[n]), job.payload.eq(at_hand)]
        m.d.comb += taken.eq(Cat(job.valid & job.ready for job in jobs))
        m.d.sync += pending.eq(pending & ~taken)
        with m.FSM(name="sequence"):
            with m.State("idle"):
                m.d.sync += counter.eq(0)
                with m.If(self.start):
                    m.next = "issue"
            with m.State("issue"):
                m.d.comb += self.busy.eq(1)
                with m.If((pending & ~taken) == 0):
                    m.d.sync += [at_hand.eq(word), pending.eq(word.engines)]
                    m.d.sync += counter.eq(counter + 1)
                    with m.If(counter == len(self.program) - 1):
                        m.next = "wait"
            with m.State("wait"):
                m.d.comb += self.busy.eq(1)
                with m.If(self.done):
                    m.next = "idle"
        return m
