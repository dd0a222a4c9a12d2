"""Pictures: well-formed, and every mark where its figure says."""

from xml.etree import ElementTree

import pytest

from lutformer.boards.build.floorplan import Cell
from lutformer.report.pictures.bars import bars
from lutformer.report.pictures.beside import beside
from lutformer.report.pictures.colours import BAD, colour
from lutformer.report.pictures.confusion import confusion
from lutformer.report.pictures.critical_path import critical_path
from lutformer.report.pictures.curve import curve, read_curve
from lutformer.report.pictures.floorplan import floorplan
from lutformer.report.pictures.gantt import LEFT, WIDTH, gantt
from lutformer.report.pictures.histogram import histogram
from lutformer.report.pictures.svg import ramp, text
from lutformer.sim.result import Profile, Span


def drawn(picture, kind):
    """Return the elements of a kind; fails if the picture is not XML."""
    return list(ElementTree.fromstring(str(picture)).iter(kind))


def words(picture):
    return [element.text for element in drawn(picture, "text")]


def test_a_bar_of_the_gantt_lasts_as_long_as_its_instruction():
    spans = (
        Span("matvec", "embed", 0, 25),
        Span("matvec", "head", 50, 100),
        Span("mlp", "x", 9, 10),
    )
    picture = gantt(Profile(cycles=100, spans=spans))
    found = [
        (float(r.get("x", "nan")), float(r.get("width", "nan"))) for r in drawn(picture, "rect")
    ]
    assert found[:2] == [(LEFT, WIDTH / 4), (LEFT + WIDTH / 2, WIDTH / 2)]
    titles = [title.text for title in drawn(picture, "title")]
    assert titles[1] == "matvec, head: cycles 50 to 100"
    assert {"matvec", "mlp", "embed", "head"} <= set(words(picture))
    assert "x" not in words(picture)  # it would not fit into its bar


def test_cells_lie_in_their_tiles():
    cells = [
        Cell(module="core.matvec", x=0, y=0, slot=0),
        Cell(module="core.mlp.sum", x=3, y=1, slot=7),
        Cell(module="core.mlp.sum", x=2, y=1, slot=None),
    ]
    picture = floorplan(cells)
    paths = {p.get("fill"): p.get("d", "") for p in drawn(picture, "path")}
    assert paths[colour("matvec")].startswith("M0.0 300.0h")  # the lowest slot of the lowest row
    assert paths[colour("mlp")].startswith("M480.0 0.0h")
    assert paths[colour("mlp")].count("M") == 2
    assert "1 cells, 1 blocks" in words(picture)


def test_wrong_answers_are_red():
    picture = confusion([[3, 1], [0, 4]], ["zero", "<one>"])
    assert [r.get("fill") == BAD for r in drawn(picture, "rect")] == [False, True, True, False]
    assert words(picture)[-3:] == ["3", "1", "4"]
    assert "&lt;one&gt;" in picture


def test_delays_add_up_along_the_path():
    picture = critical_path([("a", 1.0, 2.0, 1), ("", 3.0, 4.0, 2)])
    starts = [float(r.get("x", "nan")) for r in drawn(picture, "rect")][:4]
    assert starts == [12.0, 72.0, 192.0, 372.0]
    assert "(no name in the source)" in words(picture)


def test_the_clock_is_in_the_histogram():
    picture = histogram({0: 4, 2: 0, 4: 2}, 2, 50.0)
    heights = [float(r.get("height", "nan")) for r in drawn(picture, "rect")]
    assert heights == [170.0, 0.0, 85.0]
    assert "clock: 50.0 ns" in words(picture)


def test_the_longest_bar_fills_the_width():
    widths = [float(r.get("width", "nan")) for r in drawn(bars({"a": 5, "b": 20}, "t"), "rect")]
    assert widths == [120.0, 480.0]
    assert drawn(bars({}, "t"), "rect") == []
    both = [float(r.get("width", "nan")) for r in drawn(beside({"a": (1, 4)}, "t"), "rect")][:2]
    assert both == [115.0, 460.0]


def test_a_curve_is_read_and_drawn(tmp_path):
    (tmp_path / "curve.csv").write_text("step,loss,accuracy\n1,2,0\n2,1,0.5\n4,0,1\n")
    columns = read_curve(tmp_path / "curve.csv")
    assert columns["loss"] == [2, 1, 0]
    lines = [line.get("points", "").split() for line in drawn(curve(columns), "polyline")]
    assert [line[0].split(",")[1] for line in lines] == ["26.0", "216.0"]
    (tmp_path / "curve.csv").write_text("step,loss\n")
    assert read_curve(tmp_path / "curve.csv") == {}


@pytest.mark.parametrize(
    ("highest", "values"),
    [
        (10, [0, 2, 4, 6, 8, 10]),
        (2.3, [0, 0.5, 1, 1.5, 2]),
        (0, [0]),
        (0.009, [0, 0.002, 0.004, 0.006, 0.008]),
    ],
)
def test_axes_have_round_values(highest, values):
    assert ramp(highest) == values


def test_words_are_escaped():
    assert text(0, 0, "<b>&") == '<text x="0" y="0" text-anchor="start">&lt;b&gt;&amp;</text>'
