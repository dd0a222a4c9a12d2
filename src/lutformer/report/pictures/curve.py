"""Loss and accuracy over the training."""

import csv
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from .colours import BAD, GOOD, OTHER
from .svg import figure, ramp, tag, text

__all__ = ["curve", "read_curve"]

LEFT, WIDTH, GAP, HEIGHT, TOP = 46, 330, 70, 190, 26
STROKES = (GOOD, BAD, OTHER)


def read_curve(file: Path) -> dict[str, list[float]]:
    """Return the columns of a ``curve.csv``."""
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {name: [float(row[name]) for row in rows] for name in (rows[0] if rows else ())}


def curve(columns: dict[str, list[float]]) -> Markup:
    """Return the losses on the left, the accuracies on the right, over the training's steps."""
    steps = columns["step"]
    loss = {name: ys for name, ys in columns.items() if name.endswith("loss")}
    accuracy = {name: ys for name, ys in columns.items() if name.endswith("accuracy")}
    right = LEFT + WIDTH + GAP
    marks = [*_axes(steps, loss, LEFT), *_axes(steps, accuracy, right)]
    return figure(
        "Loss and accuracy over the training", right + WIDTH + 12, TOP + HEIGHT + 26, *marks
    )


def _axes(steps: Sequence[float], lines: dict[str, list[float]], left: float) -> list[Markup]:
    last = steps[-1] or 1
    highest = max((y for ys in lines.values() for y in ys), default=1) or 1
    bottom, marks = TOP + HEIGHT, list[Markup]()
    for value in ramp(highest, 4):
        y = bottom - HEIGHT * value / highest
        marks.append(tag("line", x1=left, x2=left + WIDTH, y1=y, y2=y, class_="grid"))
        marks.append(text(left - 6, y + 4, f"{value:g}", anchor="end", class_="axis"))
    for value in ramp(last, 4):
        x = left + WIDTH * value / last
        marks.append(text(x, bottom + 18, f"{value:g}", anchor="middle", class_="axis"))
    for place, (name, ys) in enumerate(lines.items()):
        points = " ".join(
            f"{left + WIDTH * x / last:.1f},{bottom - HEIGHT * y / highest:.1f}"
            for x, y in zip(steps, ys, strict=True)
        )
        marks.append(
            tag("polyline", points=points, fill="none", stroke=STROKES[place], stroke_width=1.6)
        )
        marks.append(text(left + 150 * place, 12, name.replace("_", " "), fill=STROKES[place]))
    return marks
