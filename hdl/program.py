"""The passes of a network, as the instructions that the sequencer hands to the engines."""

from dataclasses import dataclass, fields

from ..model.network import Network

__all__ = ["Instruction", "compile_network", "disassemble"]


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One pass over the tokens: which engines take part, and what each is told.

    An engine that does not take part has None (or False). Engines take an instruction when they
    have finished their part of the one before, so consecutive passes overlap as far as their data
    allow.
    """

    name: str
    patches: bool = False  # give the image out, patch by patch
    write: str | None = None  # what MatVec does to the residual stream: "set" or "add"
    read: str | None = None  # whose tokens go to layer norm: after "linear" or "mlp"
    pool: bool = False  # reads one pooled token instead of all
    norm_to: str | None = None  # where normalised tokens go: "matvec" or "mlp"
    matvec: int | None = None  # layer of MatVec
    vectors: int | None = None  # tokens of the pass
    attention: int | None = None  # block
    mlp: int | None = None  # block


def compile_network(network: Network) -> tuple[Instruction, ...]:
    """Return the program of ``network``; MatVec's layers are numbered as they come in it."""
    n, program = network.tokens, []
    program.append(Instruction(name="embed", patches=True, write="set", matvec=0, vectors=n))
    previous = "linear"
    for block in range(len(network.blocks)):
        program += [
            Instruction(
                name=f"project {block}",
                read=previous,
                norm_to="matvec",
                matvec=1 + 2 * block,
                vectors=n,
            ),
            Instruction(
                name=f"mix {block}", attention=block, write="add", matvec=2 + 2 * block, vectors=n
            ),
            Instruction(name=f"mlp {block}", read="linear", norm_to="mlp", mlp=block, vectors=n),
        ]
        previous = "mlp"
    last = 1 + 2 * len(network.blocks)
    program.append(
        Instruction(name="head", read=previous, pool=True, norm_to="matvec", matvec=last, vectors=1)
    )
    return tuple(program)


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
