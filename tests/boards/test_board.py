"""Boards: what the registry finds, and that each data file is right about chip, pins and clock."""

import re
from functools import cache
from pathlib import Path

import pytest

from lutformer.boards.board import Board, board, boards
from lutformer.boards.build.bitstream import build
from lutformer.boards.build.pll import ecp5_pll, ice40_pll
from lutformer.boards.build.wrapper import BoardTop
from lutformer.errors import UnknownBoard

NAMES = [found.name for found in boards()]
UP5K = {"luts": 5280, "ebr": 30, "spram": 4, "dsp": 8}
K8 = {"luts": 7680, "ebr": 32, "spram": 0, "dsp": 0}
F25 = {"luts": 24_288, "ebr": 56, "spram": 0, "dsp": 28}
F45 = {"luts": 43_848, "ebr": 108, "spram": 0, "dsp": 72}
F85 = {"luts": 83_640, "ebr": 208, "spram": 0, "dsp": 156}
CHIPS = {  # of the vendor's data sheets; what they say over JTAG, of its BSDL files
    "iCE40UP5K": (UP5K, None),
    "iCE40HX8K": (K8, None),
    "iCE40LP8K": (K8, None),
    "LFE5U-25F": (F25, 0x41111043),
    "LFE5U-45F": (F45, 0x41112043),
    "LFE5U-85F": (F85, 0x41113043),
    "LFE5UM5G-45F": (F45, 0x81112043),
    "LFE5UM5G-85F": (F85, 0x81113043),
}
ULX3S = {"clock": "G2", "rx": "M1", "tx": "L4", "busy": "B2", "error": "C2"}
ECPIX5 = {"clock": "K23", "rx": "R26", "tx": "R24", "busy": "R21", "error": "T23"}
ORANGECRAB = {"clock": "A9", "rx": "N17", "tx": "M18", "busy": "M3", "error": "K4"}
WIRES = {  # pins of the packages, of the boards' schematics or their makers' pin lists
    "colorlight_i5": {"clock": "P3", "rx": "H18", "tx": "J17", "busy": "U16"},
    "colorlight_i9": {"clock": "P3", "rx": "H18", "tx": "J17", "busy": "L2"},
    "ecpix5_45f": ECPIX5,
    "ecpix5_85f": ECPIX5,
    "hx8k_breakout": {"clock": "J3", "rx": "B10", "tx": "B12", "busy": "C3", "error": "B3"},
    "icebreaker": {"clock": "35", "rx": "6", "tx": "9", "busy": "37", "error": "11"},
    "icebreaker_bitsy": {"clock": "35", "rx": "47", "tx": "44", "busy": "6", "error": "25"},
    "orangecrab_25f": ORANGECRAB,
    "orangecrab_85f": ORANGECRAB,
    "tinyfpga_bx": {"clock": "B2", "rx": "A1", "tx": "A2", "busy": "B3"},
    "ulx3s_25f": ULX3S,
    "ulx3s_45f": ULX3S,
    "ulx3s_85f": ULX3S,
    "upduino_v3": {"clock": "20", "rx": "38", "tx": "28", "busy": "39", "error": "41"},
}


@cache
def elaborated(name):
    """Return the files that Amaranth makes of a board's wrapper."""
    found = board(name)
    files = found.pins().prepare(BoardTop(found), "top", emit_src=False).files
    return {file: t if isinstance(t, str) else t.decode() for file, t in files.items()}


def test_every_board_is_there():
    assert set(NAMES) == set(WIRES)


@pytest.mark.parametrize("name", NAMES)
def test_data_agrees_with_the_platform(name):
    found = board(name)
    pins = found.pins()
    assert found.name == name
    assert found.device == pins.device
    assert found.package == pins.package
    crystal = pins.lookup(found.clock)
    assert crystal.clock is not None
    assert round(1 / crystal.clock.period) == found.crystal_hz
    if found.family == "ecp5":
        assert found.nextpnr[-2:] == ("--speed", pins.speed)


