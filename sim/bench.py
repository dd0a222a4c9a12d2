"""Cocotb helpers: clock and reset, stream drivers, the stream rules, latency in clock cycles.

One coroutine serves every stream of a bench. In the low half of each clock cycle all agents drive,
then the values settle (``ReadOnly``), then all agents look: what they see is exactly what the
registers of the circuit see at the next rising edge, with any simulator.
"""

import random
from collections import deque
from collections.abc import Callable, Iterable, Sized
from typing import Any, Protocol

from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, First, ReadOnly, Timer
from cocotb.utils import get_sim_time

from .runner import ports_from_env

__all__ = ["Agent", "Bench", "Monitor", "Sink", "Source", "StreamRuleBroken", "run_stream"]

PERIOD_NS = 10
RESET_CYCLES = 3
SETTLE = 16  # least number of cycles after the last word in which no further word may come


class StreamRuleBroken(AssertionError):
    """A stream withdrew an offer, changed it while stalled, or broke its frames."""


class Agent(Protocol):
    """Something that a :class:`Bench` serves in every cycle."""

    @property
    def name(self) -> str:
        """The name in the message of a bench that is stuck."""
        ...

    @property
    def words(self) -> Sized:
        """The words transferred so far."""
        ...

    def drive(self, cycle: int) -> None:
        """Set inputs of the circuit for this cycle."""

    def look(self, cycle: int) -> bool:
        """Read the settled values; return whether something was transferred."""
        ...


class Monitor:
    """Watches one stream: collects its words and holds it to the rules of ``amaranth.lib.stream``.

    Parameters
    ----------
    dut : cocotb handle
        Top of the design.
    name : str
        The stream: its ports are ``<name>__payload``, ``<name>__valid`` and ``<name>__ready``.
    first, last : int, optional
        Bits of the payload which mark the first and the last word of a frame.
    signed : bool, optional
        How to read the payload; by default as the component's signature says.

    Attributes
    ----------
    words : list of int
        The payloads transferred.
    times : list of int
        The cycle of each transfer.
    offered : list of int
        The cycle in which each word was valid for the first time.
    """

    def __init__(
        self,
        dut: Any,
        name: str,
        *,
        first: int | None = None,
        last: int | None = None,
        signed: bool | None = None,
    ) -> None:
        self.name = name
        self.valid = getattr(dut, f"{name}__valid")
        self.ready: Any = getattr(dut, f"{name}__ready", None)  # missing: always ready
        self.payload = getattr(dut, f"{name}__payload", None)  # missing: no bits
        self.width = 0 if self.payload is None else len(self.payload)
        port = ports_from_env().get(f"{name}__payload", {})
        self.signed = bool(port.get("signed")) if signed is None else signed
        self.first, self.last = first, last
        self.words: list[int] = []
        self.times: list[int] = []
        self.offered: list[int] = []
        self._held: int | None = None  # the word offered and not yet taken
        self._moved = False
        self._inside = False  # between the first and the last word of a frame

    def drive(self, cycle: int) -> None:
        """Drive nothing: the circuit drives both sides of a stream that is only watched."""

    def dormant(self) -> list[Any] | None:
        """Return the triggers of which one must fire before there is anything to do here.

        None means that every cycle matters.
        """
        if self._moved:
            return None
        handles = (
            (self.valid, self.ready, self.payload) if self._held is not None else (self.valid,)
        )
        return [handle.value_change for handle in handles if handle is not None]

    def look(self, cycle: int) -> bool:
        """Apply the rules to the settled values; return whether a word was transferred."""
        valid = self._bit(self.valid, "valid", cycle)
        if self._held is not None and not valid:
            raise self._broken(cycle, f"withdrew {self._held:#x} before it was taken")
        if not valid:
            self._moved = False
            return False
        ready = self.ready is None or self._bit(self.ready, "ready", cycle)
        word = self._word(cycle)
        if self._held is None:
            self.offered.append(cycle)
        elif word != self._held:
            raise self._broken(cycle, f"changed {self._held:#x} to {word:#x} while stalled")
        self._held = None if ready else word
        self._moved = ready
        if ready:
            self._frame(word, cycle)
            self.words.append(self._signed(word))
            self.times.append(cycle)
        return ready

    def _frame(self, word: int, cycle: int) -> None:
        if self.first is not None and bool(word >> self.first & 1) == self._inside:
            where = "inside" if self._inside else "outside"
            raise self._broken(cycle, f"has first={word >> self.first & 1} {where} a frame")
        self._inside = self.last is None or not word >> self.last & 1

    def _bit(self, handle: Any, role: str, cycle: int) -> bool:
        level = str(handle.value)
        if level not in ("0", "1"):
            raise self._broken(cycle, f"has {role}={level}")
        return level == "1"

    def _word(self, cycle: int) -> int:
        if self.payload is None:
            return 0
        bits = str(self.payload.value)  # as a string: five times faster than one object a bit
        try:
            return int(bits, 2)
        except ValueError:
            raise self._broken(cycle, f"offers the undefined payload {bits}") from None

    def _signed(self, word: int) -> int:
        negative = self.signed and word >> (self.width - 1) & 1
        return word - (1 << self.width) if negative else word

    def _broken(self, cycle: int, what: str) -> StreamRuleBroken:
        count = len(self.words)
        return StreamRuleBroken(f"Stream {self.name!r}, cycle {cycle}, after {count} words: {what}")


