"""Real steps of a copy of a model: on the CPU for true, and on a fake device that runs out."""

from __future__ import annotations

import pytest
from facts import pipeline
from gpus import GIB, Fake

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pipedoctor.fact import Unavailable  # noqa: E402 - torch may be absent
from pipedoctor.facts import LiveSteps  # noqa: E402 - likewise
from pipedoctor.frameworks.live.steps import measure  # noqa: E402 - likewise

SIZES = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "vocab_size": 100}


def bert(*, meta=False):
    with torch.device("meta" if meta else "cpu"):
        return transformers.BertForSequenceClassification(transformers.BertConfig(**SIZES))


def state_of(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def pipe(model, **wishes):
    wished = {"live": True, "rows": 8, "length": 32, **wishes}
    return pipeline(model=model, memory=wished, settings={"use_cpu": True})


def test_steps_are_run_on_a_copy_and_the_model_stays_as_it_is():
    model = bert()
    before, random = state_of(model), torch.get_rng_state()
    told = pipe(model).fact(LiveSteps)
    assert (told.steps, told.rows, told.length) == (3, 8, 32)
    assert told.reserved > 0
    assert told.largest is None
    assert any("ends processes" in note for note in told.notes)
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())


def test_a_config_alone_is_run_with_weights_of_zero():
    told = pipe(bert(meta=True)).fact(LiveSteps)
    assert told.steps == 3


def test_without_the_wish_nothing_is_run():
    with pytest.raises(Unavailable, match="--live"):
        pipe(bert(), live=None).fact(LiveSteps)


class Small(Fake):
    """A device on which a row of a batch takes so much; the steps themselves run on the CPU."""

    ROW = GIB // 8

    def __init__(self, total):
        super().__init__(total)
        self.rows = []

    def watch(self, rows):
        self.rows.append(rows)
        self.take(rows * self.ROW)
        self.release(rows * self.ROW)


def watched(monkeypatch, live):
    from pipedoctor.frameworks.live import steps

    usual = steps._Steps.__call__

    def step(self, rows):
        live.watch(rows)
        if rows <= 8:
            usual(self, rows)

    monkeypatch.setattr(steps._Steps, "__call__", step)


def test_the_largest_batch_is_searched_where_the_device_refuses_more(monkeypatch):
    live = Small(2 * GIB)
    watched(monkeypatch, live)
    model = bert()
    told = measure(pipe(model), model, live)
    assert told.device == "a fake GPU"
    assert (told.largest, told.certain) == (16, True)
    assert [one.ran for one in told.tried if one.reserved is not None] == [3] * sum(
        one.reserved is not None for one in told.tried
    )
    assert told.split is not None
    assert live.cached == 0


def test_a_batch_that_runs_out_names_the_largest_that_did_not(monkeypatch):
    live = Small(GIB // 2)
    watched(monkeypatch, live)
    model = bert()
    with pytest.raises(
        Unavailable, match=r"8 rows ran out of memory .* the largest batch that ran has 4"
    ):
        measure(pipe(model), model, live)
