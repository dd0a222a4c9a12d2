"""The accuracy of a network, by the golden integer run over all held-out inputs."""

from itertools import islice
from typing import Any

import numpy as np

from ..console import notes, progress
from ..families.labelled import Labelled
from ..families.results import golden_answers
from ..model.data.text import Text
from ..model.network.class_names import class_names
from ..model.network.generation import generate
from ..model.network.gpt import Gpt
from ..model.network.stored_network import StoredNetwork
from ..model.network.text_loss import can_read_on, endless_loss, golden_loss
from ..model.sampling import Sampler, Sampling
from ..workspace import Workspace

__all__ = ["measured_accuracy", "measured_loss", "sample"]

BATCH = 256
SAMPLE_TOKENS = 300
SAMPLE_TEMPERATURE = 0.8


def measured_accuracy(
    workspace: Workspace, network: StoredNetwork, data: Labelled
) -> dict[str, Any]:
    """Return the record of accuracy and confusions; an earlier one of these very inputs serves."""
    known = _known(network, data)
    earlier = workspace.read(workspace.accuracy) or {}
    if known.items() <= earlier.items():
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


def measured_loss(workspace: Workspace, network: Gpt, text: Text) -> dict[str, Any]:
    """Return the record of a decoder's loss; an earlier one of this very text serves."""
    known = _known(network, text)
    earlier = workspace.read(workspace.accuracy) or {}
    if known.items() <= earlier.items() and "sample" in earlier:
        return earlier
    with notes.status("Reading the held-out text"):
        loss, accuracy = golden_loss(network, text)
        on = endless_loss(network, text) if can_read_on(network, text) else None
        said = sample(network)
    record = {
        **known,
        "integer": accuracy,
        "loss": round(loss, 4),
        "reading_on": None if on is None else round(on, 4),
        "images": text.held_out(network.block_size)[1].size,
        "sample": said,
    }
    workspace.write(workspace.accuracy, record)
    return record


def sample(network: Gpt) -> str:
    """Return a decoder's text after an empty prompt, from a fixed seed."""
    vocabulary = network.vocabulary
    sampler = Sampler(Sampling(temperature=network.temperature(SAMPLE_TEMPERATURE)))
    made = generate(network, vocabulary.prompt(""), sampler)
    return vocabulary.decode(one.token for one in islice(made, SAMPLE_TOKENS))


def _known(network: StoredNetwork, data: Labelled | Text) -> dict[str, Any]:
    return {"network": network.hash, "data": data.name, "fingerprint": data.fingerprint}
