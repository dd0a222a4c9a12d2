"""``lutformer presets``."""

__all__ = ["EXAMPLES", "presets"]

EXAMPLES = ("lutformer presets",)


def presets() -> None:
    """List the presets: networks with their recipes and data."""
    from itertools import groupby

    from ..console import table
    from ..families import family_of
    from ..model.config.presets import PRESETS

    for _, members in groupby(PRESETS.items(), lambda item: type(item[1].model)):
        rows = [
            {
                "preset": name,
                **family_of(p.model).columns(p.model),
                "data": p.data,
                "for": p.summary,
            }
            for name, p in members
        ]
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
