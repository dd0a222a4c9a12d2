"""A circuit around the core that records its verification ports.

Reading the record page by page costs a bench some hundred accesses for an image or a request,
where watching every cycle would cost it thousands.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import ClockSignal, Instance, Module, ResetSignal, Signal, Value, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from ..hdl.core.top import CORE
from ..hdl.lib.verilog import Wire, emit
from .runner import Simulator, Waves, simulate_verilog

__all__ = ["PAGE", "Record", "Recorder", "Watched", "simulate_recorded"]

PAGE = 64  # values that are read at once


@dataclass(frozen=True, kw_only=True)
class Record:
    """Room for values that come one at a time."""

    width: int  # bits of a value
    values: int


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A value of the core, and when it counts."""

    valid: Value
    value: Value


class Recorder(wiring.Component):
    """The module ``lutformer_core`` and a memory for each kind of values.

    Parameters
    ----------
    records : mapping of str to Record

    Members
    -------
    i, abort, o, busy
        The core's.
    clear : In(1)
        Begin a new record.
    page : In(...)
        Page to be read.
    NAME : Out(PAGE * width), for each record
        The page's values, signed ones as they are.
    NAME_count : Out(32)
        Values recorded.
    """

    i: stream.Interface
    abort: Signal
    o: stream.Interface
    busy: Signal
    clear: Signal
    page: Signal

    def __init__(self, records: Mapping[str, Record]) -> None:
        self.records = dict(records)
        pages = max(map(_pages, self.records.values()))
        pages_of = {name: Out(PAGE * record.width) for name, record in self.records.items()}
        counts = {f"{name}_count": Out(32) for name in self.records}
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "abort": In(1),
                "o": Out(stream.Signature(8)),
                "busy": Out(1),
                "clear": In(1),
                "page": In(range(pages + 1)),
            }
            | pages_of
            | counts
        )

    @abstractmethod
    def watch(self, m: Module) -> tuple[dict[str, Any], dict[str, Watched]]:
        """Return the core's further ports, and what is to be recorded by name."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports, watched = self.watch(m)
        m.submodules.core = Instance(
            CORE,
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
            **ports,
        )
        for name, record in self.records.items():
            self._record(m, name, record, watched[name])
        return m

    def _record(self, m: Module, name: str, record: Record, watched: Watched) -> None:
        count = getattr(self, f"{name}_count")
        m.submodules[name] = memory = Memory(
            shape=unsigned(PAGE * record.width), depth=max(2, _pages(record)), init=[]
        )
        write, read = memory.write_port(granularity=record.width), memory.read_port(domain="comb")
        value = Signal(record.width, name=f"{name}_value")
        place = PAGE.bit_length() - 1
        m.d.comb += value.eq(watched.value)
        m.d.comb += [write.addr.eq(count >> place), write.data.eq(value.replicate(PAGE))]
        m.d.comb += write.en.eq((watched.valid & (count < record.values)) << count[:place])
        m.d.comb += [read.addr.eq(self.page), getattr(self, name).eq(read.data)]
        with m.If(self.clear):
            m.d.sync += count.eq(0)
        with m.Elif(watched.valid):
            m.d.sync += count.eq(count + 1)


def simulate_recorded(
    verilog: Path,
    recorder: Recorder,
    *,
    test_file: Path,
    output: Path,
    simulator: Simulator,
    config: object,
    waves: Waves,
    wires: Sequence[Wire] = (),
) -> dict[str, NDArray[Any]]:
    """Run a bench on a core inside its recorder; return the arrays that the bench has written.

    Parameters
    ----------
    verilog : Path
        With the module :data:`CORE`.
    recorder : Recorder
    test_file, simulator, config, waves
        See :func:`lutformer.sim.runner.simulate_verilog`.
    wires : sequence of Wire
        Of the core, for the bench to watch.
    output : Path
        The .npz file that the bench writes; everything else lies beside it.
    """
    output.unlink(missing_ok=True)
    source = output.with_name("recorder.v")
    source.write_text(emit(recorder, top="recorder"))
    simulate_verilog(
        [verilog, source],
        top="recorder",
        test_file=test_file,
        build_dir=output.parent,
        simulator=simulator,
        config=config,
        waves=waves,
        inner=[(".".join((CORE, *path)), wire) for *path, wire in wires],
    )
    with np.load(output) as simulated:
        return dict(simulated)


def _pages(record: Record) -> int:
    return -(-record.values // PAGE)
