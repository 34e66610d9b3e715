from __future__ import annotations

import pytest

from pipedoctor.fact import Cost, OverBudget, Unavailable
from pipedoctor.facts import Schedule
from pipedoctor.facts.schedule import NEVER, Marks
from pipedoctor.pipeline import ProbeFailed


@pytest.fixture
def schedule(subject):
    def make(rows=100, version="5.23.0", gpus=0, **settings):
        parts = {"settings": settings, "environment": {"transformers": version, "gpus": gpus}}
        if rows is not None:
            parts["train_data"] = range(rows)
        return subject(**parts).fact(Schedule)

    return make


def steps(marks):
    listed = list(marks)
    assert len(marks) == len(listed)
    assert listed == sorted(set(listed))
    assert marks.first == (listed[0] if listed else None)
    return listed


def test_the_run_of_the_manual(schedule):
    qnli = schedule(104_743, num_train_epochs=3, per_device_train_batch_size=8)
    assert qnli.total_steps == 39_279
    assert (qnli.steps_per_epoch, qnli.epochs, qnli.batch_size) == (13_093, 3.0, 8)
    assert (len(qnli.checkpoints), qnli.checkpoints.first) == (79, 500)
    assert qnli.origin.key == "num_train_epochs"


@pytest.mark.parametrize(
    ("settings", "total", "each"),
    [
        ({}, 39, 13),
        ({"num_train_epochs": 2.5}, 33, 13),
        ({"num_train_epochs": 0.01}, 1, 13),
        ({"gradient_accumulation_steps": 4}, 12, 4),
        ({"gradient_accumulation_steps": 100}, 3, 1),
        ({"dataloader_drop_last": True}, 36, 12),
        ({"per_device_train_batch_size": 1000}, 3, 1),
        ({"max_steps": 7, "num_train_epochs": 5}, 7, 13),
        ({"max_steps": 0}, 1, 13),
        ({"num_train_epochs": 0}, 0, 13),
        ({"num_train_epochs": -1}, 0, 13),
    ],
)
def test_totals(schedule, settings, total, each):
    measured = schedule(100, **settings)
    assert (measured.total_steps, measured.steps_per_epoch) == (total, each)
    assert measured.epochs == total / each


@pytest.mark.parametrize(
    ("settings", "saved"),
    [
        ({}, [20]),
        ({"save_steps": 6}, [6, 12, 18, 20]),
        ({"save_steps": 0.3}, [6, 12, 18, 20]),
        ({"save_steps": 0}, [20]),
        ({"save_steps": 5.0}, [5, 10, 15, 20]),
        ({"save_strategy": "no"}, []),
        ({"save_strategy": "epoch", "max_steps": 13}, [10, 13]),
        ({"save_strategy": "epoch", "max_steps": -1, "num_train_epochs": 2.5}, [10, 20, 25]),
        ({"save_strategy": "best"}, []),
    ],
)
def test_checkpoints(schedule, settings, saved):
    measured = schedule(80, **{"max_steps": 20, **settings})
    assert steps(measured.checkpoints) == saved


@pytest.mark.parametrize(
    ("settings", "evaluated"),
    [
        ({}, []),
        ({"eval_strategy": "steps"}, [20]),
        ({"eval_strategy": "steps", "logging_steps": 8}, [8, 16, 20]),
        ({"eval_strategy": "steps", "logging_steps": 8, "eval_steps": 0}, [8, 16, 20]),
        ({"eval_strategy": "steps", "eval_steps": 0.25}, [5, 10, 15, 20]),
        ({"eval_strategy": "steps", "eval_steps": 6, "eval_delay": 7}, [12, 18, 20]),
        ({"eval_strategy": "steps", "eval_steps": 6, "eval_delay": 6.5}, [12, 18, 20]),
        ({"eval_strategy": "steps", "eval_steps": 6, "eval_delay": 21}, []),
        ({"eval_strategy": "epoch"}, [8, 16, 20]),
        ({"eval_strategy": "epoch", "eval_delay": 1.1}, [16, 20]),
        ({"eval_strategy": "epoch", "eval_delay": 2.5}, [20]),
        ({"eval_strategy": "epoch", "eval_delay": 2.6}, []),
    ],
)
def test_evaluations(schedule, settings, evaluated):
    measured = schedule(64, max_steps=20, **settings)
    assert steps(measured.evaluations) == evaluated


@pytest.mark.parametrize(
    ("settings", "logged"),
    [
        ({}, []),
        ({"logging_steps": 8}, [8, 16]),
        ({"logging_steps": 8, "logging_first_step": True}, [1, 8, 16]),
        ({"logging_steps": 1, "logging_first_step": True}, list(range(1, 21))),
        ({"logging_strategy": "no", "logging_first_step": True}, [1]),
        ({"logging_strategy": "no"}, []),
        ({"logging_strategy": "epoch", "logging_first_step": True}, [1, 8, 16, 20]),
    ],
)
def test_log_lines(schedule, settings, logged):
    assert steps(schedule(64, max_steps=20, **settings).logs) == logged


