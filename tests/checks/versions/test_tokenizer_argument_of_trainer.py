import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor_checks.versions.tokenizer_argument_of_trainer import (
    tokenizer_argument_of_trainer as check,
)

NOW = {"transformers": "5.23.0", "trl": "1.16.0"}
HEAD = (
    "from transformers import Trainer, Seq2SeqTrainer\nfrom trl import SFTTrainer, GRPOTrainer\n"
)


def found(text, environment=NOW):
    return outcome(check, script=HEAD + text, environment=environment).findings


@pytest.mark.parametrize("name", ["Trainer", "Seq2SeqTrainer", "SFTTrainer"])
def test_the_argument_is_renamed_in_place(name):
    (finding,) = found(f"{name}(\n    model,\n    tokenizer=tok,\n)")
    assert finding.remedy == "write processing_class=tok"
    assert finding.where.line == 5


def test_beside_its_successor_it_is_deleted():
    (finding,) = found("Trainer(tokenizer=t, processing_class=t)")
    assert finding.remedy.startswith("delete tokenizer")


def test_a_class_without_a_constructor_of_its_own_has_that_of_its_base():
    (finding,) = found("class Mine(Trainer):\n    pass\nMine(tokenizer=t)")
    assert finding.evidence["class"] == "transformers.Trainer"


def test_handing_it_to_the_base_fails_too():
    text = "class Mine(Trainer):\n def __init__(self, tokenizer):\n  super().__init__(tokenizer=tokenizer)\nMine(1)"
    (finding,) = found(text)
    assert finding.where.line == 5


def test_where_the_call_may_not_run_it_warns():
    (finding,) = found("if train:\n    Trainer(tokenizer=t)")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    [
        "Trainer(processing_class=t)",
        "class Mine(Trainer):\n def __init__(self, tokenizer, **k):\n  super().__init__(**k)\nMine(tokenizer=t)",
        "GRPOTrainer(tokenizer=t)",
        "from mine import Trainer\nTrainer(tokenizer=t)",
        "try:\n    Trainer(tokenizer=t)\nexcept TypeError:\n    Trainer(processing_class=t)",
        "if new:\n    Trainer(processing_class=t)\nelse:\n    Trainer(tokenizer=t)",
        "def unused():\n    Trainer(tokenizer=t)",
    ],
)
def test_what_is_no_fault(text):
    assert found(text) == ()


@pytest.mark.parametrize("version", ["4.40.2", "4.46.3", "4.57.6"])
def test_older_releases_take_it(version):
    assert found("Trainer(tokenizer=t)", {"transformers": version}) == ()


def test_between_known_releases_it_is_skipped():
    script = HEAD + "Trainer(tokenizer=t)"
    told = outcome(check, script=script, environment={"transformers": "4.99.0"})
    assert told.status is Status.SKIPPED
