"""Labelled images as bytes, from scikit-learn, ``.npz`` files or IDX folders."""

import gzip
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import DataError, classes_of, named_classes

__all__ = [
    "DATASETS",
    "DataError",
    "Dataset",
    "fingerprint_of",
    "load_data",
    "numbered",
    "open_npz",
    "stratified",
    "to_bytes",
    "validation_split",
]

HELD_OUT_SEED = 0
"""Seed of the stratified split of digits: the held-out quarter is the same on every machine."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Images and labels, the part to train on and the part held out.

    Attributes
    ----------
    name : str
    train_images, test_images : uint8 [images, height, width, channels]
    train_labels, test_labels : int64 [images]
    class_names : tuple of str
    pixel_max : int
        Largest raw pixel value; it became byte 255.
    """

    name: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    pixel_max: int = 255

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return self.train_images.shape[1:]  # type: ignore[return-value]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of images and labels, in hexadecimal."""
        return fingerprint_of(
            self.train_images, self.train_labels, self.test_images, self.test_labels
        )


def fingerprint_of(*arrays: NDArray[Any]) -> str:
    """Return the SHA-256 of shapes and values, in hexadecimal."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def to_bytes(pixels: NDArray[Any], pixel_max: int) -> NDArray[np.uint8]:
    """Scale raw pixels 0 to ``pixel_max`` to bytes: ``round(pixel * 255 / pixel_max)``, half up."""
    pixels = np.asarray(pixels, np.int64)
    return ((pixels * 510 + pixel_max) // (2 * pixel_max)).astype(np.uint8)


def load_data(source: str | Path) -> Dataset:
    """Load a dataset by name (a key of :data:`DATASETS`), ``.npz`` file or folder.

    A folder holds IDX files under the names of MNIST, gzipped or not, or one ``.npz`` file. An
    ``.npz`` file holds ``x_train``, ``y_train``, ``x_test``, ``y_test`` and, if they differ from
    255 and the numbers of the classes, ``pixel_max`` and ``class_names``.

    Raises
    ------
    DataError
        If there is no such dataset, or it is damaged.
    """
    if isinstance(source, str) and source in DATASETS:
        return DATASETS[source]()
    path = Path(source)
    if path.is_dir():
        archives = sorted(path.glob("*.npz"))
        return _load_npz(archives[0]) if len(archives) == 1 else _load_idx(path)
    if path.is_file():
        return _load_npz(path)
    raise DataError(
        f"There is no dataset {str(source)!r}: give one of {', '.join(DATASETS)}, an .npz file, "
        "or a folder of IDX files"
    )


def validation_split(data: Dataset, part: float = 0.25, seed: int = 1) -> Dataset:
    """Split the training part of ``data`` again, to choose settings without the test part."""
    images, labels = data.train_images, data.train_labels
    train, test = stratified(labels, part, seed)
    return Dataset(
        name=f"{data.name}, validation",
        train_images=images[train],
        train_labels=labels[train],
        test_images=images[test],
        test_labels=labels[test],
        class_names=data.class_names,
        pixel_max=data.pixel_max,
    )


def stratified(labels: NDArray[Any], part: float, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return indices of rows to keep and of the ``part`` to hold out, of each class alike."""
    from sklearn.model_selection import train_test_split  # slow to import

    index = np.arange(len(labels))
    train, test = train_test_split(index, test_size=part, random_state=seed, stratify=labels)
    return np.sort(train), np.sort(test)


def numbered(
    name: str, labels: Sequence[NDArray[Any]], class_names: tuple[str, ...]
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return the labels of dataset ``name`` as classes from 0, and the names of the classes.

    With ``class_names`` labels count these from 0; without, each label that occurs is a class.
    """
    try:
        return (
            (named_classes(labels, class_names), class_names) if class_names else classes_of(labels)
        )
    except DataError as error:
        raise DataError(f"Dataset {name} cannot be used: {error}") from error


def _load_digits() -> Dataset:
    """8x8 digits of 17 grey levels, 1797 images: a stratified quarter (450) is held out."""
    from sklearn.datasets import load_digits  # slow to import

    digits: Any = load_digits()
    images, labels = digits.images.astype(np.int64), digits.target
    train, test = stratified(labels, 0.25, HELD_OUT_SEED)
    names = tuple(str(name) for name in digits.target_names)
    return _dataset("digits", (images[train], labels[train], images[test], labels[test]), names, 16)


def _load_fashion() -> Dataset:
    """Fashion-MNIST as Debian's package dataset-fashion-mnist installs it."""
    path = Path("/usr/share/datasets/fashion-mnist")
    if not path.is_dir():
        raise DataError(
            "Fashion-MNIST is not installed: apt-get install dataset-fashion-mnist, "
            "or give its folder"
        )
    return _load_idx(path)


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": _load_digits,
    "fashion-mnist": _load_fashion,
}
"""Loaders by name."""


