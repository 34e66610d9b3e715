"""A pipeline of some parts, with the probes that need no framework."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipedoctor.fact import Cost
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import all_probes

MACHINE = {"transformers": "5.23.0", "gpus": 0}


@pytest.fixture
def subject() -> Callable[..., Pipeline]:
    """Make a pipeline; unless the parts say otherwise, on a machine that is always the same."""

    def make(*, budget: Cost = Cost.TRAINING, **parts: Any) -> Pipeline:
        return Pipeline(Parts({"environment": MACHINE, **parts}), all_probes(), budget)

    return make
