"""The probes of what takes more than one batch to see, for models of torch."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split
from pipedoctor.facts.learnability import Learnability
from pipedoctor.facts.short_runs import ShortRuns
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Learnability, Cost.TRAINING, "overfit", "model", "train_data", user_code=True)
def learnability(pipeline: Pipeline, _split: Split) -> Learnability:
    """Train on some rows and ask for others, and put everything back."""
    from pipedoctor.frameworks.learnability.torch_trial import measure
    from pipedoctor.frameworks.torch import module, on_device

    return measure(pipeline, module(pipeline), on_device)


@probe(ShortRuns, Cost.BACKWARD, "model", "train_data", user_code=True)
def short_runs(pipeline: Pipeline, _split: Split) -> ShortRuns:
    """Compare the learning rate with the weights; where it is larger than they are, try it."""
    from pipedoctor.frameworks.learnability.short_runs import measure
    from pipedoctor.frameworks.torch import module, on_device

    return measure(pipeline, module(pipeline), on_device)
