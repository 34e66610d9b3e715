"""The loss of a recorded step whose model computes none: by a function that is given beside it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.frameworks.torch import outputs_of
from pipedoctor.frameworks.tracing.values import kind, looked_at
from pipedoctor.recorder.capsule import CapsuleError, Replayable


def named(model: Any, made: Replayable) -> Replayable:
    """Return a pass with all arguments of the model under their names, so that rows can be told."""
    if made.own is not None or not made.words:
        return made
    try:
        known = inspect.signature(model.forward)
        given = known.bind(*made.words, **made.keywords).arguments
    except (TypeError, ValueError):
        return made
    plain = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    if any(known.parameters[name].kind not in plain for name in given):
        return made
    return replace(made, words=(), keywords=given)


def beside(answer: Any, inputs: Mapping[str, Any], function: Any, *, stands: bool) -> Any:
    """
    Return the loss that a function makes of what the model answers, and of its labels if it got any.

    Without a function, an answer that is not finite stands for the loss: no loss of it is finite.
    With `stands`, that is known of the batch, and a row of it may be finite.

    Raises:
        CapsuleError: There is none, and the answer of the model is finite.

    """
    outputs = outputs_of(answer)
    if callable(function):
        labels = [value for name, value in inputs.items() if "label" in name or "target" in name]
        try:
            return function(outputs.get("logits", answer), *labels[:1]).mean()
        except (TypeError, AttributeError) as error:
            raise CapsuleError(
                "the loss function that was given can't be called with what the model answers"
                f"{' and the labels' if labels else '; a capsule holds no labels that the model did not get'}"
                f": {error}"
            ) from None
    bad = [value for value in outputs.values() if looked_at(value) and kind(value.detach())]
    if bad or (stands and outputs):
        return (bad or list(outputs.values()))[0].float().mean()
    raise CapsuleError(
        "what the model answers is finite in this step, and its loss is computed beside it: have "
        'the function return both, {"model": model, "loss": loss_function}'
    )
