"""A test_step of the user's own, run once before fit comes to it at the end of its first epoch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.compiled import Compiled
from pipedoctor.facts.rehearsal import Rehearsal
from pipedoctor.frameworks.fitting import own_step, stateless
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.drawing import First
from pipedoctor.frameworks.fitting.library import Library, plain
from pipedoctor.frameworks.fitting.nan.stepping import packed
from pipedoctor.frameworks.fitting.step import ungraded
from pipedoctor.frameworks.fitting.untouched import untouched
from pipedoctor.pipeline import Pipeline

USUAL = "fit of Keras has no compute_metrics, and its own test_step is that of the training"


def rehearse(pipeline: Pipeline) -> Rehearsal:
    """
    Run the model's own test_step on the first batch of the validation data.

    Raises:
        Unavailable: The evaluation is that of Keras.
        Exception: What the step raises.

    """
    ready, compiled = pipeline.fact(Ready), pipeline.fact(Compiled)
    if not compiled.own_test_step:
        raise Unavailable(USUAL)
    batch = pipeline.fact(First, Split.EVAL).batch
    with untouched(ready.model), ungraded(ready.library):
        logs = _logs(ready.model, ready.library, packed(ready.library, batch))
    loss = plain(own_step.named_loss(logs))
    return Rehearsal(
        rows=batch.size,
        has_labels=batch.y is not None,
        losses=(float(loss),) if isinstance(loss, (int, float)) else (),
        batch_rows=(batch.rows,),
        called=True,
        names=tuple(map(str, logs)) if isinstance(logs, Mapping) else (),
    )


def _logs(model: Any, library: Library, data: Any) -> Any:
    """Have the model evaluate a batch, as evaluate has it."""
    if library.backend == "jax":
        trained, others, _, metrics = stateless.state_of(model)
        return model.test_step((trained, others, metrics), data)[0]
    return model.test_step(data)
