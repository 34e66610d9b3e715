import pytest
from facts import pipeline

from pipedoctor import registry
from pipedoctor.failures import attribute
from pipedoctor.report import Status
from pipedoctor.runner import run_one
from pipedoctor_checks.run.your_code_raised import your_code_raised as check

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


class Model(torch.nn.Module):
    """A model of the user's own that fails as told."""

    def __init__(self, error=None):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)
        self.error = error

    def forward(self, x, labels):
        if self.error is not None:
            raise self.error
        logits = self.layer(x)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


DATA = [{"x": [0.5, 1.0], "labels": row % 2} for row in range(8)]


def told(**parts):
    """Return the outcomes of all checks on these parts, by code."""
    subject = pipeline(train_data=DATA, settings={}, **parts)
    rows = registry.load().rows
    outcomes = [
        run_one(row.load(), subject, {}) for row in rows if row.code in {"RUN001", "LAB001"}
    ]
    return {outcome.rule.code: outcome for outcome in attribute(outcomes, subject, rows)}


def test_an_error_of_the_collator_is_shown_with_its_line():
    def collator(rows):
        return {"x": torch.tensor([row["y"] for row in rows])}

    outcome = told(model=Model(), collator=collator)["RUN001"]
    (found,) = outcome.findings

    assert outcome.status is Status.BLOCKED
    assert "KeyError: 'y'" in found.message
    assert found.where.file == __file__
    assert 'row["y"]' in found.where.source
    assert found.where.split == "train"


def test_an_error_of_the_model_is_shown_too():
    outcome = told(model=Model(ZeroDivisionError("no rows")))["RUN001"]

    assert outcome.status is Status.BLOCKED
    assert "ZeroDivisionError: no rows" in outcome.findings[0].message
    assert outcome.findings[0].where.source == "raise self.error"


def test_an_error_whose_cause_is_known_goes_to_its_check():
    outcomes = told(model=Model(IndexError("Target 7 is out of bounds.")))

    assert not outcomes["RUN001"].findings
    assert outcomes["LAB001"].findings[0].remedy.startswith("set num_labels")


def test_nothing_raised():
    outcome = told(model=Model())["RUN001"]

    assert outcome.status is Status.PASSED
    assert not outcome.findings


def test_a_model_alone_is_no_proof():
    assert run_one(check, pipeline(model=Model()), {}).status is Status.SKIPPED
