from __future__ import annotations

import pytest

from pipedoctor.fact import Cost, OverBudget, Unavailable
from pipedoctor.facts import Evaluation
from pipedoctor.facts.evaluation import names_of
from pipedoctor.probe import probe


@pytest.mark.parametrize(
    ("parts", "has"),
    [
        ({"eval_data": [1]}, True),
        ({"files": {"eval": "dev.csv"}}, True),
        ({"files": {"train": "a.csv", "eval": "dev.csv"}, "train_data": [1]}, True),
        ({"files": {"train": "a.csv"}}, False),
        ({"files": {"train": "a.csv", "eval": None}}, False),
        ({"train_data": [1]}, False),
    ],
)
def test_whether_there_is_evaluation_data(subject, parts, has):
    assert subject(**parts).fact(Evaluation).has_data is has


@pytest.mark.parametrize("parts", [{}, {"settings": {}}, {"files": {"output_dir": "out"}}])
def test_where_nothing_is_known_of_the_data_nothing_is_said(subject, parts):
    with pytest.raises(Unavailable, match="nothing is known of the data"):
        _ = subject(**parts).fact(Evaluation).has_data


@pytest.mark.parametrize(
    ("names", "metrics"),
    [
        (["accuracy", "eval_f1"], ("eval_accuracy", "eval_f1")),
        (("f1",), ("eval_f1",)),
        ({"b", "a"}, ("eval_a", "eval_b")),
        ({"accuracy": 0.5}, ("eval_accuracy",)),
        ([], ()),
    ],
)
def test_names_of_metrics(subject, names, metrics):
    assert subject(metrics=names).fact(Evaluation).metrics == metrics


def test_metrics_that_were_not_given_are_not_known(subject):
    evaluation = subject(eval_data=[1]).fact(Evaluation)
    assert evaluation.has_data
    with pytest.raises(Unavailable, match="no metrics"):
        _ = evaluation.metrics


def test_a_function_is_left_to_a_probe_that_can_call_it(subject):
    alone = subject(eval_data=[1], metrics=lambda prediction: {}).fact(Evaluation)
    assert alone.has_data
    with pytest.raises(Unavailable, match="must be called"):
        _ = alone.metrics

    @probe(Evaluation, Cost.FORWARD, "metrics")
    def called(pipeline, split):
        return Evaluation(has_data=True, metrics=tuple(pipeline.part("metrics")(None)))

    pipeline = subject(eval_data=[1], metrics=lambda prediction: {"eval_f1": 0.5})
    pipeline.probes = [*pipeline.probes, called]
    assert pipeline.fact(Evaluation).metrics == ("eval_f1",)
    shallow = subject(eval_data=[1], metrics=lambda prediction: {}, budget=Cost.FILES)
    shallow.probes = [*shallow.probes, called]
    with pytest.raises(OverBudget):
        shallow.fact(Evaluation)


@pytest.mark.parametrize(
    ("names", "sets", "told"),
    [
        (["f1", "eval_f1"], [], ("eval_f1", "eval_f1")),
        (["f1", "eval_f1"], ["a"], ("eval_a_f1", "eval_a_eval_f1")),
        (["loss"], ["a", "b"], ("eval_a_loss", "eval_b_loss")),
    ],
)
def test_names_of_several_sets(names, sets, told):
    assert names_of(names, sets) == told


def test_an_evaluation_of_the_loss_alone_gives_no_metric(subject):
    told = subject(eval_data=[1], metrics=["f1"], settings={"prediction_loss_only": True})
    assert told.fact(Evaluation).metrics == ()
