"""Configuration of a vision transformer and its training: frozen, validated, no torch."""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, Self, get_args, get_origin

from ..kinds.option import Option, Value
from ..kinds.registry import ATTENTIONS, MLPS
from ..storage.part import check
from ..storage.renamed import OPTIONS, present_names

__all__ = [
    "BlockConfig",
    "Config",
    "Recipe",
    "TrainConfig",
    "TransformerRecipe",
    "VitConfig",
]


class Config:
    """A frozen dataclass of scalars and tuples that goes to JSON and back."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields by name, as JSON can hold them."""
        values = asdict(self)  # type: ignore[call-overload]
        return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from :meth:`to_dict`; unknown fields are a TypeError, bad values a ValueError."""
        known = [f.name for f in fields(cls)]  # type: ignore[arg-type]
        values = present_names(values, OPTIONS, known)
        return cls(**{name: tuple(v) if isinstance(v, list) else v for name, v in values.items()})

    def at_least(self, least: float, *names: str) -> None:
        """Refuse fields below ``least``."""
        for name in names:
            value = getattr(self, name)
            check(value >= least, f"{self._label(name)} must be at least {least}, not {value!r}")

    def positive(self, *names: str) -> None:
        """Refuse fields that are not above 0."""
        for name in names:
            value = getattr(self, name)
            check(value > 0, f"{self._label(name)} must be positive, not {value!r}")

    def a_share(self, *names: str) -> None:
        """Refuse fields outside of [0, 1]."""
        for name in names:
            value = getattr(self, name)
            check(0 <= value <= 1, f"{self._label(name)} must lie between 0 and 1, not {value!r}")

    def between(self, least: int, most: int, *names: str) -> None:
        """Refuse fields outside of [least, most]."""
        for name in names:
            value = getattr(self, name)
            rule = f"must be {least} to {most}, not {value!r}"
            check(least <= value <= most, f"{self._label(name)} {rule}")

    def one_of_its_choices(self) -> None:
        """Refuse fields of a Literal type that hold none of its values."""
        for field in fields(self):  # type: ignore[arg-type]
            choices = get_args(field.type) if get_origin(field.type) is Literal else None
            value = getattr(self, field.name)
            rule = f"must be one of {', '.join(map(str, choices or ()))}, not {value!r}"
            check(choices is None or value in choices, f"{self._label(field.name)} {rule}")

    def _label(self, name: str) -> str:
        return f"{type(self).__name__}.{name}"


@dataclass(frozen=True, kw_only=True)
class BlockConfig(Config):
    """Shape of the blocks of a transformer; read by the torch model and by all that sizes it."""

    dim: int = 32  # D
    depth: int = 2
    heads: int = 2
    causal: bool = False
    attention: str = "hamming"  # name of an AttentionKind
    code_bits: int = 12  # T, or b
    weighting: Literal["table", "power"] = "table"  # of Hamming distances
    alibi: bool = False  # for the distance between tokens, by shift
    top_k: int = 0  # N nearest keys; 0 for all
    hash: Literal["kernel", "linear"] = "kernel"  # of linear attention
    anchors: int = 25  # m
    form: Literal["signed", "own", "and"] = "signed"
    exponential: Literal["table", "shiftmax"] = "table"  # of int8 softmax
    estimator: Literal["hardtanh", "identity", "tanh", "polynomial"] = "hardtanh"  # of a sign
    mlp: str = "weightless"  # name of an MlpKind
    luts: tuple[int, ...] = (256,)  # N of each LUT layer of a block
    fan_in: int = 4
    thermometer_bits: int = 3  # B
    mapping: Literal["random", "shared", "learnable", "candidates"] = "random"  # first LUT layer
    candidates: int = 8  # inputs that an address bit chooses among
    surrogate: Literal["exponential", "efd", "fd", "hybrid"] = "exponential"
    readout: Literal["dense", "grouped"] = "dense"  # bits that a channel sums: all, or its own
    weights: Literal["ternary", "int8", "float"] = "ternary"
    options: tuple[tuple[str, Value], ...] = ()  # of kinds that other packages register

    def __post_init__(self) -> None:
        self.at_least(1, "depth", "heads")
        self.at_least(2, "dim")
        name, heads, dim = type(self).__name__, self.heads, self.dim
        check(dim % heads == 0, f"{name}.heads must divide dim={dim}, not be {heads}")
        check(dim <= 1024, f"{name}.dim must be at most 1024, not {dim}")
        self.one_of_its_choices()
        check(self.luts != (), f"{name}.luts must name at least one layer")
        check(min(self.luts) >= 1, f"{name}.luts must hold positive counts, not {self.luts!r}")
        self._check_options()
        check(
            not (self.alibi and self.attention == "softmax" and self.exact),
            f"{name}.alibi is for hamming attention, or softmax of float weights",
        )
        grouped = self.mlp == "weightless" and self.readout == "grouped"
        check(
            not grouped or self.luts[-1] % dim == 0,
            f"{name}.luts must end with a multiple of dim={dim} to be grouped, not {self.luts[-1]}",
        )

    def _check_options(self) -> None:
        """Refuse unknown kinds, and options out of bounds; fill ``options`` with defaults."""
        for name, registry in (("attention", ATTENTIONS), ("mlp", MLPS)):
            kind = getattr(self, name)
            rule = f"must be one of {', '.join(registry.all())}, not {kind!r}"
            check(registry.find(kind) is not None, f"{self._label(name)} {rule}")
            for built_in in registry.built_in.values():
                for option in built_in.options:
                    option.check(getattr(self, option.name), self._label(option.name))
        given, known = dict(self.options), self.foreign_options()
        for name in given:
            kinds = f"attention={self.attention} and mlp={self.mlp}"
            check(name in known, f"{self._label(name)} is no option of {kinds}")
        values = {name: given.get(name, option.default) for name, option in known.items()}
        for name, option in known.items():
            option.check(values[name], self._label(name))
        object.__setattr__(self, "options", tuple(sorted(values.items())))

    def foreign_options(self) -> dict[str, Option]:
        """Return by name the options of this network's kinds that are no fields of its own."""
        kinds = (ATTENTIONS.named(self.attention), MLPS.named(self.mlp))
        own = {field.name for field in fields(self)}
        return {o.name: o for kind in kinds for o in kind.options if o.name not in own}

    def option(self, name: str) -> Any:
        """Return the value of an option that another package's kind brings."""
        return dict(self.options)[name]

    def to_dict(self) -> dict[str, Any]:
        values = super().to_dict()
        options = values.pop("options")
        return values | ({"options": dict(options)} if options else {})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        options = values.get("options", {})
        return super().from_dict(values | {"options": tuple(options.items())})

    @property
    def exact(self) -> bool:
        """Whether the trained model has an integer form, so that it can be exported."""
        return self.weights != "float"

    def float_twin(self) -> Self:
        """Return the ordinary transformer of this shape: softmax attention, GELU MLP, floats."""
        return replace(self, attention="softmax", mlp="gelu", weights="float", options=())