class Source(Monitor):
    """Offers words to an input stream, with a pause before each cycle's offer at rate ``idle``.

    While it offers nothing the payload is random: a circuit that reads it is found out.
    """

    def __init__(
        self, dut: Any, name: str, words: Iterable[int] = (), *, idle: float = 0.0, **rules: Any
    ) -> None:
        super().__init__(dut, name, **rules)
        self.idle = _rate("idle", idle)
        self.waiting = deque(words)
        self._offering = False
        self._driven = False  # the level of valid
        self.valid.value = 0

    @property
    def empty(self) -> bool:
        """Whether every word was taken."""
        return not self.waiting and not self._offering

    def send(self, words: Iterable[int]) -> None:
        """Append words to those waiting."""
        self.waiting.extend(words)

    def drive(self, cycle: int) -> None:
        if self._offering:
            return
        self._offering = bool(self.waiting) and random.random() >= self.idle
        if self._driven != self._offering:
            self._driven = self._offering
            self.valid.value = int(self._offering)
        if self.payload is not None:
            word = self.waiting.popleft() if self._offering else random.getrandbits(self.width)
            self.payload.value = word & ((1 << self.width) - 1)
        elif self._offering:
            self.waiting.popleft()

    def dormant(self) -> list[Any] | None:
        if self._offering:
            return [self.ready.value_change]
        return None if self.waiting or self._driven else []

    def look(self, cycle: int) -> bool:
        moved = super().look(cycle)
        self._offering = self._offering and not moved
        return moved


class Sink(Monitor):
    """Takes the words of an output stream, refusing in a cycle at rate ``stall``.

    With a rate above zero it also refuses until the first word is offered: a circuit whose valid
    waits for ready never delivers. The attribute ``stall`` may change on the way; at 1 it refuses
    always.
    """

    def __init__(self, dut: Any, name: str, *, stall: float = 0.0, **rules: Any) -> None:
        super().__init__(dut, name, **rules)
        self.stall = _rate("stall", stall)
        self._driven = False  # the level of ready
        if self.ready is not None:
            self.ready.value = 0

    def drive(self, cycle: int) -> None:
        take = self.stall == 0 or (bool(self.offered) and random.random() >= self.stall)
        if self.ready is not None and self._driven != take:
            self._driven = take
            self.ready.value = int(take)

    def dormant(self) -> list[Any] | None:
        refusing = self.stall > 0 and self._held is not None
        return None if refusing else super().dormant()


