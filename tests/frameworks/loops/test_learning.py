"""Whether a plain loop learns its first batch, from where it began."""

from __future__ import annotations

import signal

import pytest

torch = pytest.importorskip("torch")

from loop_faults import MODEL, loop  # noqa: E402 - after importorskip

from pipedoctor import frameworks  # noqa: E402 - likewise
from pipedoctor.fact import Unavailable  # noqa: E402 - likewise
from pipedoctor.facts import Overfit, RangeTest, UsualRates  # noqa: E402 - likewise
from pipedoctor.facts.overfit import CANNOT, LEARNS, SLOWLY  # noqa: E402 - likewise
from pipedoctor.facts.range_test import FOUND, TOO_HIGH  # noqa: E402 - likewise
from pipedoctor.frameworks.learning.torch_learner import TorchLearner  # noqa: E402 - likewise
from pipedoctor.frameworks.loops.seen import Seen  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.parts import Parts  # noqa: E402 - likewise
from pipedoctor.pipeline import Pipeline  # noqa: E402 - likewise


def pipeline(text: str) -> Pipeline:
    def run() -> None:
        exec(compile(text, "loop.py", "exec"), {"__name__": "__main__"})

    parts = Parts({"loop": run, "overfit": {"steps": 50}})
    return Pipeline(parts, frameworks.probes(parts))


def told(text: str) -> tuple[str, list[str]]:
    fact = pipeline(text).fact(Overfit)
    assert fact.restored
    return fact.verdict, [reason.kind for reason in fact.reasons]


BERT = """
from transformers import BertConfig, BertForSequenceClassification
model = BertForSequenceClassification(BertConfig(
    vocab_size=200, hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=64, max_position_embeddings=32, num_labels=3))
words = torch.randint(5, 200, (512, 12))
"""
OF_THE_MODEL = "loss = model(input_ids=words[i : i + 32], labels=yb).loss / 2"

