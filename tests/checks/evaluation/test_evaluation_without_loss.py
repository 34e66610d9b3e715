import re
from pathlib import Path

import pytest
from facts import findings, outcome, schedule, settings, the_finding
from tiny_trainer import train

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Array, Batch, Collator, Columns
from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor_checks.evaluation.evaluation_without_loss import evaluation_without_loss as check

BEST = {"eval_strategy": "steps", "eval_steps": 2, "save_steps": 2, "load_best_model_at_end": True}
TEXT = Columns({"text": "string"})
LABELLED = Columns({"text": "string", "label": "int64"})
PLAIN = Collator("DataCollatorWithPadding", frozenset(), renames=True, makes_labels=False)
MASKING = Collator(
    "DataCollatorForLanguageModeling", frozenset(), renames=False, makes_labels=True
)


def batch(*names: str) -> Batch:
    return Batch({name: Array((2, 8), "int64") for name in names}, rows=2)


def test_no_labels_no_best_model() -> None:
    found = the_finding(
        check, settings(**BEST), TEXT, None, PLAIN, schedule(max_steps=10, **BEST), None
    )

    assert found.message == (
        "The evaluation data has no labels, only text: the first evaluation, at step 2 of 10, "
        "gives no eval_loss to choose the best model by, and the run stops with KeyError"
    )
    assert found.severity is None
    assert found.where.split == "eval"


def test_another_metric_is_missing_as_well() -> None:
    found = the_finding(
        check, settings(**BEST, metric_for_best_model="f1"), TEXT, None, None, None, None
    )

    assert found.evidence["metric"] == "eval_f1"


def test_without_a_best_model_only_the_evaluations_are_idle() -> None:
    found = the_finding(check, settings(eval_strategy="epoch"), TEXT, None, None, None, None)

    assert found.severity is Severity.WARNING


@pytest.mark.parametrize("names", [["label"], ["label_ids"], []])
def test_label_names_that_the_batch_does_not_hold(tmp_path: Path, names: list[str]) -> None:
    made = settings(**BEST, label_names=names)
    found = the_finding(check, made, LABELLED, batch("input_ids", "labels"), None, None, None)

    assert found.where.key == "label_names"
    assert '"label_names": ["labels"]' in found.remedy
    with pytest.raises(KeyError) as caught:
        train(tmp_path, **BEST, label_names=names)
    assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)


def test_the_collators_of_transformers_rename_the_column() -> None:
    made = settings(**BEST, label_names=["label"])

    assert len(findings(check, made, LABELLED, None, PLAIN, None, None)) == 1
    with pytest.raises(Unavailable):
        findings(check, made, LABELLED, None, None, None, None)


@pytest.mark.parametrize(
    ("columns", "made", "collator", "stated"),
    [
        (LABELLED, None, PLAIN, {}),
        (LABELLED, None, None, {}),
        (TEXT, batch("input_ids", "labels"), None, {}),
        (TEXT, None, MASKING, {}),
        (TEXT, None, None, {"eval_strategy": "no", "load_best_model_at_end": False}),
        (Columns({"start_positions": "int64", "end_positions": "int64"}), None, PLAIN, {}),
        (LABELLED, batch("input_ids", "labels"), None, {"label_names": ["labels"]}),
    ],
)
def test_labels_are_there_or_not_needed(
    columns: Columns, made: Batch | None, collator: Collator | None, stated: dict[str, object]
) -> None:
    assert (
        findings(check, settings(**{**BEST, **stated}), columns, made, collator, None, None) == []
    )


def test_a_collator_of_the_users_own_may_make_labels() -> None:
    with pytest.raises(Unavailable, match="makes_labels"):
        findings(check, settings(**BEST), TEXT, None, Collator("mine"), None, None)


def test_without_evaluation_data_it_is_skipped() -> None:
    told = outcome(check, settings=BEST, environment={"transformers": "5.23.0"})

    assert told.status is Status.SKIPPED
