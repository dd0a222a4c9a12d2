"""Proof that a layer of lookup tables computes its trained tables, in Verilog or as a netlist."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...model.lut_layer import LutLayer
from .aig import Aig, Literal
from .gates import Bit, Gates
from .prover import prove

__all__ = ["WrongEntry", "check_tables", "trained_outputs"]


@dataclass(frozen=True, kw_only=True)
class WrongEntry:
    """A table's bit that differs."""

    lut: int
    address: int
    found: int
    trained: int


def trained_outputs(aig: Aig, layer: LutLayer, inputs: list[Literal]) -> list[Literal]:
    """Return each trained table as the OR of the addresses at which it is 1 (Eq. 16).

    Nothing here is shared with the generator of the hardware.
    """
    outputs = []
    for table, wires in zip(layer.tables, layer.mapping, strict=True):
        address = [inputs[wire] for wire in wires.tolist()]
        outputs.append(
            aig.any(
                aig.all(bit ^ 1 ^ (entry >> n & 1) for n, bit in enumerate(address))
                for entry in np.flatnonzero(table).tolist()
            )
        )
    return outputs


def check_tables(
    layer: LutLayer, gates: Gates, nets: tuple[list[Bit], list[Bit]], directory: Path
) -> WrongEntry | None:
    """Prove that ``layer`` leads from the first nets to the second, or say where it does not.

    Every value of the first nets is covered, which cut the circuit.
    """
    aig, (inputs, outputs) = gates.aig, nets
    address = gates.cut("input", inputs)
    trained = trained_outputs(aig, layer, address)
    found = [gates.function(net) for net in outputs]
    counterexample = prove(aig, list(zip(found, trained, strict=True)), directory)
    if counterexample is None:
        return None
    lut = counterexample.pair
    wires = [address[wire] for wire in layer.mapping[lut].tolist()]
    bits = aig.evaluate(counterexample.inputs, wires)
    return WrongEntry(
        lut=lut,
        address=sum(bit << n for n, bit in enumerate(bits)),
        found=int(counterexample.values[0]),
        trained=int(counterexample.values[1]),
    )
