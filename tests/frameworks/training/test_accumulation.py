"""What accumulating batches does to the gradient, through the trainer's own training step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import language_pipelines as language
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_healthy import trained  # noqa: E402 - after importorskip
from overfit_pipelines import CLASSES, bert, tokens  # noqa: E402 - likewise
from torch.nn import functional  # noqa: E402 - likewise

from pipedoctor import frameworks  # noqa: E402 - likewise
from pipedoctor.fact import Unavailable  # noqa: E402 - likewise
from pipedoctor.facts import Accumulated  # noqa: E402 - likewise
from pipedoctor.frameworks.capture.trainer import unpack  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.parts import Parts  # noqa: E402 - likewise
from pipedoctor.pipeline import Pipeline  # noqa: E402 - likewise


def measured(trainer: Any) -> Accumulated:
    given = Parts({"trainer": trainer, **unpack(trainer)})
    return Pipeline(given, frameworks.probes(given)).fact(Accumulated)


def uneven(count: int = 16) -> list[dict[str, Any]]:
    """Rows of which the first half has labels at each token, the second at one only."""
    rows = tokens("language", 0)[:count]
    for number, row in enumerate(rows):
        words = list(row["labels"])
        row["labels"] = words if number % 8 < 4 else [-100] * 10 + words[10:]
    return rows


def llama() -> Any:
    return language.llama(200)


def test_the_models_of_the_library_divide_by_the_number_of_items(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainer = trained(llama(), uneven(), tmp_path, gradient_accumulation_steps=4)["trainer"]
    before, state = digest(trainer.model), dict(vars(trainer))
    fact = measured(trainer)
    assert fact.separable
    assert fact.shares == pytest.approx((1.0, 1.0), abs=1e-3)
    assert fact.items is not None
    assert fact.items[0] > 2 * fact.items[1]
    assert (fact.factor, fact.uneven, fact.own) == (None, False, "")
    assert digest(trainer.model) == before
    assert all(vars(trainer)[name] is value for name, value in state.items())
    assert "train" not in vars(trainer.model)


def test_a_mean_of_the_library_is_found_too_and_its_cure_helps(tmp_path: Path) -> None:
    """BERT takes the number of items and does not divide by it, so that Trainer adds up means."""
    torch.manual_seed(0)
    rows = tokens("classes", 0)
    trainer = trained(bert(), rows, tmp_path, gradient_accumulation_steps=4)["trainer"]
    if not trainer.model_accepts_loss_kwargs:
        pytest.skip("this release of transformers divides by the number of batches")
    assert measured(trainer).factor == pytest.approx(2.0, rel=1e-3)
    assert measured(trainer).foreign
    if measured(trainer).settable:
        trainer.loss_is_scaled_for_ga = False
    else:
        trainer.model_accepts_loss_kwargs = False
    assert measured(trainer).factor is None


class Mean(transformers.Trainer):
    """A loss of its own that takes a mean, with a model that is handed the number of items."""

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        logits = outputs.logits[:, :-1].flatten(0, 1)
        loss = functional.cross_entropy(logits, labels[:, 1:].flatten())
        return (loss, outputs) if return_outputs else loss


def test_a_mean_that_nobody_divides_is_too_large_or_uneven(tmp_path: Path) -> None:
    torch.manual_seed(0)
    rows = tokens("language", 0)
    trainer = trained(llama(), rows, tmp_path, Mean, gradient_accumulation_steps=4)["trainer"]
    fact = measured(trainer)
    assert fact.factor == pytest.approx(2.0, rel=1e-2)
    assert (fact.own, fact.counts, fact.steps) == ("compute_loss", False, 4)
    trainer = trained(llama(), uneven(), tmp_path, Mean, gradient_accumulation_steps=4)["trainer"]
    fact = measured(trainer)
    assert fact.factor is None
    assert fact.uneven


class Contrast(transformers.Trainer):
    """A loss that compares the rows of a batch: halves can't give the gradient of the whole."""

    def compute_loss(self, model: Any, inputs: Any, return_outputs: bool = False, **_: Any) -> Any:
        outputs = model(**{name: v for name, v in inputs.items() if name != "labels"})
        words = functional.normalize(outputs.logits, dim=-1)
        loss = functional.cross_entropy(words @ words.T * 5, torch.arange(len(words)).flip(0))
        return (loss, outputs) if return_outputs else loss


def test_a_loss_that_compares_rows_is_let_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainer = trained(
        bert(), tokens("classes", 0), tmp_path, Contrast, gradient_accumulation_steps=2
    )["trainer"]
    fact = measured(trainer)
    assert not fact.separable
    assert fact.factor is None
    assert not fact.uneven


def test_a_sum_divided_by_the_number_of_items_is_right(tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainer = trained(bert(), tokens("classes", 0), tmp_path, gradient_accumulation_steps=2)
    one = trainer["trainer"]

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        total = functional.cross_entropy(outputs.logits.view(-1, CLASSES), labels, reduction="sum")
        return total / num_items_in_batch

    one.compute_loss_func = loss
    fact = measured(one)
    assert (fact.own, fact.counts, fact.factor) == ("compute_loss_func", True, None)


def test_the_trainer_of_trl_is_right(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = language.tokenizer()
    model = language.llama(len(tokenizer))
    trainer = language.sft(
        tmp_path, language.plain(), tokenizer, model, gradient_accumulation_steps=4
    )
    fact = measured(trainer)
    assert fact.shares == pytest.approx((1.0, 1.0), abs=1e-3)


def test_nothing_is_asked_where_nothing_is_accumulated(tmp_path: Path) -> None:
    trainer = trained(bert(), tokens("classes", 0), tmp_path)["trainer"]
    with pytest.raises(Unavailable, match="gradient_accumulation_steps is 1"):
        measured(trainer)
