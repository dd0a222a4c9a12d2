"""Images in files: NumPy arrays and pictures, brought to the bytes that a network takes."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from ..model.data.images import to_bytes
from ..model.network.vit import Network
from .readers import ARRAYS, read_file

__all__ = ["read_images"]

PICTURES = {".png", ".bmp", ".pgm", ".ppm", ".gif", ".jpg", ".jpeg"}


def read_images(path: Path, network: Network, *, raw: bool = False) -> NDArray[np.uint8]:
    """Return the images [images, height, width, channels] of a file.

    An ``.npy`` file holds one image or several, an ``.npz`` file several in its first array.
    Pictures are taken as they are, in grey or colour as the network has it; they must have the
    right size.

    Parameters
    ----------
    path : Path
    network : Network
        Whose input it is to be.
    raw : bool
        Pixels of arrays reach from 0 to the largest raw value of the training data and are
        scaled; otherwise they are the bytes themselves.

    Raises
    ------
    UsageError
        If the file cannot be read or its images do not suit the network.
    """
    e = network.embedding
    shape = (e.height, e.width, e.channels)
    picture = partial(_picture, channels=e.channels)
    array = read_file(path, {**ARRAYS, **dict.fromkeys(PICTURES, picture)}, "image file")
    if array.ndim == 2 or (e.channels == 1 and array.ndim == 3 and array.shape[1:] == shape[:2]):
        array = array[..., None]  # a grey image, or several, without the channel axis
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[1:] != shape or not len(array):
        raise UsageError(
            f"{str(path)!r} is of shape {array.shape}; the network takes images of "
            f"{e.height}x{e.width} with {e.channels} channel{'s' * (e.channels > 1)}"
        )
    return _as_bytes(array, network.pixel_max if raw else 255, path)


def _picture(path: Path, channels: int) -> NDArray[Any]:
    from PIL import Image  # slow to import

    with Image.open(path) as picture:
        return np.asarray(picture.convert("L" if channels == 1 else "RGB"))


def _as_bytes(array: NDArray[Any], pixel_max: int, path: Path) -> NDArray[np.uint8]:
    values = array.astype(np.int64)
    if not np.array_equal(values, array) or values.min() < 0 or values.max() > pixel_max:
        raise UsageError(f"Pixels of {str(path)!r} must be integers from 0 to {pixel_max}")
    return to_bytes(values, pixel_max)