class Bench:
    """Clock, reset and the agents of one device under test.

    Parameters
    ----------
    dut : cocotb handle
        Top of the design; ``clk`` and ``rst`` may be missing (a combinational component).
    agents : Agent
        The drivers and monitors, served in this order every cycle.
    """

    def __init__(self, dut: Any, *agents: Agent) -> None:
        self.dut = dut
        self.agents: list[Agent] = list(agents)
        self.cycle = 0
        self.quiet = 0  # cycles since the last transfer of any agent
        self._clk: Any = getattr(dut, "clk", None)
        self._clock = (
            None if self._clk is None else Clock(self._clk, PERIOD_NS, unit="ns", impl="gpi")
        )
        self._start = 0.0  # time of the first cycle

    async def start(self) -> None:
        """Drive every known input low, start the clock and hold the reset for some cycles."""
        for name, port in ports_from_env().items():
            if port["flow"] == "In" and port["width"]:
                getattr(self.dut, name).value = 0
        self._start = get_sim_time("ns")
        if self._clock is None:
            return
        self._clock.start(start_high=False)
        reset = getattr(self.dut, "rst", None)
        if reset is not None:
            reset.value = 1
        for _ in range(RESET_CYCLES):
            await FallingEdge(self._clk)
        if reset is not None:
            reset.value = 0
        self._start = get_sim_time("ns")

    def stop(self) -> None:
        """Stop the clock, so that another bench can start it."""
        if self._clock is not None:
            self._clock.stop()

    async def step(self, cycles: int = 1) -> None:
        """Pass clock cycles; ends where inputs of the next cycle may be written."""
        for _ in range(cycles):
            await self._serve()
            await self._next_cycle()

    async def until(
        self, done: Callable[[], bool], *, patience: int = 10_000, sleep: bool = False
    ) -> None:
        """Pass cycles until ``done()``; fail after ``patience`` cycles without a transfer.

        With ``sleep`` the simulator runs alone while no agent has anything to do, several times
        faster; ``done`` must then depend on nothing but what the agents have moved.
        """
        self.quiet = 0
        while not done():
            if self.quiet > patience:
                moved = ", ".join(f"{agent.name}: {len(agent.words)}" for agent in self.agents)
                raise TimeoutError(f"No transfer for {patience} cycles; words moved: {moved}")
            await self._serve()
            triggers = self._dormant() if sleep else None
            if triggers is not None and self.quiet < patience and not done():
                # The alarm rings in a high half, where the circuit would change as well.
                alarm = Timer((patience - self.quiet) * PERIOD_NS - PERIOD_NS // 4, "ns")
                await First(alarm, *triggers)
            await self._next_cycle()

    def _dormant(self) -> list[Any] | None:
        """Return all that one of the agents waits for; None when one waits for nothing."""
        wanted = [agent.dormant() if isinstance(agent, Monitor) else None for agent in self.agents]
        if self._clk is None or None in wanted:
            return None
        return [trigger for triggers in wanted for trigger in triggers or ()]

    async def _serve(self) -> None:
        for agent in self.agents:
            agent.drive(self.cycle)
        await ReadOnly()
        moved = [agent.look(self.cycle) for agent in self.agents]
        self.quiet = -1 if any(moved) else self.quiet

    async def _next_cycle(self) -> None:
        """Go to the next low half of the clock and count the cycles gone by."""
        await (Timer(PERIOD_NS, "ns") if self._clk is None else FallingEdge(self._clk))
        cycle = round((get_sim_time("ns") - self._start) / PERIOD_NS)
        self.quiet += cycle - self.cycle
        self.cycle = cycle


async def run_stream(
    dut: Any,
    words: Iterable[int],
    *,
    idle: float = 0.0,
    stall: float = 0.0,
    i: str = "i",
    o: str = "o",
    expected_count: int | None = None,
    latency_from: int = 0,
    patience: int = 10_000,
) -> tuple[list[int], int]:
    """Reset the device, send ``words`` into stream ``i`` and return the words of ``o``.

    Parameters
    ----------
    dut : cocotb handle
        Top of the design.
    words : iterable of int
        Payloads as unsigned or two's complement integers (structs: the cast of their constant).
    idle, stall : float
        How often the source pauses and the sink refuses; from 0 (never) to below 1.
    i, o : str
        Names of the two streams.
    expected_count : int, optional
        How many words must come out, not one more or less; by default as many as go in.
    latency_from : int
        Index of the input word from whose transfer the latency counts: the last one that the first
        output needs.
    patience : int
        Cycles without a transfer after which the device counts as stuck.

    Returns
    -------
    outputs : list of int
        The payloads, with the sign of the component's signature.
    latency : int
        Cycles from the transfer of that input word to the first cycle with a valid output.
    """
    words = list(words)
    count = len(words) if expected_count is None else expected_count
    source, sink = Source(dut, i, words, idle=idle), Sink(dut, o, stall=stall)
    bench = Bench(dut, source, sink)
    await bench.start()
    await bench.until(
        lambda: source.empty and len(sink.words) >= count, patience=patience, sleep=True
    )
    latency = sink.offered[0] - source.times[latency_from] if count else 0
    await bench.step(max(SETTLE, 2 * latency))
    bench.stop()
    if len(sink.offered) > count:
        raise AssertionError(f"Stream {o!r} offers word {count + 1}, {count} were expected")
    return sink.words, latency


def _rate(name: str, value: float) -> float:
    if not 0 <= value < 1:
        raise ValueError(f"Rate {name} must be at least 0 and below 1, not {value!r}")
    return value