@contextmanager
def open_npz(path: Path, keys: Sequence[str] = ()) -> Iterator[Any]:
    """Open an ``.npz`` file that holds ``keys``; whatever is wrong with it is a DataError."""
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            missing = [key for key in keys if key not in file.files]
            if missing:
                raise DataError(
                    f"{path} has no array {missing[0]!r}: it must hold {', '.join(keys)}"
                )
            yield file
    except (
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path} is not a readable .npz dataset ({error}); fetch it again"
        ) from error


def _load_npz(path: Path) -> Dataset:
    keys = ("x_train", "y_train", "x_test", "y_test")
    with open_npz(path, keys) as file:
        arrays = tuple(file[key] for key in keys)
        pixel_max = int(file["pixel_max"]) if "pixel_max" in file.files else 255
        names = tuple(str(n) for n in file["class_names"]) if "class_names" in file.files else ()
    return _dataset(path.stem, arrays, names, pixel_max)


def _load_idx(folder: Path) -> Dataset:
    arrays = tuple(
        _read_idx(folder, f"{part}-{kind}-ubyte")
        for part in ("train", "t10k")
        for kind in ("images-idx3", "labels-idx1")
    )
    return _dataset(folder.name, arrays, (), 255)


def _read_idx(folder: Path, name: str) -> NDArray[np.uint8]:
    """Read one IDX file of bytes: magic 0, 0, 8, dimensions; sizes big-endian; data."""
    path = next((p for p in (folder / f"{name}.gz", folder / name) if p.is_file()), None)
    if path is None:
        raise DataError(f"{folder} is no dataset: it has neither {name}.gz nor one .npz file")
    try:
        raw = path.read_bytes()
        data = gzip.decompress(raw) if path.suffix == ".gz" else raw
        zero, kind, dimensions = struct.unpack_from(">HBB", data)
        shape = struct.unpack_from(f">{dimensions}I", data, 4)
        start = 4 + 4 * dimensions
        if (zero, kind) != (0, 8) or len(data) - start != np.prod(shape, dtype=np.int64):
            raise ValueError("its header does not fit its content")
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise DataError(f"{path} is not a readable IDX file ({error}); fetch it again") from error
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _dataset(
    name: str, arrays: tuple[NDArray[Any], ...], class_names: tuple[str, ...], pixel_max: int
) -> Dataset:
    """Check raw arrays (images, labels, images, labels) and bring them to their final form."""

    def refuse_unless(condition: bool, rule: str) -> None:
        if not condition:
            raise DataError(f"Dataset {name} cannot be used: {rule}")

    refuse_unless(1 <= pixel_max <= 65535, f"pixel_max must be 1 to 65535, not {pixel_max}")
    images = [x[..., None] if x.ndim == 3 else x for x in arrays[::2]]
    labels = [y.reshape(-1) if y.ndim == 2 and y.shape[1] == 1 else y for y in arrays[1::2]]
    for x, y in zip(images, labels, strict=True):
        refuse_unless(
            x.ndim == 4 and x.dtype.kind in "iu",
            "images must be integers [images, height, width(, channels)]",
        )
        refuse_unless(y.ndim == 1 and y.dtype.kind in "iu", "labels must be integers [images]")
        refuse_unless(len(x) == len(y) > 0, f"it has {len(x)} images for {len(y)} labels")
        refuse_unless(
            x.min() >= 0 and x.max() <= pixel_max, f"pixels must lie between 0 and {pixel_max}"
        )
    refuse_unless(
        images[0].shape[1:] == images[1].shape[1:], "training and test images differ in size"
    )
    classes, class_names = numbered(name, labels, class_names)
    return Dataset(
        name=name,
        train_images=to_bytes(images[0], pixel_max),
        train_labels=classes[0],
        test_images=to_bytes(images[1], pixel_max),
        test_labels=classes[1],
        class_names=class_names,
        pixel_max=pixel_max,
    )
