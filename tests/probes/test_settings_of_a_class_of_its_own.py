"""Arguments of a class made after `TrainingArguments`: its own defaults count."""

from __future__ import annotations

from dataclasses import dataclass

from pipelines import pipeline

from pipedoctor.facts import Settings


@dataclass
class OwnConfig:
    learning_rate: float = 2e-5
    logging_steps: float = 10
    max_length: int | None = 1024


def test_its_defaults_count_and_are_not_stated() -> None:
    settings = pipeline(settings=OwnConfig(logging_steps=5)).fact(Settings)
    assert dict(settings.stated) == {"logging_steps": 5}
    assert (settings.learning_rate, settings.max_length) == (2e-5, 1024)
    assert settings.where("learning_rate").origin == "default of OwnConfig"
    assert settings.weight_decay == 0.0
