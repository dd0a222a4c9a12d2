"""How often a network is right, by the golden integer run over all held-out images."""

from typing import Any

import numpy as np

from .console import progress
from .model.data import Dataset
from .model.golden import golden
from .model.network import Network
from .workspace import Workspace

__all__ = ["measured_accuracy"]

BATCH = 256


def measured_accuracy(workspace: Workspace, network: Network, data: Dataset) -> dict[str, Any]:
    """Return the record of accuracy and confusions; an earlier one of these very inputs serves."""
    inputs = {"network": network.hash, "data": data.name, "fingerprint": data.fingerprint}
    earlier = workspace.read(workspace.accuracy) or {}
    if all(earlier.get(name) == value for name, value in inputs.items()):
        return earlier
    found = []
    with progress("accuracy", len(data.test_images)) as advance:
        for start in range(0, len(data.test_images), BATCH):
            found.append(golden(network, data.test_images[start : start + BATCH]).classes)
            advance(min(start + BATCH, len(data.test_images)))
    classes = np.concatenate(found)
    confusion = np.zeros((network.classes, network.classes), int)
    np.add.at(confusion, (data.test_labels, classes), 1)
    record = {
        **inputs,
        "integer": float((classes == data.test_labels).mean()),
        "images": len(classes),
        "confusion": confusion.tolist(),
    }
    workspace.write(workspace.accuracy, record)
    return record
