"""Batches and forward passes: what a trainer would see, and nothing left behind."""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable
from typing import Any

import datasets
import numpy as np
import pytest
import torch
import transformers
from pipelines import pipeline, run

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Batch, Forward, Model
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.restoring.restore import evaluating, random_states
from pipedoctor.frameworks.training.losses import row_losses
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.targets.recipe import Recipe

ROWS = {
    "input_ids": [[2, 5, 3], [2, 6, 7, 3], [2, 9, 3]] * 4,
    "attention_mask": [[1, 1, 1], [1, 1, 1, 1], [1, 1, 1]] * 4,
    "label": [0, 1, 0] * 4,
}


def padded(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """A collator that pads, and needs no tokenizer."""
    longest = max(len(row["input_ids"]) for row in rows)
    batch = {
        name: torch.tensor([row[name] + [0] * (longest - len(row[name])) for row in rows])
        for name in ("input_ids", "attention_mask")
    }
    return {**batch, "labels": torch.tensor([row["label"] for row in rows])}


def digest(model: Any) -> dict[str, Any]:
    """All that a model consists of, to compare."""
    return {
        "weights": {name: value.detach().clone() for name, value in model.named_parameters()},
        "buffers": {name: value.clone() for name, value in model.named_buffers()},
        "grads": {
            name: None if value.grad is None else value.grad.clone()
            for name, value in model.named_parameters()
        },
        "needs": {name: value.requires_grad for name, value in model.named_parameters()},
        "modes": {name: module.training for name, module in model.named_modules()},
        "config": copy.deepcopy(getattr(model, "config", None)),
    }


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, transformers.PreTrainedConfig):
        return bool(one.to_dict() == other.to_dict())
    return bool(one == other)


def random_bits() -> tuple[Any, ...]:
    """The three random states."""
    numpy_state = np.random.get_state()  # noqa: NPY002 - the legacy state is the one that is kept
    return torch.get_rng_state().tolist(), random.getstate(), str(numpy_state)


def draw() -> None:
    """Move the three random states."""
    random.random(), np.random.rand(), torch.rand(3)  # noqa: NPY002 - likewise


