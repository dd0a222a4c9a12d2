"""The claims to prove about a build directory, by the family of its network."""

from collections.abc import Iterator
from functools import singledispatch

from ..model.network.stored_network import StoredNetwork
from ..model.network.transformer import Transformer
from ..model.network.weightless_classifier import WeightlessClassifier
from ..workspace import Workspace
from .board_proof import board_task
from .claims import Task
from .classifier_proofs import classifier_tasks
from .layer_proofs import layer_tasks

__all__ = ["tasks"]


@singledispatch
def tasks(network: StoredNetwork, workspace: Workspace) -> Iterator[Task]:
    """Yield all that can be claimed about the Verilog of ``network`` in ``workspace``."""
    raise TypeError(f"{type(network).__name__} is of no known family")


@tasks.register
def _(network: Transformer, workspace: Workspace) -> Iterator[Task]:
    yield from layer_tasks(network, workspace)
    yield board_task(workspace)


@tasks.register
def _(network: WeightlessClassifier, workspace: Workspace) -> Iterator[Task]:
    yield from classifier_tasks(network, workspace)
