"""How often a network is right, by the golden integer run over all held-out inputs."""

from typing import Any

import numpy as np

from .answers import golden_answers
from .console import progress
from .labelled import Labelled
from .model.class_names import class_names
from .model.network_file import StoredNetwork
from .workspace import Workspace

__all__ = ["measured_accuracy"]

BATCH = 256


def measured_accuracy(
    workspace: Workspace, network: StoredNetwork, data: Labelled
) -> dict[str, Any]:
    """Return the record of accuracy and confusions; an earlier one of these very inputs serves."""
    known = {"network": network.hash, "data": data.name, "fingerprint": data.fingerprint}
    earlier = workspace.read(workspace.accuracy) or {}
    if all(earlier.get(name) == value for name, value in known.items()):
        return earlier
    found = []
    with progress("accuracy", len(data.inputs)) as advance:
        for start in range(0, len(data.inputs), BATCH):
            found.append(golden_answers(network, data.inputs[start : start + BATCH]).classes)
            advance(min(start + BATCH, len(data.inputs)))
    classes = np.concatenate(found)
    size = len(class_names(network))
    confusion = np.zeros((size, size), int)
    np.add.at(confusion, (data.labels, classes), 1)
    record = {
        **known,
        "integer": float((classes == data.labels).mean()),
        "images": len(classes),
        "confusion": confusion.tolist(),
    }
    workspace.write(workspace.accuracy, record)
    return record