HEALTHY = {
    "loss function": loop(1),
    "functional": loop(1, computes="loss = nn.functional.cross_entropy(model(xb), yb)"),
    "shared by two": loop(1, computes="loss = criterion(model(xb), yb) / 2"),
    "squares": loop(
        1, computes="loss = nn.functional.mse_loss(model(xb)[:, :1].squeeze(1), xb.sum(1))"
    )
    .replace("nn.Linear(32, 3)", "nn.Linear(32, 1)")
    .replace("[:, :1]", ""),
    "probabilities of the model": loop(
        1,
        MODEL.replace("(32, 3))", "(32, 3), nn.LogSoftmax(1))"),
        computes="loss = nn.functional.nll_loss(model(xb), yb)",
    ),
    "the model's own loss": loop(1, BERT, computes=OF_THE_MODEL),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_loop_learns(name: str) -> None:
    assert told(HEALTHY[name]) == (LEARNS, [])


FAULTS: dict[str, tuple[str, str, str]] = {
    "rate too low": (loop(1, makes="optimizer = torch.optim.Adam(model.parameters(), lr=1e-9)"), SLOWLY, "rate-too-low"),
    "rate too high": (loop(1, makes="optimizer = torch.optim.Adam(model.parameters(), lr=30.0)"), CANNOT, "rate-too-high"),
    "another model": (
        loop(1, makes="import copy\noptimizer = torch.optim.Adam(copy.deepcopy(model).parameters(), lr=1e-3)"),
        CANNOT,
        "not-in-the-optimizer",
    ),
    "inputs lost": (loop(1, computes="loss = criterion(model(xb * 0), yb)"), CANNOT, "labels-contradict-inputs"),
    "units dead": (
        loop(1, MODEL + "nn.init.constant_(model[0].bias, -100.0)\n"),
        CANNOT,
        "units-dead",
    ),
    "one label": (loop(1, computes="loss = criterion(model(xb), yb * 0)"), CANNOT, "one-label"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_the_reason_is_named_first(name: str) -> None:
    text, verdict, kind = FAULTS[name]
    found, reasons = told(text)
    assert (found, reasons[:1]) == (verdict, [kind])


PENALTY = "loss = criterion(model(xb), yb) + sum(p.square().sum() for p in model.parameters())"
WEIGHTED = (
    "loss = nn.functional.cross_entropy(model(xb), yb, weight=torch.tensor([1.0, 2.0, 3.0]))"
)
TWICE = "loss = criterion(model(xb), yb) + criterion(model(xb + 1), yb)"
HALF = 'with torch.autocast("cpu", torch.bfloat16):\n    loss = criterion(model(xb), yb)'


@pytest.mark.parametrize(
    ("computes", "why"),
    [
        (PENALTY, "more than one loss function"),
        (WEIGHTED, "more than one loss function"),
        (f"{WEIGHTED} / 2", "more than one loss function"),
        (TWICE, "calls 2 models"),
        (HALF, "autocast"),
        ("loss = criterion(model(xb)[:, [2, 1, 0]], yb)", "more than one loss function"),
    ],
)
def test_what_cannot_be_computed_again_is_said(computes: str, why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        pipeline(loop(1, computes=computes)).fact(Overfit)


def test_all_begins_where_the_loop_began() -> None:
    """The first loss of the attempt is that of the weights that the script has made."""
    one = pipeline(HEALTHY["loss function"])
    fact = one.fact(Overfit)
    recording = one.fact(Seen).digest.recording
    assert len(recording.steps) == 16
    first = recording.first
    assert first is not None
    assert all(torch.equal(tensor, copy) for tensor, copy in first.weights)
    assert not recording.optimizers[0].optimizer.state
    assert fact.own is not None
    assert fact.own.optimizer == "Adam"
    held = (first.module, recording.optimizers[0].optimizer)
    assert digest(*held) == fact.digest


def test_without_the_wish_nothing_is_kept() -> None:
    parts = Parts({"loop": lambda: exec(HEALTHY["loss function"], {})})
    recording = Pipeline(parts, frameworks.probes(parts)).fact(Seen).digest.recording
    assert recording.first is None
    assert recording.optimizers[0].began is None


def rates(text: str) -> tuple[RangeTest, Pipeline]:
    def run() -> None:
        exec(compile(text, "loop.py", "exec"), {"__name__": "__main__"})

    parts = Parts({"loop": run, "range_test": {}})
    one = Pipeline(parts, frameworks.probes(parts))
    return one.fact(RangeTest), one


@pytest.mark.parametrize("name", ["loss function", "shared by two", "the model's own loss"])
def test_rates_are_tried_on_the_first_batches_of_a_loop(name: str) -> None:
    found, one = rates(HEALTHY[name].replace("range(1)", "range(4)"))
    assert found.outcome == FOUND
    assert found.judged != TOO_HIGH
    assert found.batches > 10
    assert found.batch_rows == 32
    assert found.restored
    assert one.fact(UsualRates).method == "training from scratch"


def test_a_rate_of_a_loop_that_is_too_high_is_proved() -> None:
    makes = "optimizer = torch.optim.Adam(model.parameters(), lr=30.0)"
    found, _ = rates(loop(4, makes=makes))
    assert (found.judged, found.rate) == (TOO_HIGH, 30.0)


def test_batches_of_another_kind_end_the_row() -> None:
    plain = "criterion(model(xb), yb)"
    computes = f"loss = {plain} if i < 64 else {plain} + model(xb).sum() * 0"
    found, _ = rates(loop(4, computes=computes))
    assert found.batches == 2
    assert any("2 batches only" in doubt for doubt in found.doubts)


def test_nothing_is_kept_where_nobody_asks() -> None:
    def run() -> None:
        exec(compile(HEALTHY["loss function"], "loop.py", "exec"), {"__name__": "__main__"})

    parts = Parts({"loop": run})
    recording = Pipeline(parts, frameworks.probes(parts)).fact(Seen).digest.recording
    assert recording.first is None
    assert recording.backwards > 2


def test_an_interruption_leaves_a_loop_where_it_began(monkeypatch: pytest.MonkeyPatch) -> None:
    one = pipeline(HEALTHY["loss function"])
    first = one.fact(Seen).digest.recording.first
    update = TorchLearner.update

    def interrupted(learner: TorchLearner) -> None:
        update(learner)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(TorchLearner, "update", interrupted)
    with pytest.raises(KeyboardInterrupt):
        one.fact(Overfit)
    assert all(torch.equal(tensor, copy) for tensor, copy in first.weights)
