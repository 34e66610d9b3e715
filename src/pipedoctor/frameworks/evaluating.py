"""A rehearsal of the evaluation: the user's metrics function on two real batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.evaluation import Evaluation, prefixed
from pipedoctor.facts.labels import IGNORED
from pipedoctor.facts.model import Model
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.batches import Batches, Collated
from pipedoctor.frameworks.restore import evaluating, random_states
from pipedoctor.pipeline import Pipeline


def rehearse(pipeline: Pipeline, model: Any, compute: Callable[[Any], Any]) -> Evaluation:
    """
    Call the metrics function as the end of an evaluation would, and name what it gives.

    Raises:
        Unavailable: The evaluation goes another way than the usual one.
        Exception: Whatever the metrics function raises.

    """
    settings = pipeline.optional(Settings)
    for name in ("batch_eval_metrics", "predict_with_generate", "include_for_metrics"):
        if settings is not None and settings.get(name):
            raise Unavailable(f"with {name} the metrics function is called in another way")
    names = [n for n in pipeline.fact(Model).label_names if n != "return_loss"]
    made = pipeline.fact(Batches, Split.EVAL).made
    trainer = pipeline.parts.get("trainer")
    reduce = getattr(trainer, "preprocess_logits_for_metrics", None)
    with random_states(), evaluating(model):
        told = [_answer(model, batch, names, reduce) for batch in made]
        result = compute(_prediction(told))
    if not isinstance(result, Mapping):
        raise TypeError(
            f"compute_metrics returned {type(result).__name__}; Trainer needs a dict of numbers"
        )
    names = [prefixed(str(name)) for name in result]
    return Evaluation(has_data=True, has_labels=True, metrics=tuple(names), rehearsed=True)


def _answer(
    model: Any, batch: Collated, names: Sequence[str], reduce: Callable[..., Any] | None
) -> tuple[Any, Any]:
    """Return the logits and the labels of one batch, as Trainer's prediction step would."""
    import torch

    labels = tuple(batch.arrays[name] for name in names if name in batch.arrays)
    if not labels:
        raise Unavailable("the evaluation batches have no labels, so no metric is computed")
    device = next((parameter.device for parameter in model.parameters()), None)
    arrays = {n: v.to(device) if hasattr(v, "to") else v for n, v in batch.arrays.items()}
    with torch.no_grad():
        outputs = model(**arrays)
    ignored = {"loss", *getattr(getattr(model, "config", None), "keys_to_ignore_at_inference", ())}
    if isinstance(outputs, Mapping):
        found = tuple(value for name, value in outputs.items() if name not in ignored)
    else:
        found = tuple(outputs[1:])  # the loss stands first
    target = labels[0] if len(labels) == 1 else labels
    logits = found[0] if len(found) == 1 else found
    return (logits if reduce is None else reduce(logits, target)), target


def _prediction(told: Sequence[tuple[Any, Any]]) -> Any:
    """Put batches together, and hand them over as arrays of numpy."""
    from transformers import EvalPrediction
    from transformers.trainer_pt_utils import nested_concat, nested_numpify

    logits, labels = told[0]
    for more, target in told[1:]:
        logits = nested_concat(logits, more, padding_index=IGNORED)
        labels = nested_concat(labels, target, padding_index=IGNORED)
    return EvalPrediction(predictions=nested_numpify(logits), label_ids=nested_numpify(labels))
