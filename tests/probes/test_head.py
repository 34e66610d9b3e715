from __future__ import annotations

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Head
from pipedoctor.finding import Location


class Config(dict):
    script = "run_ner"

    def __init__(self, **values):
        super().__init__(values)
        self.locations = {"num_labels": Location(file="config.json", line=7)}


def test_what_is_stated_is_the_head(subject):
    head = subject(settings={"num_labels": 3}).fact(Head)
    assert (head.outputs, head.per_token, head.origin.key) == (3, False, "num_labels")
    assert not head.known("problem_type")
    assert not head.known("new")


def test_the_kind_of_problem_and_the_line(subject):
    config = Config(num_labels=5, problem_type="multi_label_classification")
    head = subject(settings=config).fact(Head)
    assert head.problem_type == "multi_label_classification"
    assert head.origin.line == 7
    assert head.per_token


def test_a_kind_that_is_none_is_not_known(subject):
    assert (
        not subject(settings={"num_labels": 3, "problem_type": "ranking"})
        .fact(Head)
        .known("problem_type")
    )


@pytest.mark.parametrize("value", [None, 0, -2, "3", 2.0, True])
def test_a_number_that_is_none(subject, value):
    with pytest.raises(Unavailable, match="num_labels"):
        subject(settings={"num_labels": value}).fact(Head)


def test_a_head_that_is_not_stated_is_not_known(subject):
    with pytest.raises(Unavailable, match="num_labels is not stated"):
        subject(settings={}).fact(Head)
