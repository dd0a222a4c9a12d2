"""The passes of a network, as the instructions that the sequencer hands to the engines."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import singledispatch

from ...model.network.gpt import Gpt
from ...model.network.transformer import Transformer
from ...model.network.vit import Network
from ..mlp.kinds import linear_layers
from .passes import Pass, passes, vectors

__all__ = ["Instruction", "compile_network", "disassemble"]


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One pass over the tokens: the engines that take part, and the job of each.

    An engine that does not take part has None (or False). Engines take an instruction when they
    have finished their part of the one before, so consecutive passes overlap as far as their data
    allow.
    """

    name: str
    patches: bool = False  # give the image out, patch by patch
    token: bool = False  # set the residual stream to a token's embedding
    write: str | None = None  # what MatVec does to the residual stream: "set" or "add"
    read: str | None = None  # whose tokens go to layer norm: after "linear" or "mlp"
    pool: bool = False  # reads one pooled token instead of all
    norm_to: str | None = None  # where normalised tokens go: "matvec" or "mlp"
    matvec: int | None = None  # layer of MatVec
    vectors: int | None = None  # tokens of the pass
    attention: int | None = None  # block
    mlp: int | None = None  # block


@singledispatch
def compile_network(network: Transformer) -> tuple[Instruction, ...]:
    """Return the program of ``network``; it numbers MatVec's layers as :func:`passes` does."""
    raise TypeError(f"{type(network).__name__} has no hardware")


@compile_network.register
def _(network: Network) -> tuple[Instruction, ...]:
    return tuple(_compile(network, pools=True))


@compile_network.register
def _(network: Gpt) -> tuple[Instruction, ...]:
    return (Instruction(name="embed", token=True), *_compile(network, pools=False))


def _compile(network: Transformer, *, pools: bool) -> Iterator[Instruction]:
    tokens, writer = vectors(network), "linear"
    for number, step in enumerate(passes(network)):
        block = step.block
        head = step.raw_to == "logits"
        yield Instruction(
            name=step.name,
            patches=step.source == "patches",
            write=_write(step),
            read=writer if step.source == "norm" else None,
            pool=head and pools,
            norm_to="matvec" if step.source == "norm" else None,
            matvec=number,
            vectors=1 if head else tokens,
            attention=block if step.scaled_to == "values" else None,
            mlp=block if step.scaled_to == "mlp" else None,
        )
        writer = "linear" if step.scaled_to == "residual" else writer
        if step.source == "attention" and _adds(network, block):
            yield Instruction(
                name=f"mlp {block}", read=writer, norm_to="mlp", vectors=tokens, mlp=block
            )
            writer = "mlp"


def _write(step: Pass) -> str | None:
    if step.scaled_to != "residual":
        return None
    return "set" if step.source == "patches" else "add"


def _adds(network: Transformer, block: int | None) -> bool:
    """Return whether the MLP reads layer norm and adds to the residual stream itself."""
    return block is not None and linear_layers(network.blocks[block].mlp) is None


def disassemble(program: tuple[Instruction, ...]) -> str:
    """Return one line for each instruction, readable."""
    lines = []
    for number, instruction in enumerate(program):
        values = ((f.name, getattr(instruction, f.name)) for f in fields(instruction)[1:])
        told = " ".join(
            f"{name}={v}" for name, v in values if v is not None and v is not False and v != ""
        )
        lines.append(f"{number:4d}  {instruction.name:12s}  {told}")
    return "\n".join(lines) + "\n"
