"""A circuit around the core that records what is written to the residual stream.

Reading the record page by page costs a bench some hundred accesses for an image, where watching
every cycle would cost it thousands.
"""

from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..model.arithmetic import RESIDUAL_BITS

__all__ = ["PAGE", "Recorder"]

PAGE = 64  # values that are read at once


class Recorder(wiring.Component):
    """The module ``lutformer_core`` and a memory for each writer's values.

    Parameters
    ----------
    linear_values, mlp_values : int
        Values of an inference.

    Members
    -------
    i, abort, o, busy
        The core's.
    clear : In(1)
        Begin a new record.
    page : In(...)
        Page to be read.
    linear, mlp : Out(PAGE * 16)
        The page's values of each writer.
    linear_count, mlp_count : Out(32)
        Values recorded.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    busy: Signal
    clear: Signal
    page: Signal

    def __init__(self, *, linear_values: int, mlp_values: int) -> None:
        self.values = {"linear": linear_values, "mlp": mlp_values}
        pages = -(-max(self.values.values()) // PAGE)
        record = {name: Out(PAGE * RESIDUAL_BITS) for name in self.values}
        counts = {f"{name}_count": Out(32) for name in self.values}
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "o": Out(stream.Signature(8)),
                "busy": Out(1),
                "clear": In(1),
                "page": In(range(pages + 1)),
            }
            | record
            | counts
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        written = Signal(2 + RESIDUAL_BITS)  # valid, mlp, value
        m.submodules.core = Instance(
            "lutformer_core",
            i_clk=ClockSignal(),
            i_rst=ResetSignal(),
            i_i__payload=self.i.payload,
            i_i__valid=self.i.valid,
            o_i__ready=self.i.ready,
            i_abort=self.abort,
            o_o__payload=self.o.payload,
            o_o__valid=self.o.valid,
            i_o__ready=self.o.ready,
            o_busy=self.busy,
            o_written=written,
        )
        for name in self.values:
            mine = written[0] & (written[1] == (name == "mlp"))
            self._record(m, name, mine, written[2:])
        return m

    def _record(self, m: Module, name: str, valid: Value, value: Value) -> None:
        pages = -(-self.values[name] // PAGE)
        count = getattr(self, f"{name}_count")
        m.submodules[name] = memory = Memory(
            shape=unsigned(PAGE * RESIDUAL_BITS), depth=max(2, pages), init=[]
        )
        write, read = memory.write_port(granularity=RESIDUAL_BITS), memory.read_port(domain="comb")
        place = PAGE.bit_length() - 1
        m.d.comb += [write.addr.eq(count >> place), write.data.eq(value.replicate(PAGE))]
        m.d.comb += write.en.eq((valid & (count < self.values[name])) << count[:place])
        m.d.comb += [read.addr.eq(self.page), getattr(self, name).eq(read.data)]
        with m.If(self.clear):
            m.d.sync += count.eq(0)
        with m.Elif(valid):
            m.d.sync += count.eq(count + 1)
