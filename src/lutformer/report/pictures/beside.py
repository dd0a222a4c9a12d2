"""A network's operations compared with its baseline's."""

from collections.abc import Mapping

from markupsafe import Markup

from .colours import GOOD, OTHER
from .svg import figure, number, rect, text

__all__ = ["beside"]

LEFT, WIDTH, RIGHT, ROW, BAR = 150, 460, 120, 46, 16


def beside(amounts: Mapping[str, tuple[float, float]], title: str) -> Markup:
    """Return two bars for each amount, ours above the baseline's; the longer fills the width."""
    marks: list[Markup] = []
    for row, (name, both) in enumerate(amounts.items()):
        longest = max(both) or 1
        marks.append(text(LEFT - 8, ROW * row + 24, name, anchor="end"))
        for place, (amount, fill) in enumerate(zip(both, (GOOD, OTHER), strict=True)):
            width, y = WIDTH * amount / longest, ROW * row + 2 + place * (BAR + 2)
            marks.append(rect(LEFT, y, width, BAR, fill=fill))
            marks.append(text(LEFT + width + 6, y + 12, number(amount)))
    legend = ROW * len(amounts)
    for place, (word, fill) in enumerate((("this network", GOOD), ("int8 baseline", OTHER))):
        marks.append(rect(LEFT + 120 * place, legend, 12, 12, fill=fill))
        marks.append(text(LEFT + 120 * place + 18, legend + 10, word))
    return figure(title, LEFT + WIDTH + RIGHT, legend + 18, *marks)
