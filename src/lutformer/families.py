"""What differs between families of networks on the way from data to a trained network."""

from functools import singledispatch
from pathlib import Path
from typing import Any

from .errors import UsageError
from .model.classifier_config import ClassifierConfig
from .model.config import VitConfig
from .model.data import Dataset, load_data
from .model.table import Table, load_table

__all__ = ["Data", "Shape", "columns", "load_for", "shape_of"]

Data = Dataset | Table
Shape = VitConfig | ClassifierConfig


@singledispatch
def load_for(shape: Shape, source: str | Path, label: str | None = None) -> Data:
    """Load data that networks of that shape can be trained on.

    Parameters
    ----------
    shape : Shape
    source : str or Path
        Name, file or folder.
    label : str or None
        Column of the labels, of CSV files.
    """
    raise TypeError(f"{type(shape).__name__} is no shape of a network")


@load_for.register
def _(shape: VitConfig, source: str | Path, label: str | None = None) -> Dataset:
    if label is not None:
        raise UsageError("--label names a column of a .csv file: transformers take images")
    return load_data(source)


@load_for.register
def _(shape: ClassifierConfig, source: str | Path, label: str | None = None) -> Table:
    return load_table(source, label)


@singledispatch
def shape_of(data: Data) -> dict[str, Any]:
    """Return the fields of a network's shape that follow the data."""
    raise TypeError(f"{type(data).__name__} is no dataset")


@shape_of.register
def _(data: Dataset) -> dict[str, Any]:
    height, width, channels = data.shape
    size = {"height": height, "width": width, "channels": channels}
    return size | {"classes": len(data.class_names)}


@shape_of.register
def _(data: Table) -> dict[str, Any]:
    return {"features": data.features, "classes": len(data.class_names)}


@singledispatch
def columns(shape: Shape) -> dict[str, object]:
    """Return what a list of presets says about a network, by the name of the column."""
    raise TypeError(f"{type(shape).__name__} is no shape of a network")


@columns.register
def _(shape: VitConfig) -> dict[str, object]:
    return {
        "image": f"{shape.height}x{shape.width}x{shape.channels}",
        "patch": f"{shape.patch_height}x{shape.patch_width}",
        "width": shape.dim,
        "depth": shape.depth,
        "heads": shape.heads,
        "LUTs": "+".join(map(str, shape.luts)),
    }


@columns.register
def _(shape: ClassifierConfig) -> dict[str, object]:
    return {
        "features": shape.features,
        "bits each": shape.thermometer_bits,
        "LUTs": "+".join(map(str, shape.luts)),
        "inputs each": shape.fan_in,
        "wiring": shape.mapping,
    }