@dataclass(frozen=True, kw_only=True)
class VitConfig(BlockConfig):
    """Shape of a vision transformer."""

    height: int
    width: int
    channels: int = 1
    patch_height: int = 2
    patch_width: int = 2
    classes: int = 10
    pooling: Literal["mean", "class"] = "mean"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(1, "height", "width", "channels", "patch_height", "patch_width")
        self.at_least(2, "classes")
        check(
            self.height % self.patch_height == 0 and self.width % self.patch_width == 0,
            f"Patch {self.patch_height}x{self.patch_width} must divide the image "
            f"{self.height}x{self.width}",
        )

    @property
    def tokens(self) -> int:
        """n, length of the sequence, the class token included."""
        patches = (self.height // self.patch_height) * (self.width // self.patch_width)
        return patches + (self.pooling == "class")

    @property
    def patch_pixels(self) -> int:
        """Bytes of one patch."""
        return self.patch_height * self.patch_width * self.channels


@dataclass(frozen=True, kw_only=True)
class Recipe(Config):
    """A training recipe, common to all families."""

    epochs: int = 60
    batch: int = 64
    lr: float = 4e-3
    lr_tables: float = 1e-2
    schedule: Literal["cosine", "steps"] = "cosine"
    lr_final: float = 0.1  # of lr, where the cosine ends
    step_epochs: int = 14  # after which a schedule of steps divides lr by 10, again and again
    warmup: int = 100  # steps
    weight_decay: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        self.at_least(1, "epochs", "batch", "step_epochs")
        self.at_least(0, "warmup", "weight_decay", "seed")
        self.positive("lr", "lr_tables")
        self.a_share("lr_final")
        self.one_of_its_choices()


@dataclass(frozen=True, kw_only=True)
class TransformerRecipe(Recipe):
    """A training recipe of a transformer, quantised or float."""

    ramp: float = 0.6  # fraction of the steps over which real numbers turn into integers
    clip: float = 1.0  # gradient norm; lookup tables are not counted
    hash_epochs: int = 1  # how many epochs, from the first, begin by learning the kernel hash

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "hash_epochs")
        self.positive("clip")
        self.a_share("ramp")


@dataclass(frozen=True, kw_only=True)
class TrainConfig(TransformerRecipe):
    """How to train a vision transformer."""

    shift: float = 0.0  # augmentation: each image moves by up to so many pixels
    distill: float = 0.0  # weight of the loss that pulls attention towards a teacher's

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(0, "shift", "distill")
