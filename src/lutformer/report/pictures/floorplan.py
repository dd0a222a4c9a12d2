"""A routed design on its chip, coloured by engine."""

from collections import Counter
from collections.abc import Iterable

from markupsafe import Markup

from ...boards.build.floorplan import Cell
from ...boards.build.hierarchy import engine
from .colours import OTHER, colour
from .svg import figure, number, rect, tag, text

__all__ = ["floorplan"]

SIDE = 640  # longest side of the chip
LEGEND, ROW = 250, 20
SLOTS = 8  # logic cells of a tile, one above the other


def floorplan(cells: Iterable[Cell]) -> Markup:
    """Return the tiles of the chip with the cells in use, the origin at the bottom left."""
    shown = list(cells)
    columns, rows = max(c.x for c in shown) + 1, max(c.y for c in shown) + 1
    tile = SIDE / max(columns, rows)
    width, height = columns * tile, rows * tile
    paths: dict[str, list[str]] = {}
    logic, blocks = Counter[str](), Counter[str]()
    for cell in shown:
        name = engine(cell.module)
        (blocks if cell.slot is None else logic)[name] += 1
        paths.setdefault(colour(name), []).append(_outline(cell, rows, tile))
    order = sorted(logic | blocks, key=lambda name: (-logic[name], name))
    marks = [rect(0, 0, width, height, class_="chip")]
    marks += [tag("path", d="".join(d), fill=fill) for fill, d in paths.items()]
    marks += _legend(order, logic, blocks, width + 20)
    tall = max(height, 2 * ROW * len(order))
    title = f"Floorplan: {number(sum(logic.values()))} logic cells by engine"
    return figure(title, width + 20 + LEGEND, tall, *marks)


def _outline(cell: Cell, rows: int, tile: float) -> str:
    x, top = cell.x * tile, (rows - 1 - cell.y) * tile
    if cell.slot is None:
        return _box(x + 0.1 * tile, top + 0.1 * tile, 0.8 * tile, 0.8 * tile)
    high = tile / SLOTS
    left, wide = (x + 0.5 * tile, 0.4 * tile) if cell.ff else (x, 0.9 * tile)
    return _box(left, top + (SLOTS - 1 - cell.slot) * high, wide, 0.85 * high)


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"


def _legend(
    names: list[str], logic: Counter[str], blocks: Counter[str], x: float
) -> Iterable[Markup]:
    grey = [name for name in names if colour(name) == OTHER]
    named = [name for name in names if name not in grey]
    entries = [(name, [name]) for name in named]
    entries += [(", ".join(grey), grey)] if grey else []
    for row, (word, members) in enumerate(entries):
        cells, more = sum(logic[n] for n in members), sum(blocks[n] for n in members)
        told = f"{number(cells)} cells" + (f", {more} blocks" if more else "")
        yield rect(x, 2 * ROW * row + 4, 12, 12, fill=colour(members[0]))
        yield text(x + 18, 2 * ROW * row + 14, word)
        yield text(x + 18, 2 * ROW * row + 30, told, class_="axis")
