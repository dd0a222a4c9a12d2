"""The least cycles of a weightless classifier under any schedule."""

from ...model.network.lut_pruning import prune
from ...model.network.weightless_classifier import WeightlessClassifier
from ..classifier.folded_lut_layers import FoldedShape
from ..classifier.folded_tables import folded_tables
from ..classifier.serial_encoder import encoder_cycles
from ..plan.classifier_plan import ClassifierPlan

__all__ = ["classifier_bound"]


def classifier_bound(
    network: WeightlessClassifier, plan: ClassifierPlan, *, core: bool
) -> dict[str, int]:
    """Return the least cycles of each engine, and the largest of them as ``bound``.

    The encoder of a board top compares one threshold a cycle; a core alone gets whole samples.
    Folded layers look up ``plan.lanes`` tables a cycle. Nothing is returned for a circuit that
    takes a sample every cycle.
    """
    pruned = prune(network)
    cycles = {} if core else {"encoder": encoder_cycles(network.encoder, pruned)}
    if plan.lanes:
        tables = folded_tables(pruned, plan.lanes)
        cycles["tables"] = sum(FoldedShape(tuple(tables), plan.lanes).steps)
    return cycles | {"bound": max(cycles.values())} if cycles else {}
