"""Trainers around data sets of every kind: healthy ones raise no alarm, and train as before."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import datasets
import numpy as np
import pytest
import torch
import transformers
from resources import reuters

import pipedoctor
from pipedoctor.report import Report

NOTES = {"LOS008"}
"""A run of a few steps logs nothing, and is told so."""


class Texts(torch.utils.data.Dataset):  # type: ignore[type-arg]  # rows of any kind
    """The texts of Reuters, tokenised when a row is asked for, with noise of its own."""

    def __init__(self, tokenizer: Any, rows: list[tuple[str, str]], **call: Any) -> None:
        self.tokenizer = tokenizer
        self.rows = rows
        self.classes = sorted({label for label, _ in reuters()})
        self.call = {"truncation": True, "max_length": 32, **call}
        self.rng = np.random.default_rng(7)
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, row: int) -> Any:
        label, text = self.rows[row]
        self.asked.append(row)
        words = text.split()
        dropped = {int(self.rng.integers(9)), random.randrange(9), int(torch.randint(9, (1,)))}
        kept = " ".join(word for at, word in enumerate(words) if at not in dropped)
        return {**self.tokenizer(kept, **self.call), "labels": self.classes.index(label)}


class Streamed(torch.utils.data.IterableDataset):  # type: ignore[type-arg]  # rows of any kind
    def __init__(self, data: Texts) -> None:
        self.data = data

    def __iter__(self) -> Iterator[Any]:
        for row in range(len(self.data)):
            yield self.data[row]


class Objects(Texts):
    def __getitem__(self, row: int) -> Any:
        return SimpleNamespace(**super().__getitem__(row))


class Encodings(Texts):
    def __getitem__(self, row: int) -> Any:
        return transformers.BatchEncoding(super().__getitem__(row))


@pytest.fixture(scope="module")
def tokenizer(model_folder: str) -> Any:
    return transformers.AutoTokenizer.from_pretrained(model_folder)


@pytest.fixture
def build(tiny: Callable[..., Any], tokenizer: Any, tmp_path: Any) -> Callable[..., Any]:
    """A Trainer around some training data."""

    def trainer(data: Any, kind: type = transformers.Trainer, **stated: Any) -> Any:
        torch.manual_seed(0)
        parts = {k: stated.pop(k) for k in ("data_collator", "eval_dataset") if k in stated}
        arguments = {"max_steps": 4, "save_strategy": "no", "logging_steps": 1, **stated}
        return kind(
            tiny(vocab_size=len(tokenizer), num_labels=8, max_position_embeddings=64),
            transformers.TrainingArguments(
                str(tmp_path), report_to="none", use_cpu=True, disable_tqdm=True, **arguments
            ),
            train_dataset=data,
            processing_class=tokenizer,
            **parts,
        )

    return trainer


@pytest.fixture
def texts_of(tokenizer: Any) -> Callable[..., Any]:
    def make(kind: type[Texts] = Texts, rows: slice = slice(120), **call: Any) -> Any:
        return kind(tokenizer, reuters()[rows], **call)

    return make


def found(report: Report) -> list[str]:
    return [entry.rule.code for entry in report.entries if entry.rule.code not in NOTES]


def tuples(data: Texts) -> Any:
    rows = [data[row] for row in range(len(data))]
    names = ("input_ids", "attention_mask", "labels")
    return torch.utils.data.TensorDataset(*(torch.tensor([r[n] for r in rows]) for n in names))


def collate_tuples(rows: list[Any]) -> dict[str, Any]:
    columns = zip(*rows, strict=True)
    names = ("input_ids", "attention_mask", "labels")
    return {name: torch.stack(values) for name, values in zip(names, columns, strict=True)}


def tensors(data: Texts) -> list[dict[str, Any]]:
    return [{n: torch.tensor(v) for n, v in data[row].items()} for row in range(len(data))]


def arrow(data: Texts) -> Any:
    rows = [{"text": text, "label": data.classes.index(label)} for label, text in data.rows]
    return datasets.Dataset.from_list(rows)


HEALTHY: dict[str, Callable[[Texts], Any]] = {
    "map-style": lambda data: data,
    "Subset": lambda data: torch.utils.data.Subset(data, range(10, 90)),
    "random_split": lambda data: torch.utils.data.random_split(data, [100, 20])[0],
    "ConcatDataset": lambda data: torch.utils.data.ConcatDataset([data, data]),
    "list of dicts": lambda data: [data[row] for row in range(len(data))],
    "list of tensors": tensors,
    "stream": Streamed,
    "datasets": lambda data: arrow(data).map(lambda r: data.tokenizer(r["text"], **data.call)),
    "datasets of torch": lambda data: (
        arrow(data).map(lambda r: data.tokenizer(r["text"], **data.call)).with_format("torch")
    ),
    "datasets stream": lambda data: (
        arrow(data).map(lambda r: data.tokenizer(r["text"], **data.call)).to_iterable_dataset()
    ),
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_healthy_data_of_every_kind_raises_no_alarm(
    kind: str, build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    padding = {"padding": "max_length"} if kind == "list of tensors" else {}
    report = pipedoctor.examine(build(HEALTHY[kind](texts_of(**padding))))
    assert report.ready, report
    assert found(report) == []


@pytest.mark.parametrize("kind", [Objects, Encodings])
def test_healthy_objects_raise_no_alarm(
    kind: type[Texts], build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    data = texts_of(kind, padding="max_length")
    report = pipedoctor.examine(build(data, data_collator=transformers.default_data_collator))
    assert report.ready, report
    assert found(report) == []


def test_a_collator_gets_the_tuples_of_the_data(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    data = tuples(texts_of(padding="max_length"))
    report = pipedoctor.examine(build(data, data_collator=collate_tuples))
    assert report.ready, report
    assert found(report) == []


def test_the_default_collator_refuses_tuples_as_it_would_in_training(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    data = tuples(texts_of(padding="max_length"))
    trainer = build(data, data_collator=transformers.default_data_collator)
    (entry,) = [e for e in pipedoctor.examine(trainer).entries if e.rule.code not in NOTES]
    assert "vars() argument must have __dict__" in entry.finding.message
    assert "return a dict for each row" in entry.finding.remedy
    with pytest.raises(TypeError, match="vars"):
        trainer.train()


def states() -> list[Any]:
    legacy = np.random.get_state()[1].tolist()  # noqa: NPY002 - the state that users' code draws from
    return [random.getstate(), legacy, torch.get_rng_state().tolist()]


def run(trainer: Any, data: Texts) -> tuple[list[float], list[int], Any]:
    """Train, and return the losses, the rows asked for, and where the data's generator stands."""
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002 - the state that users' code draws from
    torch.manual_seed(1)
    data.asked.clear()
    trainer.train()
    losses = [row["loss"] for row in trainer.state.log_history if "loss" in row]
    return losses, list(data.asked), data.rng.bit_generator.state


