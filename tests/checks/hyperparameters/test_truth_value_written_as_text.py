import pytest
from facts import findings, settings, the_finding

from pipedoctor_checks.hyperparameters.truth_value_written_as_text import (
    truth_value_written_as_text as check,
)


@pytest.mark.parametrize("version", ["4.40.2", "5.23.0"])
@pytest.mark.parametrize("text", ["false", "False", "no", "0", "off"])
def test_a_text_that_means_no(version: str, text: str) -> None:
    found = the_finding(check, settings(version, fp16=text))

    assert found.remedy == 'write "fp16": false, without quotes'


def test_an_optional_switch() -> None:
    assert len(findings(check, settings(tf32="false", ddp_find_unused_parameters="no"))) == 2


def test_it_counts_as_true_indeed() -> None:
    transformers = pytest.importorskip("transformers")
    made = transformers.TrainingArguments(fp16="false", use_cpu=True)

    assert made.mixed_precision == "fp16"


@pytest.mark.parametrize(
    "stated",
    [
        {"fp16": False},
        {"fp16": "true"},
        {"fp16": "True"},
        {"fp16": ""},
        {"fp16": None},
        {"eval_strategy": "no"},
        {"report_to": "none"},
        {"include_num_input_tokens_seen": "no"},
        {"run_name": "false"},
    ],
)
def test_what_does_as_it_says(stated: dict[str, object]) -> None:
    assert findings(check, settings(**stated)) == []
