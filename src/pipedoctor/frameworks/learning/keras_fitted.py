"""What one search of a fit of Keras measures."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact
from pipedoctor.facts.overfit import Overfit
from pipedoctor.facts.step import Step


@dataclass(frozen=True, repr=False, eq=False)
class Fitted(Fact):
    """Both facts that one search measures; not for checks."""

    doing = "Training on one batch"

    overfit: Overfit
    step: Step | None