class Restless(torch.nn.Module):
    """A model whose forward pass draws random numbers, and changes whatever it can."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(100, 4)
        self.norm = torch.nn.BatchNorm1d(4)
        self.head = torch.nn.Linear(4, 2)
        self.norm.eval()
        self.head.weight.requires_grad_(False)
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("other", torch.full((2,), torch.nan), persistent=False)

    def forward(self, input_ids: Any, attention_mask: Any = None, labels: Any = None) -> Any:
        draw()
        self.calls += 1
        self.other = torch.ones(5)
        self.norm.train()
        logits = self.head(self.norm(self.embedding(input_ids).mean(1)))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def test_forward_leaves_the_model_and_the_random_states_bit_for_bit() -> None:
    model = Restless()
    model.embedding.weight.grad = torch.ones_like(model.embedding.weight)
    found = pipeline(model=model, train_data=datasets.Dataset.from_dict(ROWS), collator=padded)
    found.fact(Batches)
    objects = {name: id(value) for name, value in model.named_buffers()}
    before, bits = digest(model), random_bits()
    found.fact(Forward)
    after = digest(model)
    assert torch.isnan(after["buffers"].pop("other")).all()
    assert torch.isnan(before["buffers"].pop("other")).all()
    assert same(before, after)
    assert random_bits() == bits
    assert {name: id(value) for name, value in model.named_buffers()} == objects


def test_batches_of_a_collator_that_draws_leave_the_random_states(
    tiny: Callable[..., Any],
) -> None:
    def noisy(rows: list[dict[str, Any]]) -> dict[str, Any]:
        draw()
        return padded(rows)

    found = pipeline(model=tiny(), train_data=datasets.Dataset.from_dict(ROWS), collator=noisy)
    bits = random_bits()
    found.fact(Batches)
    assert random_bits() == bits


def test_the_states_come_back_after_a_failure_too(tiny: Callable[..., Any]) -> None:
    model = tiny().train()
    bits = random_bits()

    def fail() -> None:
        with random_states(), evaluating(model):
            draw()
            model.config.problem_type = "regression"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert model.training
    assert model.config.problem_type is None
    assert random_bits() == bits


def test_the_problem_type_that_transformers_notes_is_taken_back(tiny: Callable[..., Any]) -> None:
    model = tiny()
    data = datasets.Dataset.from_dict(ROWS)
    before = digest(model)
    pipeline(model=model, train_data=data, collator=padded).fact(Forward)
    assert model.config.problem_type is None
    assert same(before, digest(model))


def test_forward_and_batch_are_those_of_trainer(
    reuters_csv: Callable[..., str], model_folder: str, tmp_path: Any
) -> None:
    recipe = Recipe(
        "text-classification",
        model_folder,
        train_file=reuters_csv(rows=slice(60)),
        max_length=64,
        pad_to_max_length=False,
    )
    found = run(recipe, per_device_train_batch_size=6)
    model, data = found.part("model"), found.part("train_data")
    mapped = datasets.Dataset.from_list(data.rows(range(60)))
    trainer = transformers.Trainer(
        model,
        transformers.TrainingArguments(str(tmp_path), per_device_eval_batch_size=6, use_cpu=True),
        eval_dataset=mapped,
        processing_class=found.part("tokenizer"),
    )
    theirs = next(iter(trainer.get_eval_dataloader()))
    ours = found.fact(Batches).made[0]
    assert ours.rows == (0, 1, 2, 3, 4, 5)
    assert set(ours.arrays) == set(theirs)
    assert all(torch.equal(ours.arrays[name], theirs[name]) for name in theirs)

    forward = found.fact(Forward)
    model.eval()
    with torch.no_grad():
        loss = trainer.compute_loss(model, dict(theirs))
        single = [
            model(**{name: value[row : row + 1] for name, value in theirs.items()}).loss.item()
            for row in range(6)
        ]
    assert forward.loss == pytest.approx(loss.item(), rel=1e-5)
    assert forward.row_losses == pytest.approx(single, rel=1e-4)
    assert forward.labels == tuple(theirs["labels"].tolist())
    assert forward.outputs == ("loss", "logits")
    assert forward.rows == ours.rows


def test_batch_of_the_first_rows_and_the_longest(tiny: Callable[..., Any]) -> None:
    rows = {name: list(values) for name, values in ROWS.items()}
    rows["input_ids"][10] = [2, *[9] * 20, 99]
    rows["attention_mask"][10] = [1] * 22
    data = datasets.Dataset.from_dict(rows)
    found = pipeline(
        model=tiny(),
        train_data=data,
        collator=padded,
        settings={"per_device_train_batch_size": 3},
    ).fact(Batch)
    assert found.arrays["input_ids"].shape == (3, 4)
    assert found.arrays["labels"].dtype == "int64"
    assert (found.rows, found.length, found.unpadded, found.longest_row) == (3 + 2, 22, 22, 10)
    assert (found.min_id, found.max_id) == (0, 99)
    assert found.ids_rows == {0: (0, 2), 99: (10,)}
    assert found.padded_share == pytest.approx(2 / 12)


def test_a_large_batch_is_looked_at_in_part() -> None:
    data = datasets.Dataset.from_dict({"x": [[1.0]] * 100, "labels": [0] * 100})

    class Model(torch.nn.Module):
        def forward(self, x: Any, labels: Any) -> Any:
            return {"loss": x.mean(), "logits": x}

    found = pipeline(
        model=Model(), train_data=data, settings={"per_device_train_batch_size": 64}
    ).fact(Batch)
    assert found.arrays["x"].shape == (32, 1)


@pytest.mark.parametrize("plain", [True, False])
def test_rows_of_one_batch_are_not_taken_for_the_longest(plain: bool) -> None:
    columns = {"x": [[1.0]] * 100, "labels": [0] * 100}
    rows = [{"x": [1.0], "labels": 0}] * 100

    class Model(torch.nn.Module):
        def forward(self, x: Any, labels: Any) -> Any:
            return {"loss": x.mean(), "logits": x}

    data = rows if plain else datasets.Dataset.from_dict(columns)
    found = pipeline(
        model=Model(),
        train_data=data,
        eval_data=data,
        settings={"per_device_train_batch_size": 64, "per_device_eval_batch_size": 5},
    )
    assert found.fact(Batch, Split.TRAIN).arrays["x"].shape == (32, 1)
    # The two longest are the first two here, which are in the first batch.
    assert found.fact(Batch, Split.TRAIN).rows == 32
    assert found.fact(Batch, Split.EVAL).arrays["x"].shape == (5, 1)


def test_a_collator_that_raises_blocks(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict(ROWS)
    found = pipeline(model=tiny(), train_data=data, collator=transformers.default_data_collator)
    with pytest.raises(ProbeFailed, match=r"expected sequence of length 3 at dim 1 \(got 4\)"):
        found.fact(Batch)


def test_a_label_out_of_range_blocks_the_forward(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict({"input_ids": [[2, 3]], "label": [5]})
    with pytest.raises(ProbeFailed, match="IndexError: Target 5 is out of bounds"):
        pipeline(model=tiny(), train_data=data).fact(Forward)


def test_no_column_that_the_model_takes_is_trainers_error(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict({"text": ["a"]})
    with pytest.raises(ProbeFailed, match="No columns in the dataset match the model's forward"):
        pipeline(model=tiny(), train_data=data).fact(Batch)


def test_no_rows_make_no_batch(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict({"input_ids": [], "label": []})
    with pytest.raises(Unavailable, match="the train data has no rows"):
        pipeline(model=tiny(), train_data=data).fact(Forward)


def test_without_labels_there_is_no_loss(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict({"input_ids": [[2, 3]]})
    found = pipeline(model=tiny(), train_data=data).fact(Forward)
    assert found.outputs == ("logits",)
    with pytest.raises(Unavailable, match="the model returned no loss"):
        _ = found.loss


def test_rows_of_plain_python_go_through_too(tiny: Callable[..., Any]) -> None:
    rows = [{"input_ids": [2, 5, 3], "label": 1, "idx": "a"}] * 4
    found = pipeline(model=tiny(), train_data=rows).fact(Forward)
    assert found.rows == (0, 1, 2, 3)
    assert len(found.row_losses) == 4


def test_a_model_on_the_meta_device_answers_nothing(tiny: Callable[..., Any]) -> None:
    data = datasets.Dataset.from_dict(ROWS)
    found = pipeline(model=tiny().to("meta"), train_data=data, collator=padded)
    with pytest.raises(Unavailable, match="meta device"):
        found.fact(Forward)


def test_a_plain_module_tells_its_parameters_and_arguments() -> None:
    model = Restless()
    found = pipeline(model=model).fact(Model)
    assert found.name == "Restless"
    assert found.size == sum(value.numel() for value in model.parameters())
    assert found.trainable == found.size - model.head.weight.numel()
    assert found.parameters["head.weight"].shape == (2, 4)
    assert found.parameters["head.weight"].dtype == "float32"
    assert found.accepts == ("input_ids", "attention_mask", "labels", "label", "label_ids")
    assert found.label_names == ("labels",)
    assert found.new == frozenset()  # of so few numbers nothing shows how they were drawn


def test_weights_that_are_as_they_were_drawn_are_new() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.Linear(16, 16))
    model[0].weight.data.mul_(3)
    assert pipeline(model=model).fact(Model).new == {"1.weight", "1.bias"}


def reference(kind: str) -> tuple[torch.Tensor, torch.Tensor, list[float]]:
    """Logits, labels, and the loss that torch gives for each row by itself."""
    torch.manual_seed(0)
    entropy = torch.nn.functional.cross_entropy
    if kind == "classes":
        logits, labels = torch.randn(4, 3), torch.tensor([0, 2, 1, 1])
        return (
            logits,
            labels,
            [entropy(logits[i : i + 1], labels[i : i + 1]).item() for i in range(4)],
        )
    if kind == "regression":
        logits, labels = torch.randn(4, 1), torch.randn(4)
        return logits, labels, ((logits[:, 0] - labels) ** 2).tolist()
    if kind == "several":
        logits, labels = torch.randn(4, 3), torch.randint(0, 2, (4, 3)).float()
        each = torch.nn.functional.binary_cross_entropy_with_logits
        return logits, labels, [each(logits[i], labels[i]).item() for i in range(4)]
    logits, labels = torch.randn(4, 6, 5), torch.randint(0, 5, (4, 6))
    if kind == "tokens":
        return logits, labels, [entropy(logits[i], labels[i]).item() for i in range(4)]
    return logits, labels, [entropy(logits[i, :-1], labels[i, 1:]).item() for i in range(4)]


@pytest.mark.parametrize("kind", ["classes", "regression", "several", "tokens", "causal"])
def test_losses_of_rows(kind: str) -> None:
    logits, labels, single = reference(kind)
    whole = sum(single) / len(single)
    assert row_losses(logits, labels, whole) == pytest.approx(single, rel=1e-4)


def test_losses_of_rows_that_do_not_add_up_are_not_told() -> None:
    logits, labels, single = reference("classes")
    assert row_losses(logits, labels, 2 * sum(single)) is None


def test_ignored_tokens_weigh_nothing() -> None:
    logits, labels, _ = reference("tokens")
    labels[0, 2:] = -100
    whole = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten()).item()
    found = row_losses(logits, labels, whole)
    assert found is not None
    first = torch.nn.functional.cross_entropy(logits[0, :2], labels[0, :2]).item()
    assert found[0] == pytest.approx(first, rel=1e-4)


def test_the_row_that_is_not_a_number_is_told() -> None:
    logits, labels, _ = reference("classes")
    logits[2] = torch.nan
    found = row_losses(logits, labels, float("nan"))
    assert found is not None
    assert [math.isnan(value) for value in found] == [False, False, True, False]
