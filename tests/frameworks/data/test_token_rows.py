"""All rows of token ids are looked at, as they are stored or as their own code gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pipedoctor import Unavailable, frameworks
from pipedoctor.fact import Split
from pipedoctor.facts import BlindRows, TokenRows
from pipedoctor.facts.token_rows import Those
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

datasets = pytest.importorskip("datasets")
np = pytest.importorskip("numpy")

Row = dict[str, Any]


def row(number: int, **other: Any) -> Row:
    ids = [2, 5 + number % 40, 7, 3][: 3 + number % 2]
    told = {"input_ids": ids, "attention_mask": [1] * len(ids), "labels": number % 2}
    return {**told, **other}


class Own(Sequence[Row]):
    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return {name: np.asarray(value) for name, value in self.rows[index].items()}


def arrow(rows: list[Row]) -> Any:
    return datasets.Dataset.from_list(rows)


def put_in_order(rows: list[Row]) -> Any:
    """Return data whose table holds the rows the other way round."""
    other = {**rows[0], "input_ids": [999], "attention_mask": [0]}
    whole = datasets.Dataset.from_list([*rows[::-1], other])
    return whole.select(range(len(rows) - 1, -1, -1)).select(range(len(rows)), keep_in_memory=True)


def in_chunks(rows: list[Row]) -> Any:
    parts = [datasets.Dataset.from_list(rows[n : n + 7]) for n in range(0, len(rows), 7)]
    return datasets.concatenate_datasets(parts)


KINDS = [arrow, put_in_order, in_chunks, list, Own]


def measured(data: Any, fact: Any = TokenRows, **parts: Any) -> Any:
    given = Parts({"train_data": data, "settings": {"output_dir": "out"}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(fact, Split.TRAIN)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_far_behind_the_first_batch(kind: Callable[[list[Row]], Any]) -> None:
    rows = [row(number) for number in range(100)]
    rows[30]["attention_mask"] = [0] * len(rows[30]["attention_mask"])
    rows[41] = row(41, input_ids=[], attention_mask=[])
    rows[77] = row(77, input_ids=[2, 50, 1, 3], attention_mask=[1, 1, 1, 1])

    found = measured(kind(rows))

    assert found.rows == 100
    assert found.of is None
    assert found.masked == Those(1, (30,))
    assert found.empty == Those(1, (41,))
    assert (found.least, found.most) == (1, 50)
    assert found.holders[50] == (77,)
    assert found.holders[1] == (77,)


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_of_rows_that_are_well(kind: Callable[[list[Row]], Any]) -> None:
    found = measured(kind([row(number) for number in range(100)]))

    assert not found.masked.count
    assert not found.empty.count
    assert not found.apart
    assert found.most == 44


@pytest.mark.parametrize("kind", KINDS)
def test_labels_that_are_fewer_than_tokens(kind: Callable[[list[Row]], Any]) -> None:
    rows = [row(number, labels=[-100, 1, 2, -100][: 3 + number % 2]) for number in range(60)]
    rows[21]["labels"] = [1, 2]
    rows[44]["labels"] = [1, 2]

    found = measured(kind(rows))

    assert found.apart["labels"] == Those(2, (21, 44))
    assert found.lengths["labels"] == (21, 4, 2)


@pytest.mark.parametrize("kind", [arrow, put_in_order, in_chunks])
def test_the_labels_of_a_first_token_that_all_rows_share(kind: Callable[[list[Row]], Any]) -> None:
    rows = [row(n, labels=[n % 3, 0, 0, 0][: 3 + n % 2]) for n in range(60)]
    assert measured(kind(rows)).first == {0: 20, 1: 20, 2: 20}

    rows[3]["input_ids"] = [9, 9, 9, 3]
    with pytest.raises(Unavailable):
        _ = measured(kind(rows)).first


def test_data_without_token_ids() -> None:
    with pytest.raises(Unavailable, match="no column of token ids"):
        measured(datasets.Dataset.from_dict({"text": ["a", "b"]}))
    with pytest.raises(Unavailable, match="token ids"):
        measured(datasets.Dataset.from_dict({"input_ids": [[[1, 2], [3]]]}))


def test_the_rows_found_are_run_with_the_model() -> None:
    torch = pytest.importorskip("torch")

    class Mean(torch.nn.Module):  # type: ignore[misc, name-defined]  # torch is imported here
        def __init__(self) -> None:
            super().__init__()
            self.words = torch.nn.Embedding(60, 4)

        def forward(self, input_ids: Any, attention_mask: Any, labels: Any = None) -> Any:
            mask = attention_mask[..., None].float()
            mean = (self.words(input_ids) * mask).sum(1) / mask.sum(1)  # 0 / 0 without a token
            return {"loss": (mean.sum(1) - labels).square().mean(), "logits": mean}

    rows = [row(2 * number) for number in range(100)]
    assert measured(rows, BlindRows, model=Mean()).rows == ()
    rows[30]["attention_mask"] = [0] * len(rows[30]["attention_mask"])
    spoilt = measured(rows, BlindRows, model=Mean())
    assert spoilt.rows == (30,)
    assert spoilt.loss != spoilt.loss
