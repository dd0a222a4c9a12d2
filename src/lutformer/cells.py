"""Verilog that holds cells of a chip, for a simulator."""

import re
from pathlib import Path

from .hdl.luts.fabric import FABRICS
from .sim.formal.cell_models import cell_models
from .workspace import write_text

__all__ = ["with_models"]


def with_models(verilog: Path, directory: Path) -> Path:
    """Return a copy in ``directory`` that ends with models of the cells, if there are any."""
    text = verilog.read_text()
    cells = {name: fabric.cell for name, fabric in FABRICS.items() if fabric.cell}
    used = {name: cell for name, cell in cells.items() if re.search(rf"^ *{cell} #", text, re.M)}
    if not used:
        return verilog
    directory.mkdir(parents=True, exist_ok=True)
    models = "".join(cell_models(family, [cell]) for family, cell in used.items())
    complete = directory / f"with_cells_{verilog.name}"
    write_text(complete, f"{text}\n{models}")
    return complete
