"""Golden integer model of a layer of lookup tables (docs/math.md, Eq. 16)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .storage.part import Part, check

__all__ = ["MAX_FAN_IN", "LutLayer", "lut_layer"]

MAX_FAN_IN = 6


@dataclass(frozen=True, kw_only=True, eq=False)
class LutLayer(Part):
    """Wiring and truth tables of N lookup tables of n inputs.

    Attributes
    ----------
    inputs : int
        Number of bits the layer reads.
    mapping : int32 [N, n]
        Input bit that drives each address bit; address bit 0 is the least significant.
    tables : uint8 [N, 2**n]
    """

    inputs: int
    mapping: NDArray[Any]
    tables: NDArray[Any]

    def __post_init__(self) -> None:
        mapping, tables = self.freeze("mapping", np.int32, 2), self.freeze("tables", np.uint8, 2)
        luts, fan_in = mapping.shape
        check(1 <= fan_in <= MAX_FAN_IN, f"LutLayer fan-in must be 1 to {MAX_FAN_IN}, not {fan_in}")
        check(
            tables.shape == (luts, 1 << fan_in),
            f"LutLayer.tables must have shape {(luts, 1 << fan_in)}, not {tables.shape}",
        )
        check(int(tables.max()) <= 1, "LutLayer.tables must hold bits")
        check(
            int(mapping.min()) >= 0 and int(mapping.max()) < self.inputs,
            f"LutLayer.mapping must point below inputs={self.inputs}",
        )

    @property
    def luts(self) -> int:
        """Number of lookup tables, and of output bits."""
        return self.tables.shape[0]


def lut_layer(layer: LutLayer, bits: NDArray[Any]) -> NDArray[np.uint8]:
    """Look up bits [..., inputs] to bits [..., N] (Eq. 16; Bacellar et al., 2024)."""
    place = 1 << np.arange(layer.mapping.shape[1], dtype=np.int64)
    address = bits[..., layer.mapping].astype(np.int64) @ place
    return layer.tables[np.arange(layer.luts), address]
