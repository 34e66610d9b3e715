"""What else ends a run is told once, and noise is not."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pipedoctor.recorder.trends import Trends


def watch(values: list[dict[str, float]], pace: list[float] | None = None) -> list[str]:
    told: list[str] = []
    trends = Trends(told.append)
    now = 0.0
    for number, line in enumerate(values):
        now += pace[number] if pace else 1.0
        trends.logged(10 * (number + 1), line, now)
    return told


def falling(count: int, noise: float = 0.1, seed: int = 0) -> list[dict[str, float]]:
    drawn = random.Random(seed)
    return [
        {"loss": 2 / (1 + n / 20) + drawn.gauss(0, noise), "grad_norm": drawn.lognormvariate(0, 1)}
        for n in range(count)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_not_told(seed: int) -> None:
    assert watch(falling(300, seed=seed)) == []


def test_a_spike_is_told_once() -> None:
    lines = falling(60)
    lines[40]["loss"] = lines[50]["loss"] = 25.0
    (told,) = watch(lines)
    assert told.startswith("step 410: the loss is 25")


def test_an_explosion_of_the_gradient_is_told() -> None:
    lines = falling(60)
    lines[40]["grad_norm"] = 1e4
    (told,) = watch(lines)
    assert told.startswith("step 410: the norm of the gradient is 1e+04")


def test_steps_that_became_slow_are_told_only_if_it_lasts() -> None:
    assert watch(falling(60), [1.0] * 40 + [20.0] + [1.0] * 19) == []
    (told,) = watch(falling(60), [1.0] * 40 + [20.0] * 20)
    assert "a step takes 2 s, 20 times the median" in told


def test_the_time_of_an_evaluation_is_none_of_a_step() -> None:
    told: list[str] = []
    trends = Trends(told.append)
    now = 0.0
    for number, line in enumerate(falling(60)):
        if number > 40:
            trends.evaluated()
            now += 100
        now += 1
        trends.logged(10 * number, line, now)
    assert told == []


def test_lines_without_a_loss_and_values_that_are_none() -> None:
    assert watch([{"eval_loss": 1.0}, {"train_loss": 2.0}, {}] * 30) == []
    assert watch([{"loss": float("nan"), "grad_norm": float("inf")}] * 60) == []


def test_a_disk_without_room_for_another_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint-5"
    checkpoint.mkdir()
    (checkpoint / "model.safetensors").write_bytes(bytes(1000))

    def usage(_: object) -> Any:
        return type("Usage", (), {"free": 999})

    told: list[str] = []
    trends = Trends(told.append)
    trends.saved(str(tmp_path), str(checkpoint))
    assert told == []
    monkeypatch.setattr("shutil.disk_usage", usage)
    trends.saved(str(tmp_path), str(checkpoint))
    trends.saved(str(tmp_path), str(checkpoint))
    (sentence,) = told
    assert "999 bytes free; the last checkpoint took 1,000" in sentence
