"""docs/architecture.md names every field of a plan."""

from pathlib import Path

import pytest

from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.hdl.plan.plan import Plan

PAGE = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize(
    ("kind", "heading"), [(Plan, "decoder's"), (ClassifierPlan, "classifier's")]
)
def test_every_field_is_documented(kind, heading):
    table = PAGE.split(f"{heading} plan | meaning |\n", 1)[1].split("\n\n", 1)[0]
    named = [row.split(" | ")[0] for row in table.splitlines()]
    fields = {field.strip("| `") for row in named for field in row.split(", ")}
    assert fields - {"---"} >= set(kind.model_fields)
    assert all(field in kind.model_fields for field in fields if field.isidentifier())
