"""The learning rate of every schedule, against that of transformers' own at every step."""

from __future__ import annotations

import json

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import LearningRate
from pipedoctor.facts.learning_rate import SAMPLES
from pipedoctor.probes import curves
from pipedoctor.probes.learning_rate import BY_SCORES

VALUE = 3e-4

CASES = [
    ("linear", {}),
    ("cosine", {}),
    ("cosine", {"num_cycles": 1.5}),
    ("cosine_with_restarts", {}),
    ("cosine_with_restarts", {"num_cycles": 3}),
    ("polynomial", {}),
    ("polynomial", {"power": 2.5, "lr_end": 1e-5}),
    ("constant", {}),
    ("constant", {"anything": 1}),
    ("constant_with_warmup", {}),
    ("inverse_sqrt", {}),
    ("inverse_sqrt", {"timescale": 50}),
    ("cosine_with_min_lr", {"min_lr": 1e-5}),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1, "num_cycles": 0.7}),
    ("cosine_warmup_with_min_lr", {"min_lr": 1e-5}),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1, "warmup_lr_rate": 0.2}),
    ("warmup_stable_decay", {"num_decay_steps": 5}),
    ("warmup_stable_decay", {"num_decay_steps": 5, "decay_type": "linear", "min_lr_ratio": 0.1}),
    ("warmup_stable_decay", {"num_decay_steps": 9, "num_stable_steps": 4, "decay_type": "1-sqrt"}),
    ("warmup_stable_decay", {"num_decay_steps": 3, "warmup_type": "cosine", "num_cycles": 1.5}),
    ("warmup_stable_decay", {"num_decay_steps": 3, "warmup_type": "1-sqrt"}),
]

REFUSED = [
    ("linear", {"num_cycles": 2}),
    ("cosine", {"min_lr": 1e-6}),
    ("polynomial", {"lr_end": 3e-4}),
    ("cosine_with_min_lr", {}),
    ("cosine_with_min_lr", {"min_lr": 1e-6, "min_lr_rate": 0.1}),
    ("cosine_warmup_with_min_lr", {"num_cycles": 1}),
    ("warmup_stable_decay", {}),
    ("warmup_stable_decay", {"num_decay_steps": 3, "decay_type": "sine"}),
    ("warmup_stable_decay", {"num_decay_steps": 3, "warmup_type": "steep"}),
    ("inverse_sqrt", {"power": 2}),
]


def real(name, warmup, total, options):
    """Make the scheduler of transformers, and return it with its optimizer."""
    torch = pytest.importorskip("torch")
    optimization = pytest.importorskip("transformers.optimization")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=VALUE)
    scheduler = optimization.get_scheduler(
        name, optimizer, warmup, total, scheduler_specific_kwargs=dict(options)
    )
    return optimizer, scheduler


@pytest.mark.filterwarnings("ignore:Both num_training_steps")
@pytest.mark.parametrize(
    ("warmup", "total"), [(0, 40), (7, 40), (40, 40), (60, 40), (0, 1), (1, 3)]
)
@pytest.mark.parametrize(("name", "options"), CASES)
def test_every_step_has_the_rate_of_transformers(name, options, warmup, total):
    factor = curves.curve(name, warmup, total, VALUE, options)
    optimizer, scheduler = real(name, warmup, total, options)
    for step in range(total):
        assert VALUE * factor(step) == pytest.approx(scheduler.get_last_lr()[0], rel=1e-12, abs=0)
        optimizer.step()
        if step + 1 < total:  # past the end of a polynomial one, transformers may divide by 0
            scheduler.step()


@pytest.mark.parametrize(("name", "options"), REFUSED)
def test_what_transformers_refuses(name, options):
    with pytest.raises(curves.Refused) as refusal:
        curves.curve(name, 3, 40, VALUE, options)
    with pytest.raises((TypeError, ValueError)) as error:
        real(name, 3, 40, options)
    assert refusal.value.kind == type(error.value).__name__


def test_every_scheduler_of_transformers_is_known():
    utils = pytest.importorskip("transformers.trainer_utils")
    known = {*curves.OPTIONS, *curves.WITHOUT_OPTIONS, *BY_SCORES}
    assert known == {member.value for member in utils.SchedulerType}
    assert known - BY_SCORES == {name for name, _ in CASES}


@pytest.fixture
def rate(subject):
    def make(version="5.23.0", rows=800, **settings):
        return subject(
            settings=settings,
            train_data=range(rows),
            environment={"transformers": version, "gpus": 0},
        ).fact(LearningRate)

    return make


def test_the_rate_of_a_run(rate):
    measured = rate(learning_rate=1e-3, warmup_steps=100)
    assert measured.total_steps == 300
    assert [measured.at(step) for step in (1, 51, 101, 201, 300)] == pytest.approx(
        [0, 5e-4, 1e-3, 5e-4, 5e-6]
    )
    assert measured.summary()["last"] == pytest.approx(5e-6)


def test_samples_have_the_ends_and_the_peak(rate):
    measured = rate(rows=100_000, learning_rate=1e-3, warmup_steps=1234)
    samples = dict(measured.samples())
    assert len(samples) <= SAMPLES + 1
    assert samples[1] == 0
    assert samples[1235] == 1e-3
    assert max(samples) == measured.total_steps
    assert measured.reach == pytest.approx(1e-3 * measured.total_steps / 2, rel=0.01)


def test_options_may_be_a_text_of_json(rate):
    options = {"min_lr": 1e-6}
    stated = {"lr_scheduler_type": "cosine_with_min_lr", "learning_rate": 1e-4}
    assert rate(**stated, lr_scheduler_kwargs=json.dumps(options)).at(300) == pytest.approx(
        rate(**stated, lr_scheduler_kwargs=options).at(300)
    )


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"lr_scheduler_type": "reduce_lr_on_plateau"}, "evaluations decide"),
        ({"lr_scheduler_type": "greedy"}, "evaluations decide"),
        ({"lr_scheduler_type": "sawtooth"}, "sawtooth is not known"),
        ({"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"a": 1}}, "cosine takes no a"),
        ({"lr_scheduler_kwargs": "{"}, "no JSON"),
        ({"lr_scheduler_kwargs": [1]}, "no mapping"),
        ({"lr_scheduler_type": "cosine", "lr_scheduler_kwargs": {"num_cycles": "2"}}, "schedule"),
        ({"learning_rate": "2e-5"}, "learning_rate"),
        ({"deepspeed": "ds.json"}, "DeepSpeed"),
    ],
)
def test_a_rate_that_does_not_follow_from_the_settings(rate, settings, reason):
    with pytest.raises(Unavailable, match=reason):
        rate(**settings)


def test_what_older_releases_compute_is_not_guessed(rate):
    stated = {
        "lr_scheduler_type": "warmup_stable_decay",
        "lr_scheduler_kwargs": {"num_decay_steps": 10},
    }
    assert rate(**stated).at(300) < 5e-5
    with pytest.raises(Unavailable, match=r"4\.57\.6"):
        rate("4.57.6", **stated)


def test_with_max_steps_0_the_scheduler_is_told_that_there_is_no_step(rate):
    assert rate(max_steps=0).at(1) == 0
    assert rate(max_steps=1).at(1) == 5e-5
