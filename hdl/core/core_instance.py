"""A core that was generated, as a component of another Amaranth design."""

from pathlib import Path
from typing import Any

from amaranth.hdl import ClockSignal, Instance, ResetSignal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Member, Out

from .core_interface import CoreInterface, CorePort
from .top import CORE

__all__ = ["CoreInstance"]

STREAM = {"payload", "valid", "ready"}


class CoreInstance(wiring.Component):
    """The module ``lutformer_core`` as a component: its streams and other ports, no more.

    The Verilog is that which ``lutformer generate --core`` wrote; a platform of Amaranth takes it
    along, and with :func:`amaranth.back.verilog.convert` it goes beside what that returns.
    ``clk`` and ``rst`` are those of the domain ``sync``.

    Parameters
    ----------
    interface : CoreInterface
        The record of the core.
    verilog : str
        The core itself, for a platform.

    Members
    -------
    i : In(stream.Signature(...))
        Bytes (transformers, decoders) or whole samples (weightless classifiers).
    o : Out(stream.Signature(...))
        Bytes, or whole results.
    abort : In(1)
        Forget the bytes of an unfinished frame; not with a byte. Cores of bytes alone have it.
    busy : Out(1)
        Cores of bytes alone have it.
    further
        What is only there to be verified.
    """

    i: stream.Interface
    o: stream.Interface

    def __init__(self, interface: CoreInterface, verilog: str = "") -> None:
        self.interface, self.verilog = interface, verilog
        members: dict[str, list[CorePort]] = {}
        for port in interface.ports:
            members.setdefault(port.path[0], []).append(port)
        super().__init__({name: _member(ports) for name, ports in members.items()})

    @classmethod
    def load(cls, directory: Path | str) -> "CoreInstance":
        """Return the core of a build directory.

        Raises
        ------
        UsageError
            If ``lutformer generate --core`` of this version has not written it.
        """
        interface = CoreInterface.load(directory)
        return cls(interface, (Path(directory) / "core.v").read_text())

    def elaborate(self, platform: Any) -> Instance:
        if self.verilog and hasattr(platform, "add_file"):
            platform.add_file(f"{CORE}.v", self.verilog)
        ports: dict[str, Any] = {}
        if self.interface.clocked:
            ports |= {"i_clk": ClockSignal(), "i_rst": ResetSignal()}
        for path, member, value in self.signature.flatten(self):
            ports["_".join(("i" if member.flow is In else "o", "__".join(map(str, path))))] = value
        return Instance(CORE, **ports)


def _member(ports: list[CorePort]) -> Member:
    """Return the member that has exactly these ports."""
    first = ports[0]
    flow = In if first.flow == "in" else Out
    if len(first.path) == 1:
        return flow(first.shape.shape())
    parts = {port.path[1]: port for port in ports}
    if set(parts) == STREAM:
        payload = parts["payload"]
        return (In if payload.flow == "in" else Out)(stream.Signature(payload.shape.shape()))
    inner = {
        name: (In if port.flow == "in" else Out)(port.shape.shape()) for name, port in parts.items()
    }
    return Out(wiring.Signature(inner))
