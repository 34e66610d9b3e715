"""Labels that are those of the next token, and models that shift them by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pipelines import pipeline

from pipedoctor.facts import LabelShift
from pipedoctor_checks.language_models.labels_shifted_twice import labels_shifted_twice

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SMALL = {"vocab_size": 40, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}


def gpt() -> Any:
    config = transformers.GPT2Config(**SMALL, n_embd=16, n_layer=1, n_head=2)
    return transformers.GPT2LMHeadModel(config)


class Plain(torch.nn.Module):  # type: ignore[misc]  # torch is imported by importorskip
    """A model that compares each answer with the label beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.nn.Embedding(40, 40)

    def forward(self, input_ids: Any, labels: Any = None) -> dict[str, Any]:
        logits = self.table(input_ids)
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels.flatten())
        return {"loss": loss, "logits": logits}


def texts() -> list[list[int]]:
    random = torch.Generator().manual_seed(0)
    return torch.randint(1, 40, (16, 12), generator=random).tolist()  # type: ignore[no-any-return]  # of numbers


def shifted(row: list[int]) -> dict[str, list[int]]:
    return {"input_ids": row, "labels": [*row[1:], -100]}


def fact(model: Any, make: Callable[[list[int]], dict[str, list[int]]]) -> LabelShift:
    return pipeline(model=model, train_data=[make(row) for row in texts()]).fact(LabelShift)


def test_labels_of_the_next_token_in_a_model_that_shifts() -> None:
    told = fact(gpt(), shifted)
    assert told.following == told.labels > 50
    assert told.shifts is True
    (finding,) = labels_shifted_twice(told)
    assert "the token after the next one" in finding.message


def test_labels_of_the_next_token_in_a_model_that_does_not() -> None:
    told = fact(Plain(), shifted)
    assert told.shifts is False
    assert list(labels_shifted_twice(told)) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda row: {"input_ids": row, "labels": row},
        lambda row: {"input_ids": row, "labels": [-100] * 6 + row[6:]},
        lambda row: {"input_ids": [row[0]] * 12, "labels": [row[0]] * 12},
        lambda row: {"input_ids": row, "labels": row[::-1]},
    ],
    ids=["tokens", "answers only", "one token again and again", "something else"],
)
def test_other_labels(make: Callable[[list[int]], dict[str, list[int]]]) -> None:
    assert list(labels_shifted_twice(fact(gpt(), make))) == []


def test_a_masked_language_model() -> None:
    config = transformers.BertConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2
    )
    told = fact(
        transformers.BertForMaskedLM(config),
        lambda row: {"input_ids": [3, *row[1:]], "labels": [row[0], *[-100] * 11]},
    )
    assert list(labels_shifted_twice(told)) == []


def test_a_loop() -> None:
    model, rows = gpt(), torch.tensor(texts())

    def loop() -> None:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            model(input_ids=rows[:, :-1], labels=rows[:, 1:]).loss.backward()
            optimizer.step()

    told = pipeline(loop=loop).fact(LabelShift)
    assert (told.shifts, told.following == told.labels) == (True, True)
    (finding,) = labels_shifted_twice(told)
    assert finding.where.line is not None
