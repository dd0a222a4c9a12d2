"""What there is to prove about a build directory, by the family of its network."""

from collections.abc import Iterator
from functools import singledispatch

from .board_proof import board_task
from .claims import Task
from .classifier_proofs import classifier_tasks
from .errors import UsageError
from .layer_proofs import layer_tasks
from .model.network import Network
from .model.network_file import StoredNetwork
from .model.weightless_classifier import WeightlessClassifier
from .workspace import Workspace

__all__ = ["tasks"]


@singledispatch
def tasks(network: StoredNetwork, workspace: Workspace) -> Iterator[Task]:
    """Yield all that can be claimed about the Verilog of ``network`` in ``workspace``."""
    raise UsageError(f"There is nothing to prove about a {type(network).__name__}")


@tasks.register
def _(network: Network, workspace: Workspace) -> Iterator[Task]:
    yield from layer_tasks(network, workspace)
    yield board_task(workspace)


@tasks.register
def _(network: WeightlessClassifier, workspace: Workspace) -> Iterator[Task]:
    yield from classifier_tasks(network, workspace)
