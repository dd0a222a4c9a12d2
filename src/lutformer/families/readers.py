"""Files of inputs that a user gives."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError

__all__ = ["ARRAYS", "read_file"]

Reader = Callable[[Path], NDArray[Any]]


def _npy(path: Path) -> NDArray[Any]:
    return np.load(path, allow_pickle=False)


def _npz(path: Path) -> NDArray[Any]:
    with np.load(path, allow_pickle=False) as file:
        return file[file.files[0]]


ARRAYS: dict[str, Reader] = {".npy": _npy, ".npz": _npz}
"""By suffix what reads an array; of several in an ``.npz`` file the first."""


def read_file(path: Path, readers: Mapping[str, Reader], what: str) -> NDArray[Any]:
    """Return the array in a file by the reader of its suffix.

    Raises
    ------
    UsageError
        If there is no such file or reader, or the file is not ``what`` it should be.
    """
    reader = readers.get(path.suffix.lower())
    if reader is None:
        kinds = ", ".join(sorted(readers))
        raise UsageError(f"{str(path)!r} is of an unknown kind: give one of {kinds}")
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise UsageError(f"There is no file {str(path)!r}") from error
    except (OSError, ValueError, EOFError, IndexError, SyntaxError) as error:
        raise UsageError(f"{str(path)!r} is not a readable {what} ({error})") from error
