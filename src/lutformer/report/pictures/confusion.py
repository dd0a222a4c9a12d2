"""Which classes a network takes for which."""

from collections.abc import Sequence

from markupsafe import Markup

from .colours import BAD, GOOD
from .svg import figure, rect, text

__all__ = ["confusion"]

TOP, CELL, LETTER = 26, 34, 7.5
SHOWN = 12  # letters of a class's name


def confusion(counts: Sequence[Sequence[int]], names: Sequence[str]) -> Markup:
    """Return a matrix: true classes down, answers across; a row's cells are dark by their share."""
    size, left = CELL * len(names), 12 + LETTER * max(len(name[:SHOWN]) for name in names)
    marks: list[Markup] = []
    for place, name in enumerate(names):
        middle = CELL * (place + 0.5)
        marks.append(text(left + middle, TOP - 8, name[:4], anchor="middle"))
        marks.append(text(left - 8, TOP + middle + 4, name[:SHOWN], anchor="end"))
    for row, line in enumerate(counts):
        for column, count in enumerate(line):
            marks += _cell(left, row, column, count, count / (sum(line) or 1))
    return figure("Confusion matrix", left + size + 4, TOP + size + 4, *marks)


def _cell(left: float, row: int, column: int, count: int, share: float) -> list[Markup]:
    right = row == column
    shade = share if right else min(0.25 + 4 * share, 1) if count else 0.04
    x, y = left + CELL * column, TOP + CELL * row
    marks = [
        rect(x, y, CELL - 1, CELL - 1, fill=GOOD if right else BAD, fill_opacity=round(shade, 3))
    ]
    if count:
        kind = "inside" if shade > 0.45 else None
        words = text(x + CELL / 2 - 0.5, y + CELL / 2 + 4, count, anchor="middle", class_=kind)
        marks.append(words)
    return marks
