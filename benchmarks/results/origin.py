"""Where and when a figure was measured."""

import subprocess
from pathlib import Path

__all__ = ["ROOT", "commit"]

ROOT = Path(__file__).parents[2]


def commit() -> str:
    """Return the commit at hand, with ``-dirty`` if files differ from it; else ``unknown``."""
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip() or "unknown"
