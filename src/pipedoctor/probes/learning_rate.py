"""The learning rate at every step, by the scheduler that the settings name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.arguments import version_key
from pipedoctor.facts.learning_rate import LearningRate
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import curves
from pipedoctor.probes.values import number, whole

BY_SCORES = frozenset({"reduce_lr_on_plateau", "greedy"})
"""The schedulers that go by what the evaluations give."""

LOOKED_UP = "5.0.0"
"""Before it, some of the newer schedules took other options, or computed otherwise."""


@probe(LearningRate, Cost.STATIC)
def learning_rate(pipeline: Pipeline, _split: Split) -> LearningRate:
    """Compute it without torch; where a scheduler of the user's own takes its place, say so."""
    settings = pipeline.fact(Settings)
    schedule = pipeline.fact(Schedule)
    value = number(settings, "learning_rate")
    name = settings.word("lr_scheduler_type")
    refuse_others(settings, name)
    warmup, total = schedule.warmup_steps, schedule.total_steps
    options = options_of(settings)
    _refuse_other_releases(settings, name, warmup, options)
    # With max_steps 0 one step is made, but the scheduler is told that there is none.
    planned = 0 if total == 1 and whole(settings, "max_steps") == 0 else total
    try:
        factor = curves.curve(name, warmup, planned, value, options)
        rate = LearningRate(value, name, total, warmup, factor, settings.where("learning_rate"))
        rate.samples()  # an option of the wrong type shows here, or not at all
    except curves.Refused as refusal:
        raise Unavailable(f"there is no such scheduler: {refusal}") from None
    except (TypeError, ValueError, ArithmeticError) as error:
        raise Unavailable(f"lr_scheduler_kwargs {options!r} make no schedule: {error}") from None
    return rate


def options_of(settings: Settings) -> Mapping[str, Any]:
    """Return `lr_scheduler_kwargs`, which may be stated as a text of JSON."""
    if "lr_scheduler_kwargs" not in settings.arguments.fields:
        return {}
    stated = settings.lr_scheduler_kwargs
    if isinstance(stated, str):
        try:
            stated = json.loads(stated)
        except ValueError:
            raise Unavailable(f"lr_scheduler_kwargs is {stated!r}, which is no JSON") from None
    if stated is None:
        return {}
    if not isinstance(stated, Mapping):
        raise Unavailable(f"lr_scheduler_kwargs is {stated!r}, which is no mapping of options")
    return stated


def refuse_others(settings: Settings, name: str) -> None:
    """Raise `Unavailable` where the rate does not follow from the settings alone."""
    if name in BY_SCORES:
        raise Unavailable(f"with {name}, the evaluations decide on the learning rate")
    if name not in curves.OPTIONS and name not in curves.WITHOUT_OPTIONS:
        raise Unavailable(f"the scheduler {name} is not known here")
    if settings.get("deepspeed"):
        raise Unavailable("a config of DeepSpeed may bring a scheduler of its own")


def _refuse_other_releases(
    settings: Settings, name: str, warmup: int, options: Mapping[str, Any]
) -> None:
    """Raise `Unavailable` for what older releases are not known to do in the same way."""
    own_scale = name == "inverse_sqrt" and not warmup and not options.get("timescale")
    if name == "warmup_stable_decay" or own_scale:
        version = settings.arguments.version
        if version_key(version) < version_key(LOOKED_UP):
            raise Unavailable(f"how transformers {version} computes {name} was not looked up")
