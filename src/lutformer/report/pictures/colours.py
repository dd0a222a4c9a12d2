"""The colour of each engine, the same in every picture."""

__all__ = ["BAD", "GOOD", "OTHER", "colour"]

GOOD = "#2f7ed8"
BAD = "#d64545"
OTHER = "#9aa5b1"

_ENGINES = {
    "matvec": "#e8833a",
    "attention": "#2f7ed8",
    "mlp": "#3aa657",
    "layer_norm": "#9b5fc0",
    "residual": "#d64545",
    "embedding": "#d64545",
    "patches": "#17a2b0",
    "coder": "#b8860b",
    "engine": "#3aa657",
    "encoder": "#17a2b0",
    "sampler": "#d45fa6",
    "argmax": "#d45fa6",
    "reader": "#8c6d5a",
    "store": "#b8860b",
    "link": "#6b7785",
}


def colour(engine: str) -> str:
    """Return the colour of an engine; grey without one of its own."""
    return _ENGINES.get(engine, OTHER)