@pytest.mark.parametrize("name", NAMES)
def test_chip_is_as_in_its_data_sheet(name):
    found = board(name)
    budget, idcode = CHIPS[found.device]
    assert {word: getattr(found.budget, word) for word in budget} == budget
    bits, width = {"ice40": (4096, 16), "ecp5": (18_432, 36)}[found.family]
    assert (found.budget.ebr_bits, found.budget.ebr_width) == (bits, width)
    assert found.budget.spram_bits == (256 * 1024 if found.budget.spram else 0)
    assert found.idcode == (idcode if found.method == "jtag" else None)


@pytest.mark.parametrize("name", NAMES)
def test_constraints_name_the_pins(name):
    assert board(name).wires() == WIRES[name]
    files = elaborated(name)
    if "top.pcf" in files:
        places = dict(re.findall(r"^set_io (\S+) (\S+)$", files["top.pcf"], re.M))
    else:
        places = dict(re.findall(r'^LOCATE COMP "(\S+)" SITE "(\S+)";$', files["top.lpf"], re.M))
    ports = {place: port for port, place in places.items()}
    assert len(ports) == len(places)
    assert set(WIRES[name].values()) <= ports.keys()
    assert ports[WIRES[name]["rx"]].endswith("rx__io")
    assert ports[WIRES[name]["tx"]].endswith("tx__io")
    crystal = board(name).crystal_hz
    said = {
        "top.pcf": rf"^set_frequency {ports[WIRES[name]['clock']]} {crystal / 1e6}$",
        "top.lpf": rf'^FREQUENCY PORT "{ports[WIRES[name]["clock"]]}" {float(crystal)} HZ;$',
    }
    assert any(re.search(said[file], files[file], re.M) for file in said if file in files)


@pytest.mark.parametrize("name", NAMES)
def test_pll_gives_the_clock(name):
    found, text = board(name), elaborated(name)["top.il"]
    values = {n: int(v) for n, v in re.findall(r"parameter \\(\w+) (?:signed )?(\d+)$", text, re.M)}
    if found.clock_hz == found.crystal_hz:
        assert not re.search(r"cell \\(EHXPLLL|SB_PLL40)", text)
        return
    if found.family == "ice40":
        assert f"cell \\SB_PLL40_{found.pll_input.upper()} " in text
        detector = found.crystal_hz / (values["DIVR"] + 1)
        vco = detector * (values["DIVF"] + 1)
        clock, fastest = vco / 2 ** values["DIVQ"], 1066e6
    else:
        assert "cell \\EHXPLLL " in text
        detector = found.crystal_hz / values["CLKI_DIV"]
        clock = detector * values["CLKFB_DIV"]  # the feedback is the output
        vco, fastest = clock * values["CLKOP_DIV"], 800e6
    assert abs(clock / found.clock_hz - 1) < 0.01
    assert 10e6 <= detector <= 133e6
    assert fastest / 2 <= vco <= fastest


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_nextpnr_accepts_chip_and_pins(name, probe, tmp_path):
    (tmp_path / "top.v").write_text(probe)
    result = build(tmp_path / "top.v", board(name), tmp_path)
    assert result.timing["fmax_mhz"] > 2 * result.timing["clock_mhz"]


@pytest.mark.parametrize("name", NAMES)
def test_baud_rate_is_within_one_percent(name):
    found = board(name)
    clocks = round(found.clock_hz / found.baud)
    assert abs(found.clock_hz / clocks / found.baud - 1) < 0.01


def test_unknown_board_names_those_there_are():
    message = (
        r"^No board is called 'icebraker'; there are colorlight_i5, .*, upduino_v3, or a path "
    )
    with pytest.raises(UnknownBoard, match=message):
        board("icebraker")


def test_module_that_is_no_board_is_refused():
    with pytest.raises(UnknownBoard, match=r"^No board is called 'wrapper'; "):
        board("wrapper")


def test_board_of_a_user_is_one_data_file(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from lutformer.boards.board import board\n"
        "BOARD = board('icebreaker').model_copy(update={'name': 'mine'})\n"
    )
    assert board(str(mine)).name == "mine"


DOCS = Path(__file__).parents[2] / "docs"
BOARDS, OWN = ((DOCS / name).read_text() for name in ("boards.md", "own_board.md"))
METHODS = {"JTAG": "jtag", "SPI": "spi", "DFU": "dfu", "tinyprog": "tinyprog"}


