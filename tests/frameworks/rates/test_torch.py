"""The range test on pipelines of torch: rates that work, rates that are disproved, and bad input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from overfit_healthy import trained  # noqa: E402 - after importorskip
from overfit_pipelines import HEALTHY, Network, bert, case, numbers, tokens  # noqa: E402 - likewise
from rate_pipelines import tried, usual  # noqa: E402 - likewise

from pipedoctor.fact import Unavailable  # noqa: E402 - likewise
from pipedoctor.facts.range_test import FOUND, INCONCLUSIVE, TOO_HIGH, TOO_LOW  # noqa: E402 - likewise
from pipedoctor.frameworks.rates.torch_sweeper import TorchSweeper  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise
from pipedoctor.pipeline import ProbeFailed  # noqa: E402 - likewise


def parts(name: str = "network", **changes: Any) -> dict[str, Any]:
    one = case(name, 0)
    for field, value in changes.items():
        setattr(one, field, value)
    return one.parts()


def sgd(model: Any, rate: float) -> Any:
    return torch.optim.SGD(model.parameters(), lr=rate)


QUICK = {"network", "bert"}


@pytest.mark.parametrize(
    "model", [m if m in QUICK else pytest.param(m, marks=pytest.mark.deep) for m in HEALTHY]
)
def test_a_healthy_pipeline_is_not_accused(model: str) -> None:
    given = parts(model)
    before = digest(given["model"], given["optimizer"])
    found = tried(given)
    assert found.works, found
    assert found.suggestion is not None
    assert 1e-4 <= found.suggestion <= 0.05
    assert found.steps <= 100
    assert found.restored
    assert digest(given["model"], given["optimizer"]) == before


@pytest.mark.parametrize("model", ["network", pytest.param("bert", marks=pytest.mark.deep)])
def test_too_high_and_too_low_are_proved(model: str) -> None:
    high = tried(parts(model, rate=100.0))
    assert high.judged == TOO_HIGH
    assert high.diverges is not None
    assert high.times == pytest.approx(100 / high.diverges, rel=0.1)
    low = tried(parts(model, rate=1e-9))
    assert low.judged == TOO_LOW
    assert low.times is not None
    assert low.times > 10
    assert low.restored


def test_plain_descent_takes_higher_rates_than_adam() -> None:
    adam, plain = tried(parts()), tried(parts(optimizer=sgd))
    assert adam.suggestion is not None
    assert plain.suggestion is not None
    assert plain.suggestion > 5 * adam.suggestion


def test_groups_keep_their_proportions(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Network()
    optimizer = torch.optim.AdamW(
        [
            {"params": [*model.one.parameters(), *model.two.parameters()], "lr": 1e-4},
            {"params": model.head.parameters(), "lr": 1e-3},
        ]
    )
    seen: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: Any, *words: Any) -> Any:
        rates = [group["lr"] for group in self.param_groups]
        seen.append(rates[1] / rates[0])
        return step(self, *words)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    found = tried({**parts(), "model": model, "optimizer": optimizer})
    assert found.rate == 1e-3
    assert seen == pytest.approx([10.0] * len(seen))
    assert [group["lr"] for group in optimizer.param_groups] == [1e-4, 1e-3]


@pytest.mark.parametrize(
    ("error", "after"), [(KeyboardInterrupt, 0), (KeyboardInterrupt, 45), (RuntimeError, 5)]
)
def test_an_interruption_leaves_all_as_it_was(
    monkeypatch: pytest.MonkeyPatch, error: type[BaseException], after: int
) -> None:
    given = parts("pictures")  # with batch normalisation, whose statistics move
    before = digest(given["model"], given["optimizer"])
    step, made = TorchSweeper.step, []

    def interrupted(self: Any, place: int, rate: float) -> tuple[float, bool]:
        if len(made) == after:
            raise error
        made.append(rate)
        return step(self, place, rate)

    monkeypatch.setattr(TorchSweeper, "step", interrupted)
    with pytest.raises(error if error is KeyboardInterrupt else ProbeFailed):
        tried(given)
    assert len(made) == after
    assert digest(given["model"], given["optimizer"]) == before


def test_a_trainer_is_left_as_it_was(tmp_path: Path) -> None:
    torch.manual_seed(0)
    given = trained(
        bert(),
        tokens("classes", 0),
        tmp_path / "out",
        learning_rate=5e-4,
        gradient_accumulation_steps=2,
    )
    trainer = given["trainer"]
    before, state = digest(trainer.model), dict(vars(trainer))
    found = tried(given)
    assert found.outcome == FOUND
    assert found.batch_rows == 2 * trainer.args.per_device_train_batch_size
    assert digest(trainer.model) == before
    assert {name for name in vars(trainer) if vars(trainer)[name] is not state[name]} == set()
    assert list((tmp_path / "out").iterdir()) == []  # Trainer makes the folder itself


def test_accumulated_batches_make_one_update() -> None:
    together = parts(settings={"per_device_train_batch_size": 16})
    apart = parts(settings={"per_device_train_batch_size": 4, "gradient_accumulation_steps": 4})
    one, other = tried(together), tried(apart)
    assert one.batch_rows == other.batch_rows == 16
    assert one.batches == other.batches == 4
    for here, there in zip(one.points, other.points, strict=True):
        assert here.rate == pytest.approx(there.rate, rel=1e-3)
        assert here.loss == pytest.approx(there.loss, rel=1e-2)


def test_one_batch_only_is_a_doubt() -> None:
    given = parts(rows=numbers("classes", 0)[:8])
    found = tried(given)
    assert found.batches == 1
    assert "there is 1 batch only" in found.doubts
    assert found.confidence != "high"


def test_fewer_rows_than_a_batch() -> None:
    found = tried(parts(rows=numbers("classes", 0)[:3]))
    assert found.batch_rows == 3
    assert found.restored


def test_no_rows_at_all() -> None:
    with pytest.raises(Unavailable, match="no rows"):
        tried(parts(rows=[]))


def test_a_model_without_a_loss() -> None:
    rows = [{"x": row["x"]} for row in numbers("classes", 0)]

    class NoLoss(Network):
        def forward(self, x: Any) -> Any:
            return {"logits": self.logits(x)}

    with pytest.raises(Unavailable, match="returned no loss"):
        tried(parts(model=NoLoss(), rows=rows))


def test_nothing_trained_moves_no_loss() -> None:
    one = case("network", 0)
    one.model.requires_grad_(False)
    one.optimizer = lambda _model, rate: torch.optim.AdamW(
        [torch.nn.Parameter(torch.zeros(1))], rate
    )
    found = tried(one.parts())
    assert found.outcome == INCONCLUSIVE
    assert found.suggestion is None
    assert "overfit" in found.advice


class Stream(torch.utils.data.IterableDataset):  # type: ignore[type-arg] - rows of any kind
    """Rows one after the other; `read` counts those that were drawn from this very object."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.read = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self.rows:
            self.read += 1
            yield row


