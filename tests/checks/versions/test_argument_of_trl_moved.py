import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.versions.argument_of_trl_moved import argument_of_trl_moved as check

HEAD = "from trl import SFTConfig, SFTTrainer, DPOTrainer, DPOConfig\n"


def told(text, trl="1.16.0"):
    return outcome(check, script=HEAD + text, environment={"transformers": "5.23.0", "trl": trl})


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("SFTConfig(max_seq_length=512)", "write max_length=512"),
        ("SFTTrainer(packing=True)", "write args=SFTConfig(packing=True, …)"),
        ("SFTTrainer(max_seq_length=N)", "write args=SFTConfig(max_length=N, …)"),
        ("SFTTrainer(dataset_batch_size=9)", "delete dataset_batch_size=9"),
        ("DPOTrainer(beta=0.1)", "write args=DPOConfig(beta=0.1, …)"),
    ],
)
def test_where_it_went(text, remedy):
    (finding,) = told(text).findings
    assert remedy in finding.remedy


@pytest.mark.parametrize(
    "text",
    [
        "SFTConfig('out', max_length=512, packing=True, learning_rate=1e-4)",
        "SFTConfig('out', evaluation_strategy='no', warmup_ratio=0.1)",  # others speak of these
        "SFTTrainer(model=m, args=a, peft_config=p, processing_class=t, formatting_func=f)",
        "SFTTrainer(tokenizer=t)",  # and of this
        "SFTTrainer(**old)",
        "from mine import SFTTrainer\nSFTTrainer(packing=True)",
        "class Mine(SFTTrainer):\n    pass\nMine(packing=True)",
        "try:\n    SFTConfig(max_seq_length=1)\nexcept TypeError:\n    SFTConfig(max_length=1)",
    ],
)
def test_what_is_no_fault(text):
    assert told(text).status is Status.PASSED


@pytest.mark.parametrize(
    ("text", "trl"),
    [
        ("SFTTrainer(max_seq_length=1, packing=True)", "0.12.2"),
        ("SFTConfig(max_seq_length=1)", "0.19.1"),
    ],
)
def test_older_releases_take_it(text, trl):
    assert told(text, trl).status is Status.PASSED


def test_without_trl_it_is_skipped():
    outcome = told("SFTConfig(max_seq_length=1)", None)
    assert (outcome.status, outcome.reason) == (Status.SKIPPED, "trl is not installed")


def test_a_script_without_trl_needs_none():
    assert told("x = 1", None).status is Status.PASSED
