"""The fact `BlindRows`: rows with nothing to look at are run, and their loss is told."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split
from pipedoctor.facts.blind_rows import BlindRows
from pipedoctor.facts.token_rows import TokenRows
from pipedoctor.frameworks.training.loss_of_rows import loss_of
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(BlindRows, Cost.FORWARD, "model", "train_data", user_code=True)
def blind_rows(pipeline: Pipeline, _split: Split) -> BlindRows:
    """Run the first such rows beside one that is whole, as a training would meet them."""
    from pipedoctor.frameworks.torch import module, on_device

    found = pipeline.fact(TokenRows, Split.TRAIN)
    masked = found.masked.rows if found.known("masked") else ()
    blind = tuple(sorted({*found.empty.rows, *masked}))
    if not blind:
        return BlindRows()
    whole = next((row for row in range(found.rows) if row not in blind), blind[0])
    rows = tuple(sorted({whole, *blind}))
    return BlindRows(blind, loss_of(pipeline, module(pipeline), on_device, rows))
