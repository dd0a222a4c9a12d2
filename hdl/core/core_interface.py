"""The interface of a core, as a record beside its Verilog."""

from functools import singledispatch
from pathlib import Path
from typing import Literal

from amaranth.hdl import Shape, ShapeLike, Value, signed, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In
from pydantic import BaseModel, ConfigDict, ValidationError

from lutformer.errors import UsageError

from ...model.link.link_format import link_format
from ...model.network.gpt import Gpt
from ...model.network.stored_network import StoredNetwork
from ...model.network.vit import Network
from ...model.network.weightless_classifier import WeightlessClassifier
from ..plan.board_plan import BoardPlan
from .top import link_config

__all__ = ["CoreInterface", "CorePort", "FieldShape", "core_interface"]

SCHEMA = 1
OPEN = "For verification: leave it open."


class FieldShape(BaseModel):
    """The shape of a port: a number, several of one shape, or fields, the first one lowest.

    Attributes
    ----------
    width : int
        Bits in all.
    signed : bool
    length : int
        How many; 0 if it is not several.
    element : FieldShape, optional
        Each of the several.
    fields : dict of str to FieldShape
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: int
    signed: bool = False
    length: int = 0
    element: "FieldShape | None" = None
    fields: dict[str, "FieldShape"] = {}

    @classmethod
    def of(cls, shape: ShapeLike) -> "FieldShape":
        """Describe a shape of Amaranth."""
        plain = Shape.cast(shape)
        if isinstance(shape, data.ArrayLayout):
            element = cls.of(shape.elem_shape)
            return cls(width=plain.width, length=shape.length, element=element)
        if isinstance(shape, data.StructLayout):
            fields = {str(name): cls.of(member) for name, member in shape.members.items()}
            return cls(width=plain.width, fields=fields)
        return cls(width=plain.width, signed=plain.signed)

    def shape(self) -> ShapeLike:
        """Return the shape that this one describes."""
        if self.element is not None:
            return data.ArrayLayout(self.element.shape(), self.length)
        if self.fields:
            return data.StructLayout({name: field.shape() for name, field in self.fields.items()})
        return signed(self.width) if self.signed else unsigned(self.width)

    def __str__(self) -> str:
        if self.element is not None:
            return f"{self.length} x {self.element}"
        if self.fields:
            return ", ".join(f"{name}: {field}" for name, field in self.fields.items())
        return f"{'signed ' * self.signed}{self.width} bit" + "s" * (self.width != 1)


class CorePort(BaseModel):
    """A port of the core.

    Attributes
    ----------
    path : tuple of str
        Member of the component, and what of it.
    flow : {"in", "out"}
    shape : FieldShape
    says : str
        What it is for, in a sentence.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...]
    flow: Literal["in", "out"]
    shape: FieldShape
    says: str

    @property
    def name(self) -> str:
        """Name in Verilog."""
        return "__".join(self.path)


class CoreInterface(BaseModel):
    """The record ``core.json``.

    Attributes
    ----------
    schema_version : int
    version : str
        Of lutformer.
    network : str
        Its hash.
    title : str
        What the core is, in a line.
    input_bytes, output_bytes : int
        Of a frame that goes in, and of one that comes out (docs/core.md).
    clocked : bool
        Whether the module has ``clk`` and ``rst``: a classifier without registers has not.
    ports : tuple of CorePort
        All others.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1]
    version: str
    network: str
    title: str
    input_bytes: int
    output_bytes: int
    clocked: bool
    ports: tuple[CorePort, ...]

    @classmethod
    def load(cls, directory: Path | str) -> "CoreInterface":
        """Return the record in a build directory.

        Raises
        ------
        UsageError
            If ``lutformer generate --core`` of this version has not written it.
        """
        try:
            return cls.model_validate_json((Path(directory) / "core.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise UsageError(
                f"{str(directory)!r} holds no core of this version: run `lutformer generate --core`"
            ) from error


def core_interface(
    component: wiring.Component, network: StoredNetwork, plan: BoardPlan, version: str
) -> CoreInterface:
    """Describe a core that ``component`` is emitted as."""
    link, says = link_config(network, plan), _says(network)
    ports = []
    for path, member, value in component.signature.flatten(component):
        shape = value.shape() if isinstance(value, data.View) else Value.cast(value).shape()
        if path[-1] in ("valid", "ready") and len(path) > 1:
            sentence = "The payload counts." if path[-1] == "valid" else "It is taken."
        else:
            sentence = says.get(str(path[0]), OPEN)
        ports.append(
            CorePort(
                path=tuple(map(str, path)),
                flow="in" if member.flow is In else "out",
                shape=FieldShape.of(shape),
                says=sentence,
            )
        )
    return CoreInterface(
        schema_version=SCHEMA,
        version=version,
        network=network.hash,
        title=_title(network),
        input_bytes=link.input_bytes,
        output_bytes=link.result_bytes,
        clocked=getattr(component, "latency", None) != 0,
        ports=tuple(ports),
    )


@singledispatch
def _title(network: StoredNetwork) -> str:
    raise TypeError(f"{type(network).__name__} is of no known family")


@_title.register
def _(network: Network) -> str:
    return f"Transformer of popcounts and lookup tables, {network.outputs} classes"


@_title.register
def _(network: WeightlessClassifier) -> str:
    return f"Weightless classifier, {network.outputs} classes"


@_title.register
def _(network: Gpt) -> str:
    return f"Decoder of text, {network.outputs} characters"


@singledispatch
def _says(network: StoredNetwork) -> dict[str, str]:
    """Return the descriptions of the ports of a family's core."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@_says.register
def _(network: Network) -> dict[str, str]:
    return {
        "i": f"Pixels of an image, row by row, channels last: {network.embedding.pixels} bytes.",
        "abort": "Forget the pixels of an unfinished image; in a cycle without a pixel.",
        "o": f"Class (2 bytes), cycles (4), {network.outputs} logits (4 each), little-endian.",
        "busy": "An image is being classified.",
    }


@_says.register
def _(network: WeightlessClassifier) -> dict[str, str]:
    return {
        "i": f"A sample: {network.encoder.features} words, the first one lowest.",
        "o": "The class, and what each class counts.",
    }


@_says.register
def _(network: Gpt) -> dict[str, str]:
    return {
        "i": f"Requests of {link_format(network).input_bytes} bytes (docs/link.md, text).",
        "abort": "Forget the bytes of an unfinished request; in a cycle without a byte.",
        "o": "Replies (docs/link.md, text).",
        "busy": "A request is being worked on.",
    }
