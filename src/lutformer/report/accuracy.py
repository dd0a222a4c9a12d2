"""How good a network is on all that it has not seen, recorded."""

from pathlib import Path
from typing import Any

from ..families import family_of
from ..model.network.stored_network import StoredNetwork
from ..workspace import Workspace

__all__ = ["measured"]


def measured(
    workspace: Workspace, network: StoredNetwork, source: str | Path | None = None
) -> dict[str, Any]:
    """Return the record of how good a network is; an earlier one of these very data serves.

    Raises
    ------
    NoData
        If there are no data, or they do not suit the network.
    """
    family = family_of(network)
    data = family.held_out(network, source)
    known = {"network": network.hash, "data": data.name, "fingerprint": data.fingerprint}
    earlier = workspace.read(workspace.accuracy) or {}
    if known.items() <= earlier.items():
        return earlier
    record = known | family.measure(network, data)
    workspace.write(workspace.accuracy, record)
    return record
