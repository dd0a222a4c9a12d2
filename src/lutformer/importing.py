"""From a model that torch-dwn trained to the network file."""

from pathlib import Path
from typing import TYPE_CHECKING

from .exporting import checked, remember
from .families.equality import Equality
from .model.data.table import Table, load_table
from .model.network.network_file import save_network
from .model.network.weightless_classifier import WeightlessClassifier, weightless_classifier
from .workspace import writable

if TYPE_CHECKING:
    from .model.nn.training.torch_dwn import TorchDwn

__all__ = ["import_network", "is_foreign"]

FOREIGN = (".pt", ".pth", ".json")


def is_foreign(path: Path) -> bool:
    """Tell by its name whether a file may hold a torch-dwn model; ours end otherwise."""
    return path.suffix.lower() in FOREIGN


def import_network(
    model: Path,
    output: Path,
    data: Path | None = None,
    *,
    thermometer: Path | None = None,
    classes: int | None = None,
    scale: float | None = None,
) -> tuple[WeightlessClassifier, Equality | None]:
    """Write the network of a torch-dwn model; return it and the comparison's counts.

    With data, words are as narrow as they allow, and every bit and count of the held-out rows by
    torch-dwn's rules on real numbers is compared with the golden run.

    Parameters
    ----------
    model, output : Path
    data : Path or None
        What ``lutformer train`` takes.
    thermometer, classes, scale
        As in :func:`load_torch_dwn`.

    Raises
    ------
    CheckpointError
        If the model cannot be used.
    NotEqual
        If any integer differs; nothing is written.
    """
    from .model.nn.training.torch_dwn import load_torch_dwn

    found = load_torch_dwn(model, thermometer, classes, scale)
    origin: dict[str, object] = {"imported": model.name}
    if data is None:
        network, equality = found.network(origin=origin), None
    else:
        network, equality = _with_data(found, load_table(data), origin)
    writable(output.parent)
    save_network(network, output)
    return network, equality


def _with_data(
    found: "TorchDwn", table: Table, origin: dict[str, object]
) -> tuple[WeightlessClassifier, Equality]:
    names = table.class_names if len(table.class_names) == found.classes else ()
    origin |= {"data": {"name": table.name}}
    network = found.network(table.all_rows, names, origin)
    encoder = network.encoder
    equality = checked(
        "golden == torch-dwn",
        found.integers,
        lambda rows: weightless_classifier(network, encoder.words(rows)),
        table.test_rows,
    )
    return remember(network, equality), equality
