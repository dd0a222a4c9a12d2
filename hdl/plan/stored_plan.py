"""Plans that lie in a build directory."""

from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from .board_plan import BoardPlan
from .classifier_plan import ClassifierPlan
from .plan import Plan

__all__ = ["read_plan"]


def _kind(fields: Any) -> str:
    """Return the tag of a plan by a field that only plans of classifiers have."""
    return "classifier" if isinstance(fields, dict) and "fabric" in fields else "program"


_STORED: TypeAdapter[BoardPlan] = TypeAdapter(
    Annotated[
        Annotated[Plan, Tag("program")] | Annotated[ClassifierPlan, Tag("classifier")],
        Discriminator(_kind),
    ]
)


def read_plan(text: bytes) -> BoardPlan:
    """Read the JSON of a plan, of whatever family.

    Raises
    ------
    ValidationError
        If it is none.
    """
    return _STORED.validate_json(text)
