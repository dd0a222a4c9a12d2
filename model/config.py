"""What a vision transformer and its training consist of: frozen, validated, no torch."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from .lut_layer import MAX_FAN_IN
from .part import check

__all__ = ["TrainConfig", "VitConfig"]


class Config:
    """A frozen dataclass of scalars and tuples that goes to JSON and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON can hold them."""
        values = asdict(self)  # type: ignore[call-overload]
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from :meth:`to_dict`; unknown fields are a TypeError, bad values a ValueError."""
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    def at_least(self, least: float, *names: str) -> None:
        """Refuse fields below ``least``."""
        for name in names:
            value = getattr(self, name)
            check(
                value >= least,
                f"{type(self).__name__}.{name} must be at least {least}, not {value!r}",
            )


@dataclass(frozen=True, kw_only=True)
class VitConfig(Config):
    """Shape of a vision transformer; read by the torch model and by everything that sizes it."""

    height: int
    width: int
    channels: int = 1
    patch_height: int = 2
    patch_width: int = 2
    classes: int = 10
    dim: int = 32  # D
    depth: int = 2
    heads: int = 2
    attention: Literal["hamming", "softmax"] = "hamming"
    code_bits: int = 12  # T
    mlp: Literal["weightless", "gelu"] = "weightless"
    luts: tuple[int, ...] = (256,)  # N of each LUT layer of a block
    fan_in: int = 4
    thermometer_bits: int = 3  # B
    weights: Literal["ternary", "int8", "float"] = "ternary"
    pooling: Literal["mean", "class"] = "mean"

    def __post_init__(self) -> None:
        self.at_least(
            1, "height", "width", "channels", "patch_height", "patch_width", "depth", "heads"
        )
        self.at_least(2, "classes", "dim")
        check(
            self.height % self.patch_height == 0 and self.width % self.patch_width == 0,
            f"Patch {self.patch_height}x{self.patch_width} must divide the image "
            f"{self.height}x{self.width}",
        )
        heads, dim = self.heads, self.dim
        check(dim % heads == 0, f"VitConfig.heads must divide dim={dim}, not be {heads}")
        check(dim <= 1024, f"VitConfig.dim must be at most 1024, not {dim}")
        self._check_choice("attention", "hamming", "softmax")
        self._check_choice("mlp", "weightless", "gelu")
        self._check_choice("weights", "ternary", "int8", "float")
        self._check_choice("pooling", "mean", "class")
        self._check_luts()

    def _check_choice(self, name: str, *choices: str) -> None:
        value = getattr(self, name)
        check(
            value in choices, f"VitConfig.{name} must be one of {', '.join(choices)}, not {value!r}"
        )

    def _check_luts(self) -> None:
        bits, fan_in, thermometer = self.code_bits, self.fan_in, self.thermometer_bits
        check(1 <= bits <= 64, f"VitConfig.code_bits must be 1 to 64, not {bits!r}")
        check(
            1 <= fan_in <= MAX_FAN_IN, f"VitConfig.fan_in must be 1 to {MAX_FAN_IN}, not {fan_in!r}"
        )
        check(
            1 <= thermometer <= 32,
            f"VitConfig.thermometer_bits must be 1 to 32, not {thermometer!r}",
        )
        check(len(self.luts) >= 1, "VitConfig.luts must name at least one layer")
        check(min(self.luts) >= 1, f"VitConfig.luts must hold positive counts, not {self.luts!r}")

    @property
    def tokens(self) -> int:
        """n, length of the sequence, the class token included."""
        patches = (self.height // self.patch_height) * (self.width // self.patch_width)
        return patches + (self.pooling == "class")

    @property
    def patch_pixels(self) -> int:
        """Bytes of one patch."""
        return self.patch_height * self.patch_width * self.channels

    @property
    def exact(self) -> bool:
        """Whether the trained model has an integer form, so that it can be exported."""
        return (self.attention, self.mlp) == ("hamming", "weightless") and self.weights != "float"

    def float_twin(self) -> "VitConfig":
        """Return the ordinary transformer of this shape: softmax attention, GELU MLP, floats."""
        return replace(self, attention="softmax", mlp="gelu", weights="float")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Config):
    """How to train; the recipe of the quantised model and of its float twin alike."""

    epochs: int = 60
    batch: int = 64
    lr: float = 4e-3
    lr_tables: float = 1e-2
    lr_final: float = 0.1  # of lr, where the cosine ends
    warmup: int = 100  # steps
    weight_decay: float = 0.1
    ramp: float = 0.6  # fraction of the steps over which real numbers turn into integers
    clip: float = 1.0  # gradient norm; lookup tables are not counted
    shift: float = 0.0  # augmentation: each image moves by up to so many pixels
    seed: int = 0

    def __post_init__(self) -> None:
        self.at_least(1, "epochs", "batch")
        self.at_least(0, "warmup", "weight_decay", "shift", "seed")
        for name in ("lr", "lr_tables", "clip"):
            value = getattr(self, name)
            check(value > 0, f"TrainConfig.{name} must be positive, not {value!r}")
        for name in ("lr_final", "ramp"):
            value = getattr(self, name)
            check(0 <= value <= 1, f"TrainConfig.{name} must lie between 0 and 1, not {value!r}")
