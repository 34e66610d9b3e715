"""Rows that influence each other are found; what mixes them on purpose is let alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_pipelines import Pictures, bert, gpt2, pictures, tokens  # noqa: E402 - after importorskip
from torch import nn  # noqa: E402 - likewise

from pipedoctor import frameworks  # noqa: E402 - likewise
from pipedoctor.fact import Split, Unavailable  # noqa: E402 - likewise
from pipedoctor.facts import MixedBatch, Mixing  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.parts import Parts  # noqa: E402 - likewise
from pipedoctor.pipeline import Pipeline  # noqa: E402 - likewise

Forward = Callable[[Any, Any], Any]


class Model(nn.Module):
    """Sequences of 5 steps with 8 numbers each; `body` makes the answers of them."""

    def __init__(self, body: Forward, layer: Any = None, width: int = 8) -> None:
        super().__init__()
        self.layer = layer if layer is not None else nn.Linear(8, 8)
        self.head = nn.Linear(width, 3)
        self.body = body

    def forward(self, x: Any, labels: Any = None) -> Any:
        logits = self.head(self.body(self.layer, x))
        return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}


def rows(count: int = 8) -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(count, 5, 8, generator=g)
    return [{"x": x[n].tolist(), "labels": n % 3} for n in range(count)]


def pipeline(model: Any, data: Any, **more: Any) -> Pipeline:
    settings = {"remove_unused_columns": False, "per_device_train_batch_size": 6}
    given = Parts({"model": model, "train_data": data, "settings": settings, **more})
    return Pipeline(given, frameworks.probes(given))


def encoder(**words: Any) -> Any:
    return nn.TransformerEncoderLayer(8, 2, 16, **words)


def reshaped(layer: Any, x: Any) -> Any:
    """A view where a transpose was meant: each row gets steps of others."""
    turned = x.view(x.shape[1], x.shape[0], x.shape[2])
    return layer(turned).mean(0)


SICK: dict[str, Callable[[], Any]] = {
    "lstm": lambda: Model(lambda layer, x: layer(x)[0][:, -1], nn.LSTM(8, 8)),
    "encoder": lambda: Model(lambda layer, x: layer(x).mean(1), encoder()),
    "view": lambda: Model(reshaped),
    "softmax over rows": lambda: Model(lambda layer, x: layer(x).softmax(0).mean(1)),
    "centred": lambda: Model(lambda layer, x: (layer(x) - layer(x).mean(0)).mean(1)),
}


def pairs() -> Any:
    """Compares all rows with each other, as a contrastive model does."""

    class Pairs(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Linear(40, 8)

        def forward(self, x: Any, labels: Any = None) -> Any:
            words = self.one(x.flatten(1))
            logits = words @ words.T
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    return Pairs()


HEALTHY: dict[str, Callable[[], Any]] = {
    "lstm": lambda: Model(lambda layer, x: layer(x)[0][:, -1], nn.LSTM(8, 8, batch_first=True)),
    "encoder": lambda: Model(lambda layer, x: layer(x).mean(1), encoder(batch_first=True)),
    "turned lstm": lambda: Model(lambda layer, x: layer(x.transpose(0, 1))[0][-1], nn.LSTM(8, 8)),
    "transpose": lambda: Model(lambda layer, x: layer(x.transpose(0, 1)).mean(0)),
    "batch norm": lambda: Model(
        lambda layer, x: layer(x.transpose(1, 2)).mean(2), nn.BatchNorm1d(8)
    ),
    "dropout": lambda: Model(lambda layer, x: layer(x).mean(1), nn.Dropout(0.5)),
}


@pytest.mark.parametrize("name", SICK)
def test_rows_that_mix_are_found(name: str) -> None:
    torch.manual_seed(0)
    fact = pipeline(SICK[name](), rows()).fact(Mixing)
    assert fact.mixed, fact
    assert fact.changed
    assert fact.replaced not in fact.changed


def test_the_layer_that_mixes_is_named() -> None:
    torch.manual_seed(0)
    layer = pipeline(SICK["lstm"](), rows()).fact(Mixing).layer
    assert layer is not None
    assert (layer.name, layer.kind, layer.batch_first) == ("layer", "LSTM", False)
    inner = pipeline(SICK["encoder"](), rows()).fact(Mixing).layer
    assert inner is not None
    assert inner.name.startswith("layer")
    assert pipeline(SICK["centred"](), rows()).fact(Mixing).layer is None  # no layer of its own


@pytest.mark.parametrize("name", HEALTHY)
def test_rows_that_stay_apart_are_not_suspected(name: str) -> None:
    torch.manual_seed(0)
    model = HEALTHY[name]()
    before = digest(model)
    fact = pipeline(model, rows()).fact(Mixing)
    assert not fact.mixed, fact
    assert fact.own > 0
    assert digest(model) == before


@pytest.mark.parametrize(
    ("made", "data"),
    [
        (bert, lambda: tokens("classes", 0)),
        (gpt2, lambda: tokens("language", 0)),
        (Pictures, lambda: pictures(0)),
    ],
)
@pytest.mark.parametrize("half", [False, True])
def test_models_of_the_libraries_stay_apart(
    made: Callable[[], Any], data: Callable[[], Any], half: bool
) -> None:
    torch.manual_seed(0)
    model = made()
    if half and not isinstance(model, Pictures):
        model = model.to(torch.bfloat16)
    fact = pipeline(model, data()).fact(Mixing)
    assert not fact.mixed, fact


def test_what_is_meant_to_mix_is_let_alone() -> None:
    with pytest.raises(Unavailable, match="pairs"):
        pipeline(pairs(), rows()).fact(Mixing)
    steady = Model(
        lambda layer, x: layer(x.transpose(1, 2)).mean(2),
        nn.BatchNorm1d(8, track_running_stats=False),
    )
    with pytest.raises(Unavailable, match="statistics of each batch"):
        pipeline(steady, rows()).fact(Mixing)
    noisy = Model(lambda layer, x: layer(x).mean(1) + torch.rand(1))
    with pytest.raises(Unavailable, match="from time to time"):
        pipeline(noisy, rows()).fact(Mixing)


def by(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def collator(held: Any) -> Any:
        x = torch.tensor([row["x"] for row in held])
        return {"x": change(x), "labels": torch.tensor([row["labels"] for row in held])}

    return collator


@pytest.mark.parametrize(
    ("change", "mixed"),
    [
        (lambda x: x, False),
        (lambda x: x.transpose(0, 1).reshape(x.shape), True),
        (lambda x: (x - x.mean(0)) / x.std(0), True),
        (lambda x: x - x.mean((1, 2), keepdim=True), False),
        (lambda x: x.flip(1), False),
    ],
)
def test_a_collator_that_mixes_rows_is_found(change: Callable[[Any], Any], mixed: bool) -> None:
    fact = pipeline(HEALTHY["transpose"](), rows(), collator=by(change)).fact(
        MixedBatch, Split.TRAIN
    )
    assert bool(fact.arrays) is mixed
    assert fact.looked == 2
    assert mixed is ("x" in fact.arrays)


def test_what_a_collator_draws_at_random_is_no_mixture() -> None:
    def noisy(x: Any) -> Any:
        draws = int(x[0].sum().abs()) + 1  # so many that the next row gets other ones
        return x + torch.rand(x.shape) + torch.rand(draws).sum()

    fact = pipeline(HEALTHY["transpose"](), rows(), collator=by(noisy)).fact(
        MixedBatch, Split.TRAIN
    )
    assert fact.arrays == {}
    assert fact.looked == 1  # the labels


def test_padding_to_the_longest_row_is_no_mixture() -> None:
    tokenizer_rows = [
        {"input_ids": list(range(5, 5 + 3 + n % 4)), "labels": n % 2} for n in range(12)
    ]

    def collator(held: Any) -> Any:
        longest = max(len(row["input_ids"]) for row in held)
        ids = [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in held]
        return {
            "input_ids": torch.tensor(ids),
            "labels": torch.tensor([r["labels"] for r in held]),
        }

    fact = pipeline(bert(), tokenizer_rows, collator=collator).fact(MixedBatch, Split.TRAIN)
    assert fact.arrays == {}
