"""Transforms of `datasets`: what they are given, and what they make of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import datasets
import pytest
import transformers
from pipelines import pipeline

import pipedoctor
from pipedoctor.facts import Columns, Labels, Samples, Transform
from pipedoctor.frameworks.data import reading
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.pipeline import ProbeFailed

WHOLE = {"remove_unused_columns": False}


def stored(count: int = 40) -> Any:
    rows = {"text": ["word " * (2 + n % 9) for n in range(count)]}
    return datasets.Dataset.from_dict({**rows, "label": [n % 3 for n in range(count)]})


def tokenise(rows: Any) -> dict[str, Any]:
    """Make ids of text, all rows of a batch of one length."""
    ids = [[2, *([7] * text.count("word")), 3] for text in rows["text"]]
    longest = max(map(len, ids))
    return {"input_ids": [row + [0] * (longest - len(row)) for row in ids], "label": rows["label"]}


def test_a_transform_that_pads_its_batch_is_healthy(
    tiny: Callable[..., Any], tmp_path: Any
) -> None:
    trainer = transformers.Trainer(
        tiny(num_labels=3),
        transformers.TrainingArguments(
            str(tmp_path), report_to="none", use_cpu=True, max_steps=2, logging_steps=1, **WHOLE
        ),
        train_dataset=stored().with_transform(tokenise),
    )
    report = pipedoctor.examine(trainer)
    assert report.ready, report
    assert report.entries == ()
    trainer.train()


def test_what_is_seen_of_a_transform(tiny: Callable[..., Any]) -> None:
    data = stored().with_transform(tokenise)
    subject = pipeline(model=tiny(num_labels=3), train_data=data, settings=WHOLE)
    assert subject.fact(Columns).transform == "tokenise"
    assert subject.fact(Labels).counts == {0: 14, 1: 13, 2: 13}
    samples = subject.fact(Samples)
    assert samples.columns == ("input_ids", "label")
    assert samples.together == (tuple(range(8)), (8, 17))
    assert [len({length for _, length in g}) for g in samples.groups("input_ids")] == [1, 1]
    assert subject.fact(Batches).made[0].arrays["input_ids"].shape == (8, 11)


def test_what_trainer_leaves_is_what_the_transform_gets(tiny: Callable[..., Any]) -> None:
    data = stored().with_transform(tokenise)
    subject = pipeline(model=tiny(num_labels=3), train_data=data)
    told = subject.fact(Transform)
    assert (told.given, told.error, told.whole) == (("label",), "KeyError: 'text'", None)
    with pytest.raises(ProbeFailed, match="KeyError: 'text'"):
        subject.fact(Samples)


def test_all_columns_dropped_is_told_as_trainer_tells_it(tiny: Callable[..., Any]) -> None:
    data = stored().remove_columns(["label"]).with_transform(lambda rows: {"x": rows["text"]})
    told = pipeline(model=tiny(), train_data=data).fact(Transform)
    assert told.given == ()
    assert told.error is not None
    assert "No columns in the dataset match" in told.error
    assert told.makes == ()


def test_labels_that_the_transform_changes_are_counted_after_it() -> None:
    data = stored().with_transform(lambda rows: {"label": [1 - (n > 0) for n in rows["label"]]})
    assert pipeline(train_data=data).fact(Labels).counts == {0: 26, 1: 14}


def test_stored_labels_stand_for_those_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST", 20)
    kept = pipeline(train_data=stored().with_transform(tokenise)).fact(Labels)
    assert (kept.counts, kept.partial) == ({0: 14, 1: 13, 2: 13}, False)
    changed = stored().with_transform(lambda rows: {"label": [n + 1 for n in rows["label"]]})
    assert pipeline(train_data=changed).fact(Labels).partial


def test_a_row_that_the_transform_refuses_is_named() -> None:
    def refuse(rows: Any) -> Any:
        if "word word word word word word word word word word " in rows["text"]:
            raise ValueError("too long")
        return rows

    with pytest.raises(ProbeFailed, match="too long") as raised:
        pipeline(train_data=stored().with_transform(refuse)).fact(Labels)
    assert raised.value.rows == (8,)


def test_random_transforms_draw_nothing_from_training() -> None:
    def noisy(rows: Any) -> Any:
        return {"label": [random.randrange(3) for _ in rows["label"]]}

    random.seed(4)
    before = random.getstate()
    pipeline(train_data=stored().with_transform(noisy)).fact(Labels)
    assert random.getstate() == before
