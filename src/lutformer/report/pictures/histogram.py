"""A histogram of endpoints by the delay of their slowest path."""

from collections.abc import Mapping

from markupsafe import Markup

from .colours import BAD, GOOD
from .svg import figure, number, ramp, rect, tag, text

__all__ = ["histogram"]

LEFT, WIDTH, HEIGHT, TOP = 60, 640, 170, 18


def histogram(counts: Mapping[int, int], step: int, period_ns: float) -> Markup:
    """Return a column for each class of delays, and a line at the clock's period.

    Parameters
    ----------
    counts : mapping of int to int
        Endpoints by the lower end of their class, in ns.
    step : int
        Width of a class.
    period_ns : float
        Of the board's clock.
    """
    longest = max(max(counts) + step, period_ns * 1.02)
    scale, most = WIDTH / longest, max(counts.values()) or 1
    bottom = TOP + HEIGHT
    marks: list[Markup] = []
    for value in ramp(most, 4):
        y = bottom - HEIGHT * value / most
        marks.append(tag("line", x1=LEFT, x2=LEFT + WIDTH, y1=y, y2=y, class_="grid"))
        marks.append(text(LEFT - 6, y + 4, number(value), anchor="end", class_="axis"))
    for start, count in counts.items():
        high = HEIGHT * count / most
        told = f"{start} to {start + step} ns: {count} endpoints"
        x, width = LEFT + scale * start, max(scale * step - 1, 0.5)
        marks.append(rect(x, bottom - high, width, high, title=told, fill=GOOD))
    for value in ramp(longest, 8):
        x = LEFT + scale * value
        marks.append(text(x, bottom + 16, number(value), anchor="middle", class_="axis"))
    x = LEFT + scale * period_ns
    marks.append(tag("line", x1=x, x2=x, y1=TOP - 4, y2=bottom, stroke=BAD, stroke_width=1.5))
    marks.append(text(x - 6, TOP + 6, f"clock: {period_ns:.1f} ns", anchor="end"))
    marks.append(text(LEFT + WIDTH, bottom + 32, "ns", anchor="end", class_="axis"))
    title = f"Delays of the slowest paths to {sum(counts.values())} endpoints"
    return figure(title, LEFT + WIDTH + 24, bottom + 38, *marks)
