"""Configuration of a weightless classifier and its training: frozen, validated, no torch."""

from dataclasses import dataclass
from typing import Literal

from ..lut_layer import MAX_FAN_IN
from ..network.weightless_classifier import MAX_WORD_BITS
from ..storage.part import check
from .transformer import Config, Recipe

__all__ = ["ClassifierConfig", "ClassifierRecipe"]

MAX_FEATURES = 1 << 16
MAX_THERMOMETER_BITS = 512


@dataclass(frozen=True, kw_only=True)
class ClassifierConfig(Config):
    """Shape of a DWN: thermometer, LUT layers, group counts.

    Shrinking layers down to one LUT a class are DWN's learnable reduction: nothing is counted.
    """

    features: int = 64  # F
    classes: int = 10  # K
    encoding: Literal["distributive", "gaussian", "uniform"] = "distributive"
    thermometer_bits: int = 3  # B
    word_bits: int = 0  # w; 0 for as few as keep every bit of the data's
    luts: tuple[int, ...] = (200,)  # N of each layer
    fan_in: int = 4  # n
    mapping: Literal["random", "learnable", "candidates"] = "learnable"  # of the first layer
    inner_mapping: Literal["random", "learnable", "candidates"] = "random"  # of the others
    candidates: int = 8  # inputs that an address bit chooses among
    surrogate: Literal["exponential", "efd", "fd", "hybrid"] = "exponential"
    temperature: float = 3.0  # by which counts are divided in training

    def __post_init__(self) -> None:
        self.at_least(2, "classes")
        self.positive("temperature")
        self.between(1, MAX_FEATURES, "features")
        self.between(1, MAX_FAN_IN, "fan_in")
        self.between(1, MAX_THERMOMETER_BITS, "thermometer_bits")
        self.between(0, MAX_WORD_BITS, "word_bits")
        self.at_least(1, "candidates")
        self.one_of_its_choices()
        check(self.luts != (), "ClassifierConfig.luts must name at least one layer")
        check(
            min(self.luts) >= 1, f"ClassifierConfig.luts must hold positive counts, not {self.luts}"
        )
        check(
            self.luts[-1] >= self.classes,
            f"ClassifierConfig.luts must end with {self.classes} LUTs at least, one a class, "
            f"not {self.luts[-1]}",
        )


@dataclass(frozen=True, kw_only=True)
class ClassifierRecipe(Recipe):
    """How to train a weightless classifier; ``lr`` is that of the wiring."""

    epochs: int = 30
    lr: float = 1e-2
    warmup: int = 0
    lr_final: float = 0.01
    weight_decay: float = 0.0
    wiring_steps: int = 1  # of which only the first learns the wiring, which is the costly part
    spectral: float = 0.0  # weight of the spectral norm of the tables in the loss
    influence: float = 0.0  # weight of the influence of their inputs

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "wiring_steps")
        self.at_least(0, "spectral", "influence")
