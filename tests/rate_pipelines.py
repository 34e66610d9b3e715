"""What `pipedoctor lr` finds out about pipelines, in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor import frameworks
from pipedoctor.facts import RangeTest, UsualRates
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline


def pipeline(parts: Mapping[str, Any], **more: Any) -> Pipeline:
    """A pipeline of these parts, whose rates are to be tried."""
    given = Parts(frameworks.given({"range_test": {}, **parts, **more}))
    return Pipeline(given, frameworks.probes(given))


def tried(parts: Mapping[str, Any], **more: Any) -> RangeTest:
    """What the range test finds."""
    return pipeline(parts, **more).fact(RangeTest)


def usual(parts: Mapping[str, Any]) -> UsualRates:
    """What is usual for such a pipeline."""
    return pipeline(parts).fact(UsualRates)
