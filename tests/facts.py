"""
Facts for corner tests, made by hand in a line each.

    findings(check, settings(warmup_steps=1.0))
    the_finding(check, settings("4.57.6", evaluation_strategy="epoch"))
    findings(check, schedule(rows=3200, logging_steps=10), settings(logging_steps=10))
    outcome(check, settings={...}, train_data=range(100), environment={"gpus": 0})

`settings` and `schedule` go through the real probes, so that defaults are those of the version
and steps are counted as Trainer counts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor import frameworks
from pipedoctor.declare import AnyCheck
from pipedoctor.fact import Cost, Fact
from pipedoctor.facts import Arguments, ModelFiles, Schedule, Settings, Tensor
from pipedoctor.finding import Finding, Location
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.report import Outcome
from pipedoctor.runner import run_one

VERSION = "5.23.0"


@dataclass(frozen=True)
class Config(Mapping[str, Any]):
    """A config as a target reads it: what is stated, and which script's arguments that is."""

    stated: Mapping[str, Any]
    script: str | None = None
    script_keys: frozenset[str] = frozenset()
    locations: Mapping[str, Location] | None = None

    def __getitem__(self, key: str) -> Any:
        return self.stated[key]

    def __iter__(self) -> Any:
        return iter(self.stated)

    def __len__(self) -> int:
        return len(self.stated)


def pipeline(**parts: Any) -> Pipeline:
    """Return a pipeline of these parts, with the probes that know them."""
    given = Parts(parts)
    return Pipeline(given, frameworks.probes(given), Cost.TRAINING)


def outcome(check: AnyCheck, **parts: Any) -> Outcome:
    """Run a check on parts, all the way through the probes."""
    return run_one(check, pipeline(**parts), {})


def findings(check: AnyCheck, *facts: Fact | None, **options: Any) -> list[Finding]:
    """Run a check on facts."""
    return list(check(*facts, **options))


def the_finding(check: AnyCheck, *facts: Fact | None, **options: Any) -> Finding:
    """Run a check on facts of which it must find exactly one thing to say."""
    (finding,) = findings(check, *facts, **options)
    return finding


def arguments(version: str = VERSION) -> Arguments:
    """Return the training arguments of a release."""
    return pipeline(environment={"transformers": version}).fact(Arguments)


def settings(
    version: str = VERSION,
    /,
    *,
    script: str | None = None,
    script_keys: Iterable[str] = (),
    **stated: Any,
) -> Settings:
    """Return what is stated, as arguments of a release of transformers."""
    return Settings(stated, arguments(version), script=script, script_keys=frozenset(script_keys))


def schedule(
    version: str = VERSION, /, *, rows: int = 3200, gpus: int = 0, **stated: Any
) -> Schedule:
    """Return the steps that a run with these settings takes over so many rows."""
    return pipeline(
        settings=stated,
        train_data=range(rows),
        environment={"transformers": version, "gpus": gpus},
    ).fact(Schedule)


def model_files(
    model_type: str = "bert",
    parameters: int = 108_310_000,
    *,
    dtype: str = "F32",
    name: str = "model",
    **config: Any,
) -> ModelFiles:
    """Return the files of a model of one tensor."""
    return ModelFiles(
        name=name,
        path=name,
        config={"model_type": model_type, **config},
        tensors={"weight": Tensor((parameters,), dtype)},
        weights_bytes=parameters * 4,
    )
