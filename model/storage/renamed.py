"""Former names of options and fields, which files and command lines may still use."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["OPTIONS", "PLAN", "present_names"]

OPTIONS = {"keep": "top_k", "penalty": "alibi"}
"""Of a transformer's configuration."""
PLAN = {
    "inputs": "in_lanes",
    "rows": "out_lanes",
    "narrow": "two_cycle_multiply",
    "stored": "external_weights",
}
"""Of a transformer's plan."""

log = logging.getLogger("lutformer")


def present_names(
    values: Mapping[str, Any], renamed: Mapping[str, str], known: Iterable[str]
) -> dict[str, Any]:
    """Return ``values`` under present names, with a line of notice for each former one.

    Parameters
    ----------
    values : mapping
    renamed : mapping
        Present names by former ones.
    known : iterable of str
        Names that are fields today; a former name among them is left alone.

    Raises
    ------
    ValueError
        If a value is given by both of its names.
    """
    names, found = set(known), dict(values)
    for former, name in renamed.items():
        if former in found and former not in names and name in names:
            if name in found:
                raise ValueError(f"{name} is given twice: its former name is {former}")
            log.warning("Note: %s is called %s now; the former name still works", former, name)
            found[name] = found.pop(former)
    return found
