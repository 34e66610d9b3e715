import pytest
from facts import findings, schedule, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Evaluation
from pipedoctor_checks.evaluation.evaluation_data_unused import evaluation_data_unused as check

DATA = Evaluation(has_data=True)


def test_data_that_nobody_looks_at() -> None:
    found = the_finding(check, settings(), DATA, schedule())

    assert found.message == (
        'eval_strategy is "no" by default: the evaluation data are never used while training'
    )
    assert found.remedy == 'set "eval_strategy": "epoch"'


def test_the_example_scripts_evaluate_once_at_the_end() -> None:
    made = settings(script="run_glue", do_eval=True, eval_strategy="no")
    found = the_finding(check, made, DATA, schedule())

    assert "are used only once, after the last of 1,200 steps" in found.message
    assert found.where.key == "eval_strategy"
    assert "only once, after the last step" in the_finding(check, made, DATA, None).message


def test_the_key_of_an_older_release() -> None:
    assert "evaluation_strategy" in the_finding(check, settings("4.40.2"), DATA, None).remedy


@pytest.mark.parametrize(
    ("stated", "evaluation"),
    [
        ({"eval_strategy": "epoch"}, DATA),
        ({"evaluation_strategy": "steps"}, DATA),
        ({}, Evaluation(has_data=False)),
    ],
)
def test_data_that_are_used_or_not_there(
    stated: dict[str, object], evaluation: Evaluation
) -> None:
    assert findings(check, settings(**stated), evaluation, None) == []


def test_data_that_nobody_knows_of() -> None:
    with pytest.raises(Unavailable):
        findings(check, settings(), Evaluation(), None)
