"""A pipeline of some parts, with the probes that need no framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from pipedoctor import frameworks
from pipedoctor.fact import Cost
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

settings.register_profile("probes", deadline=None)  # a slow machine breaks no rule
settings.load_profile("probes")

MACHINE = {"transformers": "5.23.0", "gpus": 0}


@pytest.fixture
def subject() -> Callable[..., Pipeline]:
    """Make a pipeline; unless the parts say otherwise, on a machine that is always the same."""

    def make(*, budget: Cost = Cost.TRAINING, **parts: Any) -> Pipeline:
        plain = frameworks.probes(Parts({}))
        return Pipeline(Parts({"environment": MACHINE, **parts}), plain, budget)

    return make
