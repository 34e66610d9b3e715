"""The schedule and the checkpoints that stand on the disk, against those of real runs."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from pipedoctor.facts import CheckpointPlan, LearningRate, Schedule
from pipedoctor.facts.schedule import NEVER
from pipedoctor.probes import installed

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


@dataclass
class Seen:
    """What a run did, by step."""

    saved: list[int] = field(default_factory=list)
    evaluated: list[int] = field(default_factory=list)
    logged: list[int] = field(default_factory=list)
    total: int = 0
    warmup: int = 0
    rates: dict[int, float] = field(default_factory=dict)
    during: list[int] = field(default_factory=list)
    after: list[list[int]] = field(default_factory=list)
    best: list[int | None] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


class Line(torch.nn.Module):
    """Two parameters, so that a run takes milliseconds."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, x, labels):
        guess = self.layer(x.reshape(-1, 1)).squeeze(-1)
        return {"loss": ((guess - labels) ** 2).mean(), "logits": guess}


class Watch(transformers.TrainerCallback):
    def __init__(self, seen):
        self.seen = seen

    def on_save(self, args, state, control, **kwargs):
        self.seen.saved.append(state.global_step)

    def on_evaluate(self, args, state, control, **kwargs):
        self.seen.evaluated.append(state.global_step)

    def on_log(self, args, state, control, logs, **kwargs):
        if "loss" in logs:
            self.seen.logged.append(state.global_step)
            self.seen.rates[state.global_step] = logs["learning_rate"]


def folders(path):
    """Return the steps of the checkpoints that stand there, in order."""
    return sorted(step(folder) for folder in Path(path).glob("checkpoint-*"))


def step(folder):
    return int(Path(folder).name.removeprefix("checkpoint-"))