def test_the_first_step_that_is_also_the_last_is_logged_once(schedule):
    only = schedule(8, num_train_epochs=1, logging_strategy="epoch", logging_first_step=True)
    assert steps(only.logs) == [1]


@pytest.mark.parametrize(
    ("version", "settings", "warmup"),
    [
        ("5.23.0", {}, 0),
        ("5.23.0", {"warmup_steps": 50}, 50),
        ("5.23.0", {"warmup_steps": 1000}, 1000),
        ("5.23.0", {"warmup_steps": 0.1}, 4),
        ("5.23.0", {"warmup_steps": 2.7}, 2),
        ("5.23.0", {"warmup_ratio": 0.5}, 0),
        ("5.12.1", {"warmup_ratio": 0.5, "warmup_steps": 3}, 20),
        ("4.57.6", {"warmup_ratio": 0.5}, 20),
        ("4.57.6", {"warmup_ratio": 0.5, "warmup_steps": 3}, 3),
        ("5.23.0", {"warmup_steps": 50, "lr_scheduler_type": "constant"}, 0),
        ("5.23.0", {"warmup_steps": 50, "lr_scheduler_type": "constant_with_warmup"}, 50),
    ],
)
def test_warmup(schedule, version, settings, warmup):
    assert schedule(100, version, **settings).warmup_steps == warmup


@pytest.mark.parametrize("value", [-1, "10", None, float("nan"), True])
def test_a_warmup_that_is_no_number_costs_only_itself(schedule, value):
    measured = schedule(100, warmup_steps=value)
    assert measured.total_steps == 39
    with pytest.raises(Unavailable, match="warm"):
        _ = measured.warmup_steps


def test_gpus_multiply_the_batch_and_it_is_said(schedule):
    four = schedule(100, gpus=4)
    assert (four.batch_size, four.steps_per_epoch) == (32, 4)
    assert four.origin.origin.endswith("on 4 GPUs")
    on_cpu = schedule(100, gpus=4, use_cpu=True)
    assert (on_cpu.batch_size, on_cpu.steps_per_epoch) == (8, 13)


@pytest.mark.parametrize("field", ["checkpoints", "evaluations", "logs"])
@pytest.mark.parametrize("value", [False, None, "never", "STEPS", 3])
def test_a_strategy_that_is_none_costs_only_itself(schedule, field, value):
    # YAML reads a bare `no` as false, and Trainer refuses that.
    name = {"checkpoints": "save", "evaluations": "eval", "logs": "logging"}[field]
    measured = schedule(100, **{f"{name}_strategy": value})
    assert measured.total_steps == 39
    with pytest.raises(Unavailable, match=f"{name}_strategy is {value!r}"):
        getattr(measured, field)


@pytest.mark.parametrize("value", [1.5, "500", None, float("inf"), True])
@pytest.mark.parametrize("name", ["save", "logging"])
def test_an_interval_that_is_none_costs_only_itself(schedule, name, value):
    measured = schedule(100, **{f"{name}_steps": value})
    with pytest.raises(Unavailable, match=f"{name}_steps"):
        getattr(measured, {"save": "checkpoints", "logging": "logs"}[name])
    assert measured.known("evaluations")


def test_logging_every_zero_steps_is_refused_as_trainer_does(schedule):
    with pytest.raises(Unavailable, match="logging_steps is 0"):
        _ = schedule(100, logging_steps=0).logs


@pytest.mark.parametrize(
    "settings",
    [
        {"per_device_train_batch_size": 0},
        {"per_device_train_batch_size": "8"},
        {"gradient_accumulation_steps": 0},
        {"max_steps": 2.5},
        {"max_steps": "10"},
        {"max_steps": 10**30},
        {"num_train_epochs": "3"},
        {"num_train_epochs": float("inf")},
        {"num_train_epochs": 1e300},
        {"dataloader_drop_last": True, "per_device_train_batch_size": 101},
    ],
)
def test_what_trainer_can_not_count_with_is_not_known(schedule, settings):
    with pytest.raises(Unavailable):
        schedule(100, **settings)


def test_no_rows_no_steps(schedule):
    with pytest.raises(Unavailable, match="no rows"):
        schedule(0)


def test_a_script_that_does_not_train_has_no_schedule(subject):
    class Config(dict):
        script = "run_glue"

    with pytest.raises(Unavailable, match="run_glue trains nothing"):
        subject(settings=Config(do_train=False), train_data=range(9)).fact(Schedule)
    assert subject(settings=Config(), train_data=range(8)).fact(Schedule).total_steps == 3
    assert subject(settings={"do_train": False}, train_data=range(8)).fact(Schedule)