@pytest.mark.parametrize("kind", ["map-style", "Subset", "ConcatDataset", "stream"])
def test_training_after_an_examination_is_the_very_same(
    kind: str, build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    told = []
    for examined in (False, True):
        data = texts_of()
        torch.manual_seed(5)
        trainer = build(HEALTHY[kind](data))
        if examined:
            before, kept = states(), data.rng.bit_generator.state
            report = pipedoctor.examine(trainer)
            assert any(fact["fact"] == "Forward" for fact in report.facts)
            assert states() == before
            assert data.rng.bit_generator.state == kept
            assert data.asked == []
        told.append(run(trainer, data))
    assert len(told[0][0]) == 4
    assert told[0] == told[1]


def test_a_row_that_raises_far_into_the_data_is_found(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    class Broken(Texts):
        def __getitem__(self, row: int) -> Any:
            held = super().__getitem__(row)
            if row == 1733:
                del held["labels"]
            return {**held, "labels": held["labels"]}

    trainer = build(texts_of(Broken, slice(2000)), dataloader_num_workers=2)
    first = pipedoctor.examine(trainer).entries[0]
    assert first.rule.code == "RUN001"
    assert first.finding.message == (
        "Reading row 1,733 of the training data raised KeyError: 'labels'"
    )
    assert first.finding.where.rows == (1733,)
    assert first.finding.where.file == __file__


def test_the_collator_may_change_its_rows_and_the_data_stays(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    data = tensors(texts_of(padding="max_length"))
    before = [{name: value.clone() for name, value in row.items()} for row in data]

    def collate(rows: list[Any]) -> Any:
        for row in rows:
            row["input_ids"][0] = 1
        return transformers.default_data_collator(rows)

    assert pipedoctor.examine(build(data, data_collator=collate)).ready
    assert all(torch.equal(r[n], b[n]) for r, b in zip(data, before, strict=True) for n in r)


def test_a_list_of_dicts_is_filtered_as_trainer_filters(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    data = [{**texts_of()[row], "ragged": [1] * row} for row in range(20)]
    assert found(pipedoctor.examine(build(data))) == []


def test_a_missing_label_is_told_of_torch_data(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    class Renamed(Texts):
        def __getitem__(self, row: int) -> Any:
            held = super().__getitem__(row)
            held["sentiment"] = held.pop("labels")
            return held

    assert found(pipedoctor.examine(build(texts_of(Renamed)))) == ["LAB003"]


def test_text_without_ids_is_told_of_torch_data(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    class Raw(Texts):
        def __getitem__(self, row: int) -> Any:
            label, text = self.rows[row]
            return {"text": text, "labels": self.classes.index(label)}

    assert found(pipedoctor.examine(build(texts_of(Raw)))) == ["DAT001"]


def test_other_names_are_told_of_torch_data(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    class Renamed(Texts):
        def __getitem__(self, row: int) -> Any:
            held = super().__getitem__(row)
            return {"ids": held["input_ids"], "labels": held["labels"]}

    assert found(pipedoctor.examine(build(texts_of(Renamed)))) == ["DAT002"]


def test_ragged_rows_are_told_of_torch_data(
    build: Callable[..., Any], texts_of: Callable[..., Any]
) -> None:
    trainer = build(texts_of(max_length=256), data_collator=transformers.default_data_collator)
    assert found(pipedoctor.examine(trainer)) == ["DAT004"]


def test_a_model_without_a_head_is_told_of_torch_data(
    build: Callable[..., Any], texts_of: Callable[..., Any], tiny: Callable[..., Any]
) -> None:
    trainer = build(texts_of())
    trainer.model = tiny("BertModel", vocab_size=31_000)
    assert "LAB004" in found(pipedoctor.examine(trainer))


@pytest.mark.parametrize("data", [None, []], ids=["none", "empty"])
def test_a_trainer_without_rows_is_told_and_nothing_crashes(
    data: Any, build: Callable[..., Any]
) -> None:
    report = pipedoctor.examine(build(data))
    assert found(report) == ["DAT026"]
    assert not [o for o in report.outcomes if o.status.value in {"crashed", "blocked"}]
