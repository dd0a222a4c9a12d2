"""Shape of the weightless MLP's engine."""

from collections.abc import Iterator
from dataclasses import dataclass

from ...model.weightless_mlp import WeightlessMlp
from .conditional_sum import ConditionalSumConfig

__all__ = ["WeightlessConfig"]

CELLS = {  # of a lookup table of n inputs
    "ice40": {1: 1, 2: 1, 3: 1, 4: 1, 5: 4, 6: 10},
    "ecp5": {1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 4},
}


@dataclass(frozen=True, kw_only=True)
class WeightlessConfig:
    """Thermometers, lookup tables and conditional sums of all blocks."""

    layers: tuple[WeightlessMlp, ...]
    readout: ConditionalSumConfig
    tokens: int

    @property
    def adds(self) -> bool:
        """Whether the engine adds to the residual stream itself: yes."""
        return True

    @property
    def external(self) -> tuple[ConditionalSumConfig, ...]:
        """What the engine reads of external weights."""
        return (self.readout,)

    @property
    def cycles(self) -> tuple[int, ...]:
        """Least cycles of a token in each layer."""
        readout = self.readout
        return tuple(readout.channels * readout.slices(layer) for layer in readout.layers)

    @property
    def memories(self) -> Iterator[tuple[int, int]]:
        """Width and depth of each block memory."""
        readout = self.readout
        if not readout.external:
            yield readout.weight_width, readout.weight_words
        yield 12, len(self.layers) * readout.channels  # biases

    def cells(self, family: str) -> int:
        """Return the LUT4s, estimated; the coefficients are fits to synthesised designs."""
        cells, bits = 0, 0
        for mlp in self.layers:
            for layer in mlp.layers:
                cells += layer.luts * CELLS[family][layer.mapping.shape[1]]
            bits += mlp.readout.inputs
        lanes = self.readout.lanes
        cells += (bits - lanes) * 3 // 4 + (3 if self.readout.ternary else 14) * lanes + 150
        return cells + 2 * self.layers[0].thermometer.bits
