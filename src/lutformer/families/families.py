"""What differs between families of networks on the way from data to a trained network."""

from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..model.config.classifier import ClassifierConfig
from ..model.config.gpt import GptConfig
from ..model.config.transformer import VitConfig
from ..model.data.images import Dataset, load_data
from ..model.data.table import Table, load_table
from ..model.data.text import Text, load_text

if TYPE_CHECKING:
    from ..model.nn.training.train import TrainResult

__all__ = ["Data", "Shape", "columns", "load_for", "shape_of", "verdict"]

Data = Dataset | Table | Text
Shape = VitConfig | ClassifierConfig | GptConfig


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


@load_for.register
def _(shape: GptConfig, source: str | Path, label: str | None = None) -> Text:
    if label is not None:
        raise UsageError("--label names a column of a .csv file: decoders take texts")
    return load_text(source)


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


@shape_of.register
def _(data: Text) -> dict[str, Any]:
    return {"vocabulary": data.vocabulary.size}


@singledispatch
def verdict(data: Data, result: "TrainResult") -> str:
    """Return a sentence about a trained network's accuracy on held-out data."""
    raise TypeError(f"{type(data).__name__} is no dataset")


@verdict.register(Dataset | Table)
def _(data: Dataset | Table, result: "TrainResult") -> str:
    return f"Accuracy on {len(data.test_labels)} held-out images: {result.test_accuracy:.2%}"


@verdict.register(Text)
def _(data: Text, result: "TrainResult") -> str:
    last, best = result.validation_losses[-1], min(result.validation_losses)
    return (
        f"Loss on {len(data.test_tokens)} held-out characters: {last:.4f} nats each, the best "
        f"{best:.4f}; {result.test_accuracy:.2%} right"
    )


@singledispatch
def columns(shape: Shape) -> dict[str, object]:
    """Return the cells of a network in the list of presets, by column."""
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


@columns.register
def _(shape: GptConfig) -> dict[str, object]:
    return {
        "block": shape.block_size,
        "width": shape.dim,
        "depth": shape.depth,
        "heads": shape.heads,
        "attention": shape.attention,
        "LUTs": "+".join(map(str, shape.luts)),
        "weights": shape.weights,
    }
