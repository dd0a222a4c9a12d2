"""Elements of SVG, every text and attribute escaped."""

import math

from markupsafe import Markup, escape

__all__ = ["figure", "number", "ramp", "rect", "tag", "text"]


def tag(name: str, *children: str, **attributes: object) -> Markup:
    """Return an element; underscores in names of attributes stand for dashes."""
    words = [
        f'{key.strip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
        if value is not None
    ]
    inside = "".join(escape(child) for child in children)
    start = " ".join([name, *words])
    return Markup(f"<{start}>{inside}</{name}>" if children else f"<{start}/>")


def figure(title: str, width: float, height: float, *children: str) -> Markup:
    """Return a whole picture; ``title`` is what a reader who cannot see it is told."""
    box = f"0 0 {_plain(width)} {_plain(height)}"
    return tag(
        "svg", *children, role="img", aria_label=title, width=width, height=height, viewBox=box
    )


def text(x: float, y: float, words: object, *, anchor: str = "start", **more: object) -> Markup:
    """Return a line of text."""
    return tag("text", str(words), x=x, y=y, text_anchor=anchor, **more)


def rect(
    x: float, y: float, width: float, height: float, *, title: str = "", **more: object
) -> Markup:
    """Return a rectangle; ``title`` shows under the pointer."""
    inside = (tag("title", title),) if title else ()
    return tag("rect", *inside, x=x, y=y, width=width, height=height, **more)


def number(value: float) -> str:
    """Return a number with a space between thousands that a reader expects."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def ramp(highest: float, count: int = 5) -> list[float]:
    """Return at most ``count + 1`` round values from 0 to ``highest`` or a little less."""
    if highest <= 0:
        return [0.0]
    power = 10.0 ** math.floor(math.log10(highest / count))
    step = next(power * m for m in (1, 2, 5, 10) if highest <= power * m * (count + 0.5))
    return [round(n * step, 10) for n in range(int(highest / step + 1e-9) + 1)]


def _plain(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
