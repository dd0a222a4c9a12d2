"""When each instruction of a program ran in each engine."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup

from ...sim.result import Profile, Span
from .colours import colour
from .svg import figure, number, ramp, rect, tag, text

__all__ = ["gantt"]

LEFT, WIDTH, ROW, BAR = 92, 860, 30, 20
LETTER = 7.2


def gantt(profile: Profile) -> Markup:
    """Return a row for each engine, a bar for each instruction that it worked on."""
    engines = list(dict.fromkeys(span.engine for span in profile.spans))
    scale, height = WIDTH / profile.cycles, ROW * len(engines)
    lines = [
        tag("line", x1=LEFT + scale * x, x2=LEFT + scale * x, y1=0.0, y2=height, class_="grid")
        for x in ramp(profile.cycles, 8)
    ]
    labels = [
        text(LEFT + scale * x, height + 16, number(x), anchor="middle", class_="axis")
        for x in ramp(profile.cycles, 8)
    ]
    rows: list[Markup] = []
    for row, engine in enumerate(engines):
        rows.append(text(LEFT - 8, ROW * row + 19, engine, anchor="end"))
        mine = [span for span in profile.spans if span.engine == engine]
        rows += _bars(mine, ROW * row + (ROW - BAR) / 2, scale)
    unit = text(LEFT + WIDTH, height + 32, "cycles", anchor="end", class_="axis")
    whole = f"Instructions of one inference in each engine, {profile.cycles} cycles"
    return figure(whole, LEFT + WIDTH + 16, height + 38, *lines, *rows, *labels, unit)


def _bars(spans: Sequence[Span], y: float, scale: float) -> Iterator[Markup]:
    for span in spans:
        width = max(scale * (span.end - span.start), 1.0)
        told = f"{span.engine}, {span.instruction}: cycles {span.start} to {span.end}"
        x = LEFT + scale * span.start
        yield rect(x, y, width, BAR, title=told, fill=colour(span.engine), class_="bar")
        if width > LETTER * len(span.instruction) + 6:
            yield text(x + width / 2, y + 14, span.instruction, anchor="middle", class_="inside")
