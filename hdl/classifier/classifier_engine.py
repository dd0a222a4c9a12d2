"""The form in which a plan builds a weightless classifier."""

from ...model.network import weightless_classifier as golden
from ..plan.classifier_plan import ClassifierPlan
from .folded_classifier import FoldedClassifier
from .weightless_classifier import WeightlessClassifier

__all__ = ["ClassifierEngine", "classifier_engine"]

ClassifierEngine = WeightlessClassifier | FoldedClassifier


def classifier_engine(
    network: golden.WeightlessClassifier, plan: ClassifierPlan, *, encoded: bool = False
) -> ClassifierEngine:
    """Return the component that ``plan`` asks for; all have the same streams."""
    kind = FoldedClassifier if plan.lanes else WeightlessClassifier
    return kind(network, plan, encoded=encoded)
