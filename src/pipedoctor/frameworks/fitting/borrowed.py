"""
The TensorFlow models of transformers, as far as they are no ordinary models of Keras.

Their training step moves labels from the inputs to where they belong, and takes the loss of the
model where compile is given none.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

CLASSES = ("TFSequenceClassificationLoss", "TFTokenClassificationLoss", "TFMultipleChoiceLoss")
"""The losses of transformers that compare numbers of classes with logits."""


def is_one(model: Any) -> bool:
    """Whether a model is one of transformers."""
    return "transformers" in sys.modules and any(
        base.__name__ == "TFPreTrainedModel" and base.__module__.startswith("transformers.")
        for base in type(model).__mro__
    )


def origin(model: Any) -> str:
    """Return the name or folder that a model of transformers was loaded from."""
    return str(getattr(model.config, "name_or_path", "") or "") if is_one(model) else ""


def label_names(model: Any) -> tuple[str, ...]:
    """Return the names of the inputs that are labels; none of other models."""
    if not is_one(model):
        return ()
    from transformers.utils import find_labels

    return tuple(find_labels(type(model)))


def moved(labels: tuple[str, ...], x: Any, y: Any) -> tuple[Any, Any]:
    """Return inputs and labels, with the labels that are among the inputs where labels belong."""
    if not labels or not isinstance(x, dict) or y is not None:
        return x, y
    found = {name: x[name] for name in x if name in labels}
    rest = {name: value for name, value in x.items() if name not in found}
    if not found:
        return x, y
    return rest, next(iter(found.values())) if len(found) == 1 else found


def renamed(model: Any, y: Any) -> Any:
    """Return labels under the names of the outputs that they are compared with."""
    if not is_one(model) or not isinstance(y, dict):
        return y
    names = model.get_label_to_output_name_mapping()
    return {names.get(name, name): value for name, value in y.items()}


def matched(model: Any, answer: Any, y: Any) -> Any:
    """Return the outputs that the training step compares with the labels, by their names."""
    if not is_one(model) or not isinstance(answer, dict):
        return answer
    arrays = {name: value for name, value in answer.items() if name != "loss"}
    if isinstance(y, dict):
        wanted = set(renamed(model, y))
        return {n: value for n, value in arrays.items() if n in wanted} or arrays
    name = next((n for n, value in arrays.items() if hasattr(value, "shape")), None)
    return {name: arrays[name]} if name is not None else arrays


def alone(model: Any) -> bool:
    """Whether the model computes its own loss: compile was given none."""
    return is_one(model) and bool(getattr(model, "_using_dummy_loss", False))


def loss(model: Any) -> Any:
    """Return the loss that the model computes itself, as Keras would have it; None of others."""
    kinds = {base.__name__ for base in type(model).__mro__}
    if not alone(model) or not kinds.intersection(CLASSES):
        return None
    import tf_keras

    if "TFSequenceClassificationLoss" in kinds and model.config.num_labels == 1:
        return tf_keras.losses.MeanSquaredError()
    more: dict[str, Any] = {}
    if "TFTokenClassificationLoss" in kinds:
        more["ignore_class"] = -100
    return tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True, **more)


def row_losses(model: Any, y: Any, answer: Any) -> Any:
    """Return the loss of each row as the model computes it; None where it does not tell."""
    made = SimpleNamespace(found=None)
    if alone(model) and isinstance(answer, dict) and len(answer) == 1:
        made.found = model.hf_compute_loss(y, next(iter(answer.values())))
    return made.found