def train(rows, settings, path, monkeypatch):
    """Run a real Trainer, and look at its folder before and after it deletes checkpoints."""
    seen = Seen()
    rotate = transformers.trainer.rotate_checkpoints

    def counting(*args, **kwargs):
        seen.during.append(len(folders(path)))
        rotate(*args, **kwargs)
        best = kwargs["best_model_checkpoint"]
        seen.best.append(step(best) if best is not None else None)
        seen.after.append(folders(path))

    monkeypatch.setattr(transformers.trainer, "rotate_checkpoints", counting)
    transformers.set_seed(0)
    data = [{"x": float(i % 5), "labels": float(i % 3)} for i in range(max(rows, 8))]
    arguments = transformers.TrainingArguments(
        str(path),
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        label_names=["labels"],
        **settings,
    )
    trainer = transformers.Trainer(
        Line(),
        arguments,
        train_dataset=data[:rows],
        eval_dataset=data[:8],
        callbacks=[Watch(seen)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    seen.total = trainer.state.global_step
    seen.warmup = arguments.get_warmup_steps(trainer.state.max_steps)
    seen.left = folders(path)
    return seen


def case(seed):
    """Make up a run that Trainer accepts: its rows and its settings."""
    draw = random.Random(seed)
    settings = {
        "per_device_train_batch_size": draw.randint(1, 16),
        "gradient_accumulation_steps": draw.choice([1, 1, 2, 3, 5]),
        "num_train_epochs": draw.choice([0.3, 1, 1.5, 2, 2.7, 3, 0]),
        "max_steps": draw.choice([-1, -1, -1, 0, draw.randint(1, 30)]),
        "dataloader_drop_last": draw.random() < 0.3,
        "save_strategy": draw.choice(["steps", "steps", "epoch", "no"]),
        "save_steps": draw.choice([0.1, 0.3, 0.5, 0, 1, 2, 3.0, 7, 500]),
        "logging_strategy": draw.choice(["steps", "steps", "epoch", "no"]),
        "logging_steps": draw.choice([0.2, 0.5, 1, 2, 5, 500]),
        "logging_first_step": draw.random() < 0.4,
        "eval_strategy": draw.choice(["steps", "steps", "epoch", "no"]),
        "eval_steps": draw.choice([None, 0, 0.25, 1, 3, 4, 500]),
        "eval_delay": draw.choice([0, 0, 1, 2, 1.5, 7, 0.3]),
        "save_total_limit": draw.choice([None, 0, 1, 2, 3]),
        "warmup_steps": draw.choice([0, 3, 0.1, 0.5]),
    }
    settings |= scheduler(random.Random(f"scheduler {seed}"))
    if draw.random() < 0.3:  # a best one is known, and must be saved when it is evaluated
        settings["load_best_model_at_end"] = True
        settings["save_strategy"] = settings["eval_strategy"] = draw.choice(["steps", "epoch"])
        settings["save_steps"] = settings["eval_steps"] = draw.choice([1, 2, 4])
        settings["learning_rate"] = draw.choice([1e-3, 5.0])
    rows = draw.randint(1, 60)
    if settings["dataloader_drop_last"]:
        rows = max(rows, settings["per_device_train_batch_size"])
    if settings["max_steps"] == 0:  # Trainer divides by the intervals, of which no share is left
        for name in ("save_steps", "logging_steps", "eval_steps"):
            settings[name] = settings[name] if (settings[name] or 0) >= 1 else 2
    return rows, settings


def scheduler(draw):
    return draw.choice(
        [
            {},
            {"lr_scheduler_type": "cosine"},
            {"lr_scheduler_type": "constant_with_warmup"},
            {"lr_scheduler_type": "inverse_sqrt"},
            {
                "lr_scheduler_type": "cosine_with_min_lr",
                "lr_scheduler_kwargs": {"min_lr_rate": 0.1},
            },
            {
                "lr_scheduler_type": "warmup_stable_decay",
                "lr_scheduler_kwargs": {"num_decay_steps": 2, "decay_type": "linear"},
            },
        ]
    )


def agree(seed, subject, path, monkeypatch):
    rows, settings = case(seed)
    environment = {"transformers": installed.versions(["transformers"])["transformers"], "gpus": 0}
    pipeline = subject(settings=settings, train_data=range(rows), environment=environment)
    schedule, plan = pipeline.fact(Schedule), pipeline.fact(CheckpointPlan)
    seen = train(rows, settings, path, monkeypatch)
    assert schedule.total_steps == seen.total
    assert schedule.warmup_steps == seen.warmup
    assert list(schedule.checkpoints) == seen.saved
    assert list(schedule.evaluations) == seen.evaluated
    assert list(schedule.logs) == seen.logged
    assert plan.count == len(seen.saved)
    forecast(plan, seen, scored="load_best_model_at_end" in settings)
    rate = pipeline.fact(LearningRate)
    assert {step: rate.at(step) for step in seen.rates} == pytest.approx(seen.rates, rel=1e-9)


def forecast(plan, seen, *, scored):
    """Compare the checkpoints on the disk, before and after each time old ones were deleted."""
    assert plan.kept == len(seen.left)
    for number, (during, after, best) in enumerate(
        zip(seen.during, seen.after, seen.best, strict=True), start=1
    ):
        assert plan.retention.standing(number, best) == after
        # With a limit of 1, it depends on which one is the best.
        spread = 1 if scored and plan.retention.limit == 1 else 0
        assert 0 <= plan.retention.during(number) - during <= spread
        assert 0 <= plan.retention.after(number) - len(after) <= spread
    assert plan.peak == plan.retention.peak >= max(seen.during, default=0)
    if plan.retention.limit != 1:
        assert seen.left == (seen.after[-1] if seen.after else [])


@pytest.mark.parametrize("seed", range(12))
def test_a_run_does_what_its_schedule_says(seed, subject, tmp_path, monkeypatch):
    agree(seed, subject, tmp_path, monkeypatch)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(12, 400))
def test_many_runs_do_what_their_schedules_say(seed, subject, tmp_path, monkeypatch):
    agree(seed, subject, tmp_path, monkeypatch)


def test_without_an_evaluation_nothing_is_best(subject, tmp_path, monkeypatch):
    settings = {"save_strategy": "best", "metric_for_best_model": "loss", "max_steps": 5}
    schedule = subject(settings=settings, train_data=range(30)).fact(Schedule)
    assert schedule.checkpoints == NEVER
    assert train(30, settings, tmp_path, monkeypatch).saved == []


@pytest.mark.parametrize("name", ["save_strategy", "eval_strategy", "logging_strategy"])
def test_trainer_refuses_what_yaml_makes_of_no(name, tmp_path):
    with pytest.raises(ValueError, match="False is not a valid"):
        transformers.TrainingArguments(str(tmp_path), report_to="none", **{name: False})
