"""How a weightless classifier is laid out in hardware."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FABRICS", "ClassifierPlan", "Fabric"]

Fabric = Literal["lut4", "wide"]
FABRICS: dict[Fabric, tuple[int, ...]] = {
    "lut4": (0, 1, 1, 1, 1),
    "wide": (0, 1, 1, 1, 1, 2, 4),
}
"""Cells that a table of 0, 1, 2, ... inputs takes; no table is wider than there are entries."""


class ClassifierPlan(BaseModel):
    """Everything that turns a weightless classifier into one particular circuit.

    Attributes
    ----------
    rows : int
        Lookup tables in a row between registers: 1 registers each of them, 0 none at all.
    fabric : {"lut4", "wide"}
        What the chip's cells are: tables of four inputs, or such with multiplexers behind them
        that make wider ones of 2 or 4. Yosys uses those of the ECP5 unless told ``-nowidelut``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Annotated[int, Field(ge=0, le=64)] = 4
    fabric: Fabric = "lut4"
