"""Labelled rows of real features, from CSV files, ``.npz`` files, or the pixels of images."""

import csv
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .images import Dataset, fingerprint_of, load_data, numbered, open_npz, stratified
from .labels import DataError, texts_as_classes

__all__ = ["TEST_PART", "Table", "as_table", "load_table", "validation_rows"]

TEST_PART = 0.25
"""Share of the rows of a single file that is held out."""

TEST_SEED = 0

FEWEST_COUNTED = 20
"""Rows from which a column that counts them is no coincidence."""

TRAIN_CSV, TEST_CSV = "train.csv", "test.csv"

log = logging.getLogger("lutformer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """Rows and labels, the part to train on and the part held out.

    Attributes
    ----------
    name : str
    train_rows, test_rows : float64 [rows, features]
    train_labels, test_labels : int64 [rows]
    class_names : tuple of str
    label : str or None
        Column of the labels, if a CSV file was told.
    """

    name: str
    train_rows: NDArray[np.float64]
    train_labels: NDArray[np.int64]
    test_rows: NDArray[np.float64]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    label: str | None = None

    @property
    def features(self) -> int:
        """F."""
        return self.train_rows.shape[1]

    @property
    def all_rows(self) -> NDArray[np.float64]:
        """Rows of both parts."""
        return np.concatenate([self.train_rows, self.test_rows])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of rows and labels, in hexadecimal."""
        return fingerprint_of(self.train_rows, self.train_labels, self.test_rows, self.test_labels)


def as_table(data: Dataset) -> Table:
    """Return the images of ``data`` as rows of their raw pixels, 0 to ``pixel_max``."""

    def raw(images: NDArray[np.uint8]) -> NDArray[np.float64]:
        rows = images.reshape(len(images), -1).astype(np.int64)
        if data.pixel_max < 255:
            rows = (2 * rows * data.pixel_max + 255) // 510  # undoes `to_bytes`
        return rows.astype(np.float64)

    return Table(
        name=data.name,
        train_rows=raw(data.train_images),
        train_labels=data.train_labels,
        test_rows=raw(data.test_images),
        test_labels=data.test_labels,
        class_names=data.class_names,
    )


def validation_rows(table: Table, part: float = 0.25, seed: int = 1) -> Table:
    """Split the training part of ``table`` again, to choose settings without the test part."""
    train, test = stratified(table.train_labels, part, seed)
    return Table(
        name=f"{table.name}, validation",
        train_rows=table.train_rows[train],
        train_labels=table.train_labels[train],
        test_rows=table.train_rows[test],
        test_labels=table.train_labels[test],
        class_names=table.class_names,
    )


def load_table(source: str | Path, label: str | None = None) -> Table:
    """Load rows: CSV files, an ``.npz`` file of rows, or any images that ``load_data`` takes.

    A CSV file has a header, numeric features, and one column of labels, which may be any text; a
    stratified quarter of its rows is held out. A folder with ``train.csv`` and ``test.csv`` says
    itself which. An ``.npz`` file holds ``x_train`` and ``x_test`` [rows, features], ``y_train``
    and ``y_test``.

    Parameters
    ----------
    source : str or Path
    label : str or None
        Name of the column of labels, of CSV files; the last if None.

    Raises
    ------
    DataError
        If there is no such file, or it is damaged.
    """
    path = Path(source)
    if path.suffix.lower() == ".csv" and path.is_file():
        return _split_csv(path, label)
    if (path / TRAIN_CSV).is_file():
        return _load_csv(path, label)
    if label is not None:
        raise DataError(f"{source} has no columns of which {label!r} could be one: give .csv files")
    if path.suffix.lower() == ".npz" and path.is_file() and _holds_rows(path):
        return _load_rows(path)
    return as_table(load_data(source))


def _split_csv(path: Path, label: str | None) -> Table:
    _, rows, labels = _read_csv(path, label)
    (numbers,), names = _classes(path, [labels])
    counts = np.bincount(numbers)
    if counts.min() < 2:
        rare = names[int(counts.argmin())]
        raise DataError(f"{path} has a single row of class {rare!r}: none of it can be held out")
    if len(rows) * TEST_PART < len(names):
        raise DataError(f"{path} has too few rows to hold out one of each of {len(names)} classes")
    train, test = stratified(numbers, TEST_PART, TEST_SEED)
    arrays = (rows[train], numbers[train], rows[test], numbers[test])
    return _table(path.stem, arrays, names, label)


def _load_csv(folder: Path, label: str | None) -> Table:
    header, rows, labels = _read_csv(folder / TRAIN_CSV, label)
    test_header, test_rows, test_labels = _read_csv(folder / TEST_CSV, label)
    if test_header != header:
        raise DataError(f"{folder / TEST_CSV} has other columns than {TRAIN_CSV} beside it")
    (train, test), names = _classes(folder, [labels, test_labels])
    return _table(folder.name, (rows, train, test_rows, test), names, label)


def _classes(
    path: Path, labels: Sequence[Sequence[str]]
) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    try:
        return texts_as_classes(labels)
    except DataError as error:
        raise DataError(f"{path} cannot be used: {error}") from error


def _read_csv(path: Path, label: str | None) -> tuple[list[str], NDArray[np.float64], list[str]]:
    """Return names of all columns, features, and labels."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            lines = [(reader.line_num, line) for line in reader if line]
        (_, header), *lines = lines
    except (OSError, UnicodeDecodeError, csv.Error, ValueError) as error:
        raise DataError(f"{path} is not a readable .csv file with a header ({error})") from error
    header = [name.strip() for name in header]
    if label is not None and label not in header:
        raise DataError(f"{path} has no column {label!r}; its columns are {', '.join(header)}")
    column = header.index(label) if label is not None else len(header) - 1
    if len(header) < 2 or not lines:
        raise DataError(f"{path} must have a header, a column of features, one of labels, and rows")
    _check_header(path, header, column)
    rows = np.empty((len(lines), len(header) - 1))
    labels = []
    for n, (number, line) in enumerate(lines):
        rows[n] = _features(path, number, line, column, header)
        labels.append(_label(path, number, line[column].strip(), header[column]))
    _notice_row_numbers(path, rows, [name for n, name in enumerate(header) if n != column])
    return header, rows, labels


def _check_header(path: Path, header: list[str], label: int) -> None:
    twice = next((name for name in header if header.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path} has two columns called {twice!r}; rename one")
    if all(_number(name) is not None for n, name in enumerate(header) if n != label):
        raise DataError(
            f"{path} begins with numbers where the names of its columns should be "
            f"({', '.join(header[:4])}); add a header, or a row is lost"
        )


def _features(
    path: Path, number: int, line: list[str], label: int, header: list[str]
) -> list[float]:
    if len(line) != len(header):
        raise DataError(f"{path}, line {number}: {len(line)} values under {len(header)} names")
    values = []
    for n, (text, name) in enumerate(zip(line, header, strict=True)):
        if n == label:
            continue
        value = _number(text)
        if value is None or not math.isfinite(value):
            raise DataError(
                f"{path}, line {number}, column {name!r}: features must be finite numbers, "
                f"not {text!r}"
            )
        values.append(value)
    return values


def _label(path: Path, number: int, text: str, name: str) -> str:
    if not text or not text.isprintable():
        what = "has no label" if not text else f"has the label {text!r}, which is no plain text"
        raise DataError(f"{path}, line {number}, column {name!r}: the row {what}")
    return text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _notice_row_numbers(path: Path, rows: NDArray[np.float64], names: list[str]) -> None:
    """Say which columns count the rows: what is learned of them is worth nothing on others."""
    if len(rows) < FEWEST_COUNTED:
        return
    for name, column in zip(names, rows.T, strict=True):
        if (np.diff(column) == 1).all():
            log.warning(
                "Note: column %r of %s counts the rows, and is taken as a feature; "
                "remove it if it is an index",
                name,
                path,
            )


def _holds_rows(path: Path) -> bool:
    with open_npz(path) as file:
        return "x_train" in file.files and file["x_train"].ndim == 2


def _load_rows(path: Path) -> Table:
    keys = ("x_train", "y_train", "x_test", "y_test")
    with open_npz(path, keys) as file:
        arrays: tuple[Any, ...] = tuple(file[key] for key in keys)
        names = tuple(str(n) for n in file["class_names"]) if "class_names" in file.files else ()
    return _table(path.stem, arrays, names)


def _table(
    name: str, arrays: tuple[Any, ...], class_names: tuple[str, ...], label: str | None = None
) -> Table:
    """Check arrays (rows, labels, rows, labels) and bring them to their final form."""

    def refuse_unless(condition: bool, rule: str) -> None:
        if not condition:
            raise DataError(f"Dataset {name} cannot be used: {rule}")

    rows, labels = arrays[::2], arrays[1::2]
    for x, y in zip(rows, labels, strict=True):
        refuse_unless(
            x.ndim == 2 and x.dtype.kind in "iuf", "rows must be numbers, [rows, features]"
        )
        refuse_unless(y.ndim == 1 and y.dtype.kind in "iu", "labels must be integers [rows]")
        refuse_unless(len(x) == len(y) > 0, f"it has {len(x)} rows for {len(y)} labels")
        refuse_unless(bool(np.isfinite(x).all()), "features must be finite numbers")
    refuse_unless(
        rows[0].shape[1] == rows[1].shape[1] > 0, "training and test rows differ in their features"
    )
    classes, class_names = numbered(name, labels, class_names)
    return Table(
        name=name,
        train_rows=rows[0].astype(np.float64),
        train_labels=classes[0],
        test_rows=rows[1].astype(np.float64),
        test_labels=classes[1],
        class_names=class_names,
        label=label,
    )
