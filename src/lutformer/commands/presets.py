"""``lutformer presets``."""

__all__ = ["EXAMPLES", "presets"]

EXAMPLES = ("lutformer presets",)


def presets() -> None:
    """List the presets: a network, its recipe and data."""
    from ..console import table
    from ..model.presets import PRESETS

    table(
        ("preset", "image", "patch", "width", "depth", "heads", "LUTs", "data", "for"),
        [
            (
                name,
                f"{p.model.height}x{p.model.width}x{p.model.channels}",
                f"{p.model.patch_height}x{p.model.patch_width}",
                p.model.dim,
                p.model.depth,
                p.model.heads,
                "+".join(map(str, p.model.luts)),
                p.data,
                p.summary,
            )
            for name, p in PRESETS.items()
        ],
    )
