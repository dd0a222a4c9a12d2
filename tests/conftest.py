"""Set up every test session."""

import os
import shutil
from pathlib import Path


def share_compiled_objects() -> None:
    """Have Verilator's makefiles compile through ccache, if it is installed.

    Every program links the same five files of Verilator's and cocotb's runtime, four fifths of the
    compilation of a small circuit. ccache compares what the compiler reads, so that a changed
    circuit is compiled anew. A session within a session, as those of the planted faults, shares
    the objects of the outer one.
    """
    if ccache := shutil.which("ccache"):
        os.environ.setdefault("OBJCACHE", ccache)
        os.environ.setdefault("CCACHE_DIR", str(Path(__file__).parents[1] / "build" / "ccache"))
        os.environ.setdefault("CCACHE_MAXSIZE", "200M")


share_compiled_objects()

pytest_plugins = ["tests.designs"]
"""Fixtures that the tests of the board flow and of the netlist proofs share."""
