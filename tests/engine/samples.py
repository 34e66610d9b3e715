"""Facts, checks and a report made up for the engine's own tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor import Fact, Finding, Location, Severity, Stage, Train, check
from pipedoctor.fact import UNKNOWN, Cost
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import Probe, probe
from pipedoctor.report import Outcome, Report, Rule, Status


@dataclass(frozen=True, repr=False, eq=False)
class Weather(Fact):
    degrees: float
    wind: float = UNKNOWN

    def summary(self) -> dict[str, object]:
        return {"degrees": self.degrees}


@dataclass(frozen=True, repr=False, eq=False)
class Harvest(Fact):
    per_split = True

    tons: int


@check("TST001", Severity.WARNING, stage=Stage.DATA, explains=("TST002",))
def too_cold(weather: Weather, *, limit: float = 0.0) -> Iterator[Finding]:
    """
    It is too cold.

    Fails:

        settings = {"degrees": -5}

    Passes:

        settings = {"degrees": 5}
    """
    if weather.degrees < limit:
        yield Finding(f"{weather.degrees} degrees", "heat", evidence={"degrees": weather.degrees})


@check("TST002", Severity.ERROR, stage=Stage.MODEL, symptoms={r"barn .* burnt": "build a barn"})
def nothing_grew(harvest: Harvest) -> Iterator[Finding]:
    """Nothing grew."""
    if harvest.tons == 0:
        yield Finding("0 tons", "sow", where=Location(column="wheat"))


@check("TST003", Severity.NOTE, stage=Stage.ARGUMENTS)
def windy(weather: Weather, harvest: Train[Harvest] | None) -> Iterator[Finding]:
    """It is windy."""
    yield Finding(f"harvest {harvest.tons if harvest else 'unknown'}", "wait")
    if weather.wind > 10:
        yield Finding("too much wind", "wait")


def weather(degrees: float = 20.0, cost: Cost = Cost.STATIC, **more: float) -> Probe:
    return probe(Weather, cost)(lambda pipeline, split: Weather(degrees, **more))


def rule(code: str = "TST001", severity: Severity = Severity.ERROR, **more: object) -> Rule:
    return Rule(code, f"fault-{code.lower()}", severity, **{"stage": Stage.DATA} | more)


def found(code: str, *findings: Finding, status: Status = Status.FOUND, **more: object) -> Outcome:
    return Outcome(rule(code, **more), status, findings)


def report(*outcomes: Outcome, **more: object) -> Report:
    return Report("train.json", outcomes, **more)


def nothing_measured(*probes: Probe, **more: object) -> Pipeline:
    from pipedoctor.parts import Parts

    return Pipeline(Parts(more.pop("parts", {})), probes, **more)