def test_max_steps_alone_tells_all_but_the_epochs(schedule):
    measured = schedule(None, max_steps=1000, warmup_steps=0.1, save_steps=400)
    assert (measured.total_steps, measured.warmup_steps) == (1000, 100)
    assert steps(measured.checkpoints) == [400, 800, 1000]
    for field in ("steps_per_epoch", "epochs"):
        with pytest.raises(Unavailable, match="given"):
            getattr(measured, field)
    by_epoch = schedule(None, max_steps=1000, save_strategy="epoch")
    assert not by_epoch.known("checkpoints")


def test_data_without_a_length_needs_max_steps(subject):
    with pytest.raises(Unavailable, match="no length"):
        subject(settings={}, train_data=iter([])).fact(Schedule)
    measured = subject(settings={"max_steps": 5}, train_data=iter([])).fact(Schedule)
    assert measured.total_steps == 5
    assert not measured.known("steps_per_epoch")


def test_what_rows_would_tell_is_marked_as_over_the_budget(subject, tmp_path):
    (tmp_path / "train.csv").write_text("text,label\n" + "a,0\n" * 80)
    parts = {"settings": {"max_steps": 4}, "files": {"train": str(tmp_path / "train.csv")}}
    poor = subject(budget=Cost.STATIC, **parts).fact(Schedule)
    assert poor.total_steps == 4
    with pytest.raises(OverBudget, match="--depth files") as caught:
        _ = poor.steps_per_epoch
    assert caught.value.cost is Cost.FILES
    assert subject(budget=Cost.FILES, **parts).fact(Schedule).steps_per_epoch == 10
    with pytest.raises(OverBudget):
        subject(budget=Cost.STATIC, **{**parts, "settings": {}}).fact(Schedule)


class Broken:
    def __len__(self):
        raise RuntimeError("no length today")


def test_data_that_raises_is_told_unless_max_steps_does_without(subject):
    with pytest.raises(ProbeFailed, match="no length today"):
        subject(settings={}, train_data=Broken()).fact(Schedule)
    measured = subject(settings={"max_steps": 5}, train_data=Broken()).fact(Schedule)
    with pytest.raises(Unavailable, match="no length today"):
        _ = measured.steps_per_epoch


def test_best_checkpoints_are_not_guessed_at(schedule):
    measured = schedule(100, save_strategy="best", eval_strategy="epoch")
    with pytest.raises(Unavailable, match="metric"):
        _ = measured.checkpoints


def test_both_names_of_the_evaluation_strategy(schedule):
    for version in ("4.40.2", "4.46.3"):
        old = schedule(80, version, evaluation_strategy="epoch")
        assert steps(old.evaluations) == [10, 20, 30]
    assert steps(schedule(80, "4.40.2").evaluations) == []


@pytest.mark.parametrize(
    ("version", "total", "regular"),
    [("5.23.0", 9, True), ("4.53.3", 9, True), ("4.49.0", 6, False), ("4.40.2", 6, False)],
)
def test_releases_differ_in_a_short_accumulation(schedule, version, total, regular):
    # 5 batches in groups of 2
    measured = schedule(40, version, gradient_accumulation_steps=2)
    assert measured.total_steps == total
    assert measured.known("steps_per_epoch") is regular
    assert schedule(48, version, gradient_accumulation_steps=2).known("steps_per_epoch")


def test_between_two_known_releases_what_changed_is_not_known(schedule):
    with pytest.raises(Unavailable, match=r"4\.49\.0 does not, 4\.53\.3 does"):
        schedule(40, "4.51.0", gradient_accumulation_steps=2)
    assert schedule(48, "4.51.0", gradient_accumulation_steps=2).total_steps == 9
    with pytest.raises(Unavailable, match=r"4\.46\.3 does not"):
        schedule(40, "4.48.0", max_steps=0)
    assert schedule(40, "4.46.3", max_steps=0).total_steps == 15


def test_releases_differ_in_the_last_step(schedule):
    settings = {"max_steps": 20, "save_steps": 6, "eval_strategy": "steps", "eval_steps": 6}
    new = schedule(80, "5.6.0", **settings)
    assert steps(new.checkpoints) == steps(new.evaluations) == [6, 12, 18, 20]
    middle = schedule(80, "4.57.6", **settings)
    assert steps(middle.checkpoints) == [6, 12, 18, 20]
    assert steps(middle.evaluations) == [6, 12, 18]
    old = {**settings, "evaluation_strategy": settings["eval_strategy"]}
    oldest = schedule(80, "4.40.2", **old)
    assert steps(oldest.checkpoints) == steps(oldest.evaluations) == [6, 12, 18]
    unsure = schedule(80, "5.4.0", **settings)
    assert not unsure.known("evaluations")
    assert steps(schedule(80, "5.4.0", **{**settings, "eval_steps": 5}).evaluations)[-1] == 20


def test_a_million_checkpoints_take_no_room(schedule):
    many = schedule(10**9, save_steps=1).checkpoints
    assert len(many) == 375_000_000
    assert many == Marks(1, 375_000_000, last=True)
    assert steps(NEVER) == []
