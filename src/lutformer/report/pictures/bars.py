"""Amounts by name, such as cycles by engine."""

from collections.abc import Mapping

from markupsafe import Markup

from .colours import GOOD, colour
from .svg import figure, number, rect, text

__all__ = ["bars"]

LEFT, WIDTH, RIGHT, ROW, BAR = 150, 480, 90, 24, 16


def bars(amounts: Mapping[str, float], title: str, *, by_engine: bool = False) -> Markup:
    """Return a bar for each amount, in their order; the longest fills the width."""
    longest = max(amounts.values(), default=0) or 1
    marks: list[Markup] = []
    for row, (name, amount) in enumerate(amounts.items()):
        width, y = WIDTH * amount / longest, ROW * row
        fill = colour(name) if by_engine else GOOD
        marks.append(text(LEFT - 8, y + 16, name, anchor="end"))
        marks.append(rect(LEFT, y + 4, width, BAR, fill=fill))
        marks.append(text(LEFT + width + 6, y + 16, number(amount)))
    return figure(title, LEFT + WIDTH + RIGHT, ROW * len(amounts), *marks)