def test_a_stream_is_read_ahead_in_a_copy() -> None:
    stream = Stream(numbers("classes", 0))
    found = tried({**parts(), "train_data": stream})
    assert found.outcome == FOUND
    assert found.batches == 8
    assert stream.read == 0


def test_a_stream_that_can_be_read_only_once_is_left_alone() -> None:
    rows = iter(numbers("classes", 0))
    with pytest.raises(Unavailable):
        tried({**parts(), "train_data": rows})
    assert len(list(rows)) == 64


def test_nan_in_a_row_is_told_and_no_rate() -> None:
    rows = numbers("classes", 0)
    rows[20] = {**rows[20], "x": [float("nan")] * 16}
    found = tried(parts(rows=rows))
    assert found.outcome == INCONCLUSIVE
    assert "before any update" in found.why
    assert "nan-trace" in found.advice
    assert found.suggestion is None


def test_a_gradient_that_is_nan_is_told_and_no_rate() -> None:
    class Root(Network):
        def loss(self, logits: Any, labels: Any) -> Any:
            return super().loss(logits, labels) + (logits * 0).sum().abs().sqrt()

    found = tried(parts(model=Root()))
    assert found.outcome == INCONCLUSIVE
    assert "gradient is not finite, although the loss is" in found.why
    assert found.suggestion is None
    assert found.restored


def test_a_model_that_draws_at_random_hides_its_rates() -> None:
    class Random(Network):
        def logits(self, x: Any) -> Any:
            return super().logits(x) * 0.01 + 5 * torch.randn(len(x), 4)

    found = tried(parts(model=Random()))
    assert found.outcome == INCONCLUSIVE
    assert found.suggestion is None
    assert found.restored


def test_optimizers_that_make_their_rate_themselves_are_left_alone() -> None:
    given = parts("bert")
    given["optimizer"] = transformers.Adafactor(given["model"].parameters())
    with pytest.raises(Unavailable, match="makes its rate itself"):
        tried(given)


def test_the_time_limit_ends_it_and_all_is_put_back() -> None:
    found = tried(parts("bert"), run={"time_limit": 1e-9})
    assert found.outcome == INCONCLUSIVE
    assert "--time" in found.advice
    assert found.restored


def test_what_is_usual_is_told_with_its_source() -> None:
    scratch = usual(parts("gpt2"))
    assert (scratch.method, scratch.first) == ("training from scratch", 1e-3)
    given = parts("gpt2")
    peft = pytest.importorskip("peft")
    lora = peft.LoraConfig(r=4, target_modules=["c_attn"], fan_in_fan_out=True)
    model = peft.get_peft_model(given["model"], lora)
    adapted = usual({**given, "model": model, "optimizer": torch.optim.AdamW(model.parameters())})
    assert (adapted.method, adapted.first) == ("LoRA", 2e-4)
    assert "microsoft/LoRA" in adapted.source


def test_a_live_pipeline_is_told_of_in_its_report() -> None:
    import pipedoctor

    given = parts()
    before = digest(given["model"], given["optimizer"])
    report = pipedoctor.examine(**given, range_test={"steps": 40})
    (told,) = report.figures["RangeTest"]
    assert told["outcome"] == FOUND
    assert told["restored"] is True
    assert digest(given["model"], given["optimizer"]) == before
    assert "RangeTest" not in pipedoctor.examine(**parts()).figures
