"""Boards: their data, and the registry of those with a data file here."""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from amaranth.build import Attrs
from amaranth_boards.resources import UARTResource
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from lutformer.errors import UnknownBoard

__all__ = ["Board", "Budget", "Led", "UartPins", "board", "boards"]

Resource = tuple[str, int]
"""Name and number of a resource of an amaranth-boards platform, as in ``platform.request``."""

Led = Resource | tuple[str, int, str]
"""A resource that is an LED, or one colour of an RGB LED, as in ``("rgb_led", 0, "g")``."""


class Budget(BaseModel):
    """The resources of a chip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    luts: PositiveInt
    """Logic cells: a LUT4 and a flip-flop each."""
    ebr: PositiveInt
    """Block memories."""
    ebr_bits: PositiveInt
    """Bits of one block memory."""
    ebr_width: PositiveInt
    """Widest word of one block memory."""
    spram: int = 0
    """Large single-port memories."""
    spram_bits: int = 0
    dsp: int = 0
    """Hardware multipliers."""


ADAPTER: Resource = ("adapter", 0)


class UartPins(BaseModel):
    """Pins of an adapter for the serial line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rx: str
    """The pin that the design hears: the adapter's TX."""
    tx: str
    connector: Resource | None = None
    """The platform's connector that has pins of these names; without one they are the chip's."""

    def resource(self, family: str) -> Any:
        """Return it as a resource of amaranth-boards; an open ``rx`` rests at one."""
        attributes = {
            "ice40": Attrs(IO_STANDARD="SB_LVCMOS", PULLUP=1),
            "ecp5": Attrs(IO_TYPE="LVCMOS33", PULLMODE="UP"),
        }[family]
        return UARTResource(*ADAPTER, rx=self.rx, tx=self.tx, conn=self.connector, attrs=attributes)


_UNBUILT = {"title", "usb", "idcode", "method", "loader", "cable", "targets", "hint"}


class Board(BaseModel):
    """One FPGA board: data only, its file holds ``BOARD = Board(...)`` and nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """The name of the data file and of everything that is built for the board."""
    title: str
    family: Literal["ice40", "ecp5"]
    device: str
    """Chip, as its vendor writes it."""
    package: str
    budget: Budget
    platform: str
    """Pins: ``module:Class`` of an amaranth-boards platform."""
    clock: str
    """Resource name of the crystal."""
    crystal_hz: PositiveInt
    clock_hz: PositiveInt
    """What the design runs at; a PLL is inserted where it differs from the crystal."""
    pll_input: Literal["pad", "core"] = "pad"
    """iCE40: whether the crystal's pin is the PLL's own, or reaches it through the chip."""
    uart: Resource | UartPins = ("uart", 0)
    leds: tuple[Led, ...] = Field(max_length=2)
    """First the one that shows busy, then the one that shows an error; others stay dark."""
    baud: PositiveInt = 1_000_000
    synth: tuple[str, ...] = ()
    """Options of Yosys' ``synth_<family>``, with the reason for each beside it."""
    nextpnr: tuple[str, ...]
    """Options of nextpnr that choose the chip."""
    usb: str = Field(pattern="^[0-9a-f]{4}:[0-9a-f]{4}$")
    """Vendor and product of the USB device that writes the bitstream."""
    idcode: int | None = None
    """What the chip says it is over JTAG; None where it is written in another way."""
    method: Literal["jtag", "spi", "dfu", "tinyprog"]
    """How it is written: by openFPGALoader over JTAG, on the bus of the flash memory, or through a
    bootloader, or by tinyprog."""
    loader: str = ""
    """Name of the board in openFPGALoader."""
    cable: str = ""
    """openFPGALoader's name of the probe, where the board has another than ``loader`` says."""
    targets: tuple[Literal["sram", "spi"], ...] = Field(min_length=1)
    """Where a bitstream can be written, the usual place first."""
    hint: str = ""
    """What one has to do to the board, in a sentence."""

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        if (self.method == "jtag") != (self.idcode is not None):
            raise ValueError("idcode is read over JTAG: give it with method 'jtag' only")
        if (self.method == "tinyprog") == bool(self.loader):
            raise ValueError("loader names the board in openFPGALoader: leave it out for tinyprog")
        return self

    @property
    def synthesis(self) -> str:
        """The command of Yosys that synthesises for the chip."""
        return " ".join([f"synth_{self.family}", *self.synth])

    @property
    def build_facts(self) -> dict[str, Any]:
        """The data of a board on which its bitstream depends."""
        return self.model_dump(mode="json", exclude=_UNBUILT)

    def pins(self) -> Any:
        """Return a fresh amaranth-boards platform of this board; its classes have no types."""
        module, _, name = self.platform.partition(":")
        platform = getattr(importlib.import_module(module), name)()
        if isinstance(self.uart, UartPins):
            platform.add_resources([self.uart.resource(self.family)])
        return platform

    @property
    def uart_resource(self) -> Resource:
        """The serial line as a resource of :meth:`pins`."""
        return ADAPTER if isinstance(self.uart, UartPins) else self.uart

    def wires(self) -> dict[str, str]:
        """Return the pins of the chip by role: ``clock``, ``rx``, ``tx``, LEDs."""
        platform = self.pins()
        uart = platform.request(*self.uart_resource, dir="-")
        found = {"clock": platform.request(self.clock, dir="-"), "rx": uart.rx, "tx": uart.tx}
        ports: dict[Resource, Any] = {}
        for word, (name, number, *colour) in zip(("busy", "error"), self.leds, strict=False):
            if (name, number) not in ports:
                ports[name, number] = platform.request(name, number, dir="-")
            port = ports[name, number]
            found[word] = getattr(port, colour[0]) if colour else port
        return {word: port.io.metadata[0].name for word, port in found.items()}


def board(name: str) -> Board:
    """Return the board called ``name``, or the one in the data file at path ``name``.

    A data file outside of the package is named by its path, with ``.py`` at its end.
    """
    path = Path(name) if name.endswith(".py") else _data_files().get(name)
    if path is None or not path.is_file():
        known = ", ".join(sorted(_data_files()))
        raise UnknownBoard(
            f"No board is called {name!r}; there are {known}, or a path to a .py file"
        )
    return _load(path)


def boards() -> Iterator[Board]:
    """Yield every board of the package, by name."""
    for _, path in sorted(_data_files().items()):
        yield _load(path)


def _data_files() -> dict[str, Path]:
    """Return the modules of the package that assign ``BOARD``, found without running any."""
    files = Path(__file__).parent.glob("*.py")
    return {path.stem: path for path in files if re.search(r"^BOARD\b.*=", path.read_text(), re.M)}


def _load(path: Path) -> Board:
    spec = importlib.util.spec_from_file_location(f"lutformer.boards.{path.stem}", path)
    assert spec is not None  # the name ends in .py
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = getattr(module, "BOARD", None)
    if not isinstance(found, Board):
        raise UnknownBoard(f"{str(path)!r} is not a board: it must assign BOARD = Board(...)")
    return found
