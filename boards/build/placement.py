"""The locations of a design's cells after place and route."""

import json
from pathlib import Path

__all__ = ["keep_places", "read_places"]

BEL = "NEXTPNR_BEL"


def keep_places(routed: Path, places: Path) -> None:
    """Write the place of each cell of nextpnr's ``--write`` file ``routed``; remove that file.

    It holds every wire of the routing and is a hundred times as large as what is kept.
    """
    cells = json.loads(routed.read_text())["modules"]["top"]["cells"].items()
    kept = {name: cell["attributes"][BEL] for name, cell in cells if BEL in cell["attributes"]}
    places.write_text(json.dumps(kept, indent=0) + "\n")
    routed.unlink()


def read_places(places: Path) -> dict[str, str]:
    """Return the site of each placed cell, such as ``X12/Y5/lc3``."""
    return json.loads(places.read_text())
