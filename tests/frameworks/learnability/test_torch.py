"""Some hundred rows of a pipeline of torch; and rates that are too high to learn anything."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from learnability_pipelines import KINDS, learnability, parts

from pipedoctor import frameworks
from pipedoctor.fact import Unavailable
from pipedoctor.facts import Learnability, ShortRuns
from pipedoctor.facts.learnability import RELATED, UNRELATED
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_pipelines import bert, numbers, tokens  # noqa: E402 - after importorskip
from torch import nn  # noqa: E402 - likewise

from pipedoctor.frameworks.learning.torch_learner import TorchLearner  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise


def made(fact: Any, **given: Any) -> Any:
    whole = Parts(given)
    return Pipeline(whole, frameworks.probes(whole)).fact(fact)


@pytest.mark.parametrize("kind", ["plain", "five", "words"])
def test_labels_that_go_with_their_inputs_are_seen_within_seconds(kind: str) -> None:
    fact = learnability(kind, 0, shuffled=False)
    assert fact.verdict == RELATED
    assert fact.restored
    assert fact.updates <= 200


def test_shuffled_labels_are_learned_by_heart_and_nothing_else() -> None:
    given = parts("plain", 0, shuffled=True)
    model, optimizer = given["model"], given["optimizer"]
    before = digest(model, optimizer)
    fact = made(Learnability, **given)
    assert fact.verdict == UNRELATED
    assert fact.fitted
    assert fact.model.value == pytest.approx(fact.chance, abs=0.12)
    assert fact.seen == 1200
    assert len(fact.shuffled) == len(fact.losses)
    assert fact.restored
    assert digest(model, optimizer) == before


def test_an_interrupted_training_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    given = parts("plain", 1, shuffled=True, rows=300)
    before, calls, update = digest(given["model"], given["optimizer"]), [0], TorchLearner.update

    def interrupted(self: TorchLearner) -> None:
        calls[0] += 1
        if calls[0] == 60:  # beyond what one batch takes
            raise KeyboardInterrupt
        update(self)

    monkeypatch.setattr(TorchLearner, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        made(Learnability, **given)
    assert digest(given["model"], given["optimizer"]) == before


@pytest.mark.parametrize(
    ("rows", "wished", "why"), [(80, None, "not asked for"), (40, 300, "too few different rows")]
)
def test_what_is_not_tried_has_its_reason(rows: int, wished: int | None, why: str) -> None:
    given = parts("plain", 0, shuffled=False, rows=rows)
    with pytest.raises(Unavailable, match=why):
        made(Learnability, **{**given, "overfit": {"steps": 50, "rows": wished}})


def deep_network(rate: float) -> dict[str, Any]:
    torch.manual_seed(0)

    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = [16, 64, 64, 64, 64]
            layers = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
            self.layers = nn.Sequential(*layers, nn.Linear(64, 4))

        def forward(self, x: Any, labels: Any = None) -> Any:
            logits = self.layers(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    model = Model()
    return {
        "model": model,
        "train_data": numbers("classes", 0),
        "optimizer": torch.optim.AdamW(model.parameters(), lr=rate),
        "run": {"trainings": 1},
    }


def test_a_rate_above_the_weights_is_tried_and_a_lower_one_learns() -> None:
    given = deep_network(1.0)
    before = digest(given["model"], given["optimizer"])
    runs = made(ShortRuns, **given)
    assert runs.ratio > 5
    assert [curve.reached for curve in runs.curves] == [False, True]
    assert runs.curves[1].rate == 0.03
    assert digest(given["model"], given["optimizer"]) == before


def test_a_rate_below_the_weights_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TorchLearner, "loss", lambda _: pytest.fail("something was run"))
    runs = made(ShortRuns, **deep_network(1e-2))
    assert runs.ratio < 1
    assert runs.curves == ()


def test_weights_that_are_zero_on_purpose_are_not_compared() -> None:
    given = deep_network(1e-2)
    with torch.no_grad():
        for layer in list(given["model"].layers)[:3]:
            layer[0].weight.zero_()
    assert made(ShortRuns, **given).matrices == 2


def test_a_linear_model_bears_what_others_do_not() -> None:
    torch.manual_seed(0)

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(16, 4)

        def forward(self, x: Any, labels: Any = None) -> Any:
            logits = self.head(x)
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    model = Linear()
    optimizer = torch.optim.Adam(model.parameters(), lr=1.0)
    runs = made(
        ShortRuns,
        model=model,
        train_data=numbers("classes", 0),
        optimizer=optimizer,
        run={"trainings": 1},
    )
    assert runs.ratio > 1
    assert runs.curves[0].reached


def test_sgd_and_live_objects_are_left_alone() -> None:
    given = deep_network(1.0)
    given.pop("run")
    with pytest.raises(Unavailable, match="without being asked"):
        made(ShortRuns, **given)
    given["optimizer"] = torch.optim.SGD(given["model"].parameters(), lr=1.0)
    with pytest.raises(Unavailable, match="depends on its gradients"):
        made(ShortRuns, **given)


def test_a_transformer_from_scratch_learns_nothing_at_a_rate_of_two_tenths() -> None:
    torch.manual_seed(0)
    model = bert()
    given = {
        "model": model,
        "train_data": tokens("classes", 0),
        "run": {"trainings": 1},
        "settings": {"per_device_train_batch_size": 8, "remove_unused_columns": False},
    }
    runs = made(ShortRuns, optimizer=torch.optim.AdamW(model.parameters(), lr=0.2), **given)
    assert not runs.curves[0].reached
    assert runs.curves[-1].reached
    usual = torch.optim.AdamW(model.parameters(), lr=1e-3)
    assert made(ShortRuns, optimizer=usual, **given).curves == ()


@pytest.mark.deep
@pytest.mark.parametrize("shuffled", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_ten_seeds_of_each_kind(kind: str, shuffled: bool) -> None:
    facts = [learnability(kind, seed, shuffled=shuffled) for seed in range(10)]
    assert all(fact.restored for fact in facts)
    wrong = RELATED if shuffled else UNRELATED
    assert not [seed for seed, fact in enumerate(facts) if fact.verdict == wrong]
    if shuffled:
        assert np.mean([fact.model.z for fact in facts]) < 1.5
