"""What is said of a transform whose columns Trainer drops."""

from __future__ import annotations

from facts import findings, the_finding

from pipedoctor.facts import Transform
from pipedoctor_checks.data.transform_loses_columns import transform_loses_columns

COLUMNS = ("image", "label")


def test_the_fault_and_its_cure() -> None:
    fact = Transform("pixels", COLUMNS, ("label",), error="KeyError: 'image'")
    finding = the_finding(transform_loses_columns, fact, fact, None)
    assert finding.message == (
        "Trainer drops image before pixels sees the rows; with label alone it raised KeyError: "
        "'image', with all columns it works"
    )
    assert finding.remedy == "set remove_unused_columns=False"
    assert (finding.where.column, finding.where.split) == ("image", "train")
    assert finding.evidence["dropped"] == ["image"]


def test_of_evaluation_data_too() -> None:
    fact = Transform("pixels", COLUMNS, ("label",), error="KeyError: 'image'")
    assert the_finding(transform_loses_columns, fact, None, None).where.split == "eval"


def test_a_transform_that_works_is_fine() -> None:
    fact = Transform("pixels", COLUMNS, ("label",), makes=("label",))
    assert findings(transform_loses_columns, fact, fact, None) == []


def test_a_transform_that_raises_anyway_has_another_fault() -> None:
    fact = Transform("pixels", COLUMNS, ("label",), error="KeyError: 'x'", whole="KeyError: 'x'")
    assert findings(transform_loses_columns, fact, fact, None) == []
