"""First calls of the WebAssembly tools, made at set-up where their wait is seen.

``python -m lutformer.boards.build.warm`` runs each tool once. The first time that compiles it,
which takes seconds to a minute; the result is kept in the user's cache and later calls take none.
"""

import tempfile
import time
from pathlib import Path

from rich.console import Console

from lutformer.errors import ToolMissing

from .tools import TOOLS, call

__all__ = ["warm"]


def warm() -> None:
    """Run every installed WebAssembly tool once; say which had to be compiled and for how long."""
    wasm = {tool.wasm: name for name, tool in TOOLS.items() if tool.wasm and tool.installed}
    if not wasm:
        raise ToolMissing("No place and route tool is installed; run `pip install lutformer`")
    console = Console(highlight=False)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, console.status("") as status:
        log = Path(scratch) / "log"
        for number, name in enumerate(sorted(wasm.values()), start=1):
            status.update(f"Preparing {name} ({number} of {len(wasm)})")
            begin = time.monotonic()
            call(name, ["--help"], cwd=Path(scratch), log=log)
            if "Preparing to run" in log.read_text(errors="replace"):
                console.print(f"{name} compiled in {time.monotonic() - begin:.0f} s")
    console.print(f"FPGA tools are ready ({time.monotonic() - start:.0f} s)")


if __name__ == "__main__":
    warm()
