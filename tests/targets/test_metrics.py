"""The names of the figures that a script computes, where they can be known."""

import pytest

from pipedoctor.targets.metrics import names
from pipedoctor.targets.sample import NOTHING, Sample


def labelled(*values, column="label"):
    return Sample(("text", column), tuple({"text": "x", column: value} for value in values))


@pytest.mark.parametrize(
    ("script", "stated", "sample", "expected"),
    [
        ("run_glue", {"task_name": "mrpc"}, NOTHING, ("accuracy", "f1", "combined_score")),
        ("run_glue", {"task_name": "CoLA"}, NOTHING, ("matthews_correlation",)),
        ("run_glue", {"task_name": "stsb"}, NOTHING, ("pearson", "spearmanr", "combined_score")),
        ("run_glue", {"task_name": "qnli"}, NOTHING, ("accuracy",)),
        ("run_glue", {"task_name": "mine"}, NOTHING, None),
        ("run_glue", {}, labelled(0, 1), ("accuracy",)),
        ("run_glue", {}, labelled("yes", "no"), ("accuracy",)),
        ("run_glue", {}, labelled("0", "1"), ("accuracy",)),
        ("run_glue", {}, labelled("0", "0.5"), ("mse",)),
        ("run_glue", {}, labelled("1", ""), None),
        ("run_glue", {}, NOTHING, None),
        ("run_glue", {"dataset_name": "imdb"}, labelled(0), None),
        ("run_classification", {}, labelled([1, 2]), ("f1",)),
        ("run_classification", {"metric_name": "precision"}, labelled(0), ("precision",)),
        ("run_classification", {"metric_name": "rouge"}, labelled(0), None),
        ("run_classification", {"metric_name": ["f1"]}, labelled(0), None),
        ("run_classification", {"do_regression": True}, labelled(0), ("mse",)),
        ("run_classification", {"do_regression": False}, labelled(0.5), ("accuracy",)),
        (
            "run_classification",
            {"label_column_name": "stars"},
            labelled(1, column="stars"),
            ("accuracy",),
        ),
        ("run_ner", {}, NOTHING, ("precision", "recall", "f1", "accuracy")),
        ("run_ner", {"return_entity_level_metrics": True}, NOTHING, None),
        ("run_qa", {}, NOTHING, ("exact_match", "f1")),
        ("run_qa", {"version_2_with_negative": True}, NOTHING, None),
        ("run_clm", {}, NOTHING, ("accuracy",)),
        ("run_swag", {}, NOTHING, ("accuracy",)),
        ("run_summarization", {}, NOTHING, None),
    ],
)
def test_names(script, stated, sample, expected):
    assert names(script, stated, sample) == expected
