"""How a weightless classifier is laid out in hardware."""

from typing import Annotated, Literal

from pydantic import Field

from .board_plan import BoardPlan

__all__ = ["ClassifierPlan", "FabricName"]

FabricName = Literal["lut4", "wide", "ice40", "ecp5"]


class ClassifierPlan(BoardPlan):
    """Everything that turns a weightless classifier into one particular circuit.

    Attributes
    ----------
    rows : int
        Lookup tables in a row between registers: 1 registers each of them, 0 none at all.
    fabric : {"lut4", "wide", "ice40", "ecp5"}
        Cells to map to, a key of :data:`.fabric.FABRICS`.
    lanes : int
        Tables that are looked up in a cycle, from block RAM; 0 builds each one into the circuit.
    """

    rows: Annotated[int, Field(ge=0, le=64)] = 4
    fabric: FabricName = "lut4"
    lanes: Annotated[int, Field(ge=0, le=1024)] = 0