def test_documented_pins_are_those_of_the_boards():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", BOARDS, re.M)
    assert [name for name, _ in rows] == NAMES
    for name, row in rows:
        found, wires = board(name), WIRES[name]
        clock, rx, tx, leds, written, to = row.split(" | ")
        assert (rx, tx) == (wires["rx"], wires["tx"])
        assert leds.split(", ") == [wires[led] for led in ("busy", "error") if led in wires]
        assert (METHODS[written], to) == (found.method, ", ".join(found.targets))
        mhz = [float(n) for n in re.findall(r"([\d.]+) MHz", clock)]
        assert mhz[0] * 1e6 == found.crystal_hz
        assert mhz[-1] * 1e6 == found.clock_hz
        assert ("PLL" in clock) == (found.clock_hz != found.crystal_hz)


def test_documented_board_is_one(tmp_path):
    (text,) = re.findall(r"^```python\n(# evn.py\n.*?)^```$", OWN, re.M | re.DOTALL)
    mine = tmp_path / "mine.py"
    mine.write_text(text)
    found = board(str(mine))
    assert (found.device, found.package) == (found.pins().device, found.pins().package)
    assert found.wires() == {"clock": "A10", "rx": "P2", "tx": "P3", "busy": "A13", "error": "A12"}
    assert CHIPS[found.device][1] == found.idcode
    files = found.pins().prepare(BoardTop(found), "top").files
    assert "EHXPLLL" in str(files["top.il"])


def test_file_without_a_board_is_refused(tmp_path):
    empty = tmp_path / "empty.py"
    empty.write_text("")
    with pytest.raises(
        UnknownBoard, match=r"is not a board: it must assign BOARD = Board\(\.\.\.\)$"
    ):
        board(str(empty))


def test_board_data_is_checked():
    data = board("icebreaker").model_dump()
    with pytest.raises(ValueError, match="clock_hz"):
        Board.model_validate(data | {"clock_hz": 0})
    with pytest.raises(ValueError, match="family"):
        Board.model_validate(data | {"family": "xc7"})
    with pytest.raises(ValueError, match="leds"):
        Board.model_validate(data | {"leds": [("led", n) for n in range(3)]})
    with pytest.raises(ValueError, match="usb"):
        Board.model_validate(data | {"usb": "0403"})
    with pytest.raises(ValueError, match="idcode is read over JTAG"):
        Board.model_validate(data | {"method": "jtag"})
    with pytest.raises(ValueError, match="loader names the board in openFPGALoader"):
        Board.model_validate(data | {"loader": ""})


@pytest.mark.parametrize(("crystal", "clock"), [(25, 50), (25, 75), (12, 60), (48, 64), (100, 120)])
def test_ecp5_pll_gives_the_clock(crystal, clock):
    pll = ecp5_pll(crystal * 10**6, clock * 10**6)
    assert crystal * pll.feedback / pll.reference == clock
    assert 400 <= clock * pll.output <= 800
    assert crystal / pll.reference >= 10


@pytest.mark.parametrize(
    ("crystal", "clock"), [(12, 48), (12, 30), (12, 16.5), (16, 25), (100, 60)]
)
def test_ice40_pll_gives_the_clock(crystal, clock):
    pll = ice40_pll(crystal * 10**6, round(clock * 10**6))
    vco = crystal * (pll.f + 1) / (pll.r + 1)
    assert vco / 2**pll.q == clock
    assert 533 <= vco <= 1066
    assert crystal / (pll.r + 1) >= 10


def test_ice40_pll_is_that_of_icepll():
    # `yowasp-icepll -i 12 -o 30` prints these.
    pll = ice40_pll(12_000_000, 30_000_000)
    assert (pll.r, pll.f, pll.q, pll.filter_range) == (0, 79, 5, 1)


@pytest.mark.parametrize("pll", [ecp5_pll, ice40_pll])
def test_impossible_clock_is_refused(pll):
    message = re.escape("No PLL setting gives 12345677 Hz from a crystal of 12000000 Hz")
    with pytest.raises(ValueError, match=f"^{message}$"):
        pll(12_000_000, 12_345_677)
