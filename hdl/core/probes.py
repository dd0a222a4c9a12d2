"""The wires of the emitted Verilog that show when each engine works."""

from dataclasses import dataclass
from functools import singledispatch
from typing import Any

from amaranth.lib import wiring

from ..lib.verilog import Wire, wires
from ..transformer.accelerator import ENGINES as ACCELERATOR_ENGINES
from ..transformer.accelerator import Accelerator
from ..transformer.decoder import ENGINES as DECODER_ENGINES
from ..transformer.engines import Engines
from ..transformer.sequencer import Sequencer
from .decoder_core import DecoderCore

__all__ = ["EngineProbe", "Probes", "StreamWires", "probes"]

StreamWires = tuple[Wire, Wire]
"""``valid`` and ``ready`` of a stream."""


@dataclass(frozen=True, kw_only=True)
class EngineProbe:
    """Streams of an engine.

    Attributes
    ----------
    field : str
        Of an instruction: says whether the engine takes part.
    job : StreamWires
        Its instructions.
    inputs, outputs : tuple of StreamWires
        Words that it works on from the first one, and until the last.
    """

    field: str
    job: StreamWires
    inputs: tuple[StreamWires, ...] = ()
    outputs: tuple[StreamWires, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Probes:
    """Wires that tell when the instructions of a program run.

    Attributes
    ----------
    busy : Wire
        The program runs.
    engines : dict of str to EngineProbe
        By the names that :func:`lutformer.hdl.planner.bound.bound` gives to the engines.
    """

    busy: Wire
    engines: dict[str, EngineProbe]


@dataclass(frozen=True, kw_only=True)
class _Watched:
    """An :class:`EngineProbe` whose wires have no names yet."""

    field: str
    job: Any
    inputs: tuple[Any, ...] = ()
    outputs: tuple[Any, ...] = ()


def probes(core: wiring.Component) -> Probes:
    """Return the wires of ``core``, from there down, as they are named in its Verilog."""
    sequencer, watched = _watched(core)
    wire = wires(core)

    def of(stream: Any) -> StreamWires:
        return wire[stream.valid][1:], wire[stream.ready][1:]

    return Probes(
        busy=wire[sequencer.busy][1:],
        engines={
            name: EngineProbe(
                field=engine.field,
                job=of(engine.job),
                inputs=tuple(map(of, engine.inputs)),
                outputs=tuple(map(of, engine.outputs)),
            )
            for name, engine in watched.items()
        },
    )


@singledispatch
def _watched(core: wiring.Component) -> tuple[Sequencer, dict[str, _Watched]]:
    """Return the sequencer of a core, and the watched wires of its engines."""
    raise TypeError(f"{type(core).__name__} runs no program")


@_watched.register
def _(core: Accelerator) -> tuple[Sequencer, dict[str, _Watched]]:
    patches, field = core.patches, ACCELERATOR_ENGINES
    first = _Watched(field=field["patches"], job=patches.job, outputs=(patches.o,))
    norm = _norm(core.engines, field["reader"], core.reader.job)
    return core.sequencer, {"patches": first, "layer_norm": norm} | _engines(core.engines, field)


@_watched.register
def _(core: DecoderCore) -> tuple[Sequencer, dict[str, _Watched]]:
    decoder, field = core.decoder, DECODER_ENGINES
    first = _Watched(field=field["residual"], job=decoder.residual.job)
    norm = _norm(decoder.engines, field["route"], decoder.engines.route.job)
    engines = _engines(decoder.engines, field)
    return decoder.sequencer, {"embedding": first, "layer_norm": norm} | engines


def _norm(engines: Engines, field: str, job: Any) -> _Watched:
    norm = engines.layer_norm
    return _Watched(field=field, job=job, inputs=(norm.i,), outputs=(norm.o,))


def _engines(engines: Engines, field: dict[str, str]) -> dict[str, _Watched]:
    """Return the watched wires of the engines that all transformers have."""
    matvec, attention, mlp, coder = engines.matvec, engines.attention, engines.mlp, engines.coder
    watched = {
        "matvec": _Watched(
            field=field["matvec"],
            job=matvec.job,
            inputs=(matvec.i,),
            outputs=(matvec.raw, matvec.scaled),
        ),
        # Its values are only kept until the job comes.
        "attention": _Watched(field=field["attention"], job=attention.job, outputs=(attention.o,)),
        "mlp": _Watched(field=field["mlp"], job=mlp.job, inputs=(mlp.i,), outputs=(mlp.o,)),
    }
    if coder is None:
        return watched
    made = _Watched(
        field=field["attention"], job=coder.job, inputs=(coder.i,), outputs=(coder.raw,)
    )
    return watched | {"coder": made}
