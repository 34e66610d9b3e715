"""The labels of each row, counted by Arrow as a loop would count them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor import frameworks
from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import LabelTokens
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")

BATCH = 3


def counted(labels: list[Any], **parts: Any) -> LabelTokens:
    """Count the labels of a data set that is evaluated three rows at a time."""
    features = None
    if not any(isinstance(label, float) for label in labels):
        inner = datasets.Value("int64")
        lists = any(isinstance(label, list) for label in labels)
        features = datasets.Features({"labels": datasets.List(inner) if lists else inner})
    given = Parts(
        {
            "eval_data": datasets.Dataset.from_dict({"labels": labels}, features=features),
            "model": None,
            "collator": transformers.default_data_collator,
            "settings": {"per_device_eval_batch_size": BATCH},
            "environment": {"transformers": "5.23.0", "gpus": 0},
            **parts,
        }
    )
    return Pipeline(given, frameworks.probes(given)).fact(LabelTokens, Split.EVAL)


@settings(deadline=None)  # a slow machine breaks no rule
@given(st.lists(st.lists(st.sampled_from([-100, 0, 1]), max_size=4), min_size=1, max_size=12))
def test_lists_are_counted_as_a_loop_would(labels: list[list[int]]) -> None:
    each = [sum(value != -100 for value in row) for row in labels]
    batches = [each[n : n + BATCH] for n in range(0, len(each), BATCH)]
    bare = [n for n, batch in enumerate(batches) if not any(batch)]

    told = counted(labels)

    assert told.lengths == Counter(each)
    assert told.rows == len(labels)
    assert told.empty == tuple(n for n, count in enumerate(each) if not count)[:3]
    assert (told.batches, told.empty_batches) == (len(batches), len(bare))
    first = [bare[0] * BATCH + n for n in range(len(batches[bare[0]]))] if bare else []
    assert told.empty_rows == tuple(first)


def test_one_label_a_row() -> None:
    told = counted([-100, 0, -100, None, -100, -100, 2])

    assert told.lengths == {0: 5, 1: 2}
    assert (told.batches, told.empty_batches, told.empty_rows) == (3, 1, (3, 4, 5))
    assert (told.without, told.longest, told.longer_than(0)) == (5, 1, 2)


def test_the_first_label_of_a_causal_model_is_never_asked_for() -> None:
    config = transformers.GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=2)
    model = transformers.GPT2LMHeadModel(config)

    assert counted([[5, -100], [-100, 5]], model=model).lengths == {0: 1, 1: 1}
    assert counted([[5, -100], [-100, 5]]).lengths == {1: 2}


@pytest.mark.parametrize(
    ("labels", "parts", "reason"),
    [
        ([0.5, 1.5], {}, "of which none is left out"),
        ([[1], [2]], {"collator": lambda rows: rows}, "collator"),
    ],
)
def test_what_cannot_be_told(labels: list[Any], parts: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        counted(labels, **parts)


@pytest.mark.parametrize(
    "parts",
    [
        {"settings": {"train_sampling_strategy": "group_by_length"}},
        {"environment": {"transformers": "5.23.0", "gpus": 2}},
    ],
)
def test_where_rows_come_in_another_order_batches_are_not_known(parts: dict[str, Any]) -> None:
    told = counted([0, -100], **parts)

    assert told.lengths == {0: 1, 1: 1}
    assert not told.known("batches")
