"""The slowest path, signal by signal."""

from collections.abc import Sequence

from markupsafe import Markup

from .colours import GOOD, OTHER
from .svg import figure, ramp, rect, tag, text

__all__ = ["critical_path"]

LEFT, WIDTH, RIGHT, ROW, BAR, LETTER = 12, 600, 190, 42, 14, 6.4


def critical_path(parts: Sequence[tuple[str, float, float, int]]) -> Markup:
    """Return a row for each part: its signal, and its delays where the last part ended.

    Parameters
    ----------
    parts : sequence of (signal, ns of cells, ns of wires, cells)
    """
    whole = sum(logic + routing for _, logic, routing, _ in parts) or 1
    scale, at, height = WIDTH / whole, 0.0, ROW * len(parts)
    marks: list[Markup] = []
    for value in ramp(whole, 8):
        x = LEFT + scale * value
        marks.append(tag("line", x1=x, x2=x, y1=0, y2=height, class_="grid"))
        marks.append(text(x, height + 16, f"{value:g}", anchor="middle", class_="axis"))
    for row, (signal, logic, routing, cells) in enumerate(parts):
        y, x = ROW * row + 20, LEFT + scale * at
        name = signal or "(no name in the source)"
        start = min(x, LEFT + WIDTH + RIGHT - LETTER * len(name))
        marks.append(text(max(start, LEFT), y - 5, name))
        marks.append(rect(x, y, scale * logic, BAR, fill=GOOD))
        marks.append(rect(x + scale * logic, y, scale * routing, BAR, fill=OTHER))
        at += logic + routing
        told = f"{logic + routing:.1f} ns, {cells} cells"
        marks.append(text(LEFT + scale * at + 6, y + 12, told, class_="axis"))
    legend = height + 38
    for place, (word, fill) in enumerate((("cells", GOOD), ("wires", OTHER))):
        marks.append(rect(LEFT + 80 * place, legend - 10, 12, 12, fill=fill))
        marks.append(text(LEFT + 80 * place + 18, legend, word))
    marks.append(text(LEFT + WIDTH, height + 32, "ns", anchor="end", class_="axis"))
    return figure("Slowest path", LEFT + WIDTH + RIGHT, legend + 8, *marks)
