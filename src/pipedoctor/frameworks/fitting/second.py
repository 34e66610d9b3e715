"""
What differs in Keras 2, the package tf_keras: data, building, the state of compile, layers.

The TensorFlow models of transformers are such models. They take their labels among the inputs and
know a loss of their own; what of that is theirs is in `borrowed`.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from pipedoctor.frameworks.fitting import borrowed
from pipedoctor.frameworks.fitting.library import Library

HELD = (
    "_saved_model_arg_spec",
    "_saved_model_inputs_spec",
    "compiled_loss",
    "compiled_metrics",
)
"""What a step, or a call, may change of a model besides variables."""


def iterated(library: Library, parts: tuple[Any, Any, Any], how: dict[str, Any]) -> Iterator[Any]:
    """Yield batches of the data, in their order, as the training step gets them."""
    adapters = library.module("engine.data_adapter")
    x, y, weight = parts
    handler = adapters.get_data_handler(
        x=x, y=y, sample_weight=weight, model=SimpleNamespace(), distribute=False, **how
    )
    return iter(handler._dataset)  # noqa: SLF001 - the public way opens it for each epoch anew


def unpacked(library: Library, batch: Any) -> tuple[Any, Any, Any]:
    """Return inputs, labels and weights of a batch."""
    x, y, weight = library.module("engine.data_adapter").unpack_x_y_sample_weight(batch)
    return x, y, weight


def takes_training(model: Any) -> bool:
    """Whether the call of a model, of either Keras, has an argument that tells it of training."""
    spec = getattr(model, "_call_spec", None)
    if spec is not None and hasattr(spec, "expects_training_arg"):
        return bool(spec.expects_training_arg)
    return bool(getattr(model, "_call_has_training_arg", True))


def packed(library: Library, parts: Iterator[Any]) -> Any:
    """Return inputs, labels and weights as a training step takes them."""
    return library.module("engine.data_adapter").pack_x_y_sample_weight(*parts)


def tensors(structure: Any) -> Any:
    """Return a structure with tensors for the arrays in it."""
    import tensorflow as tf

    return tf.nest.map_structure(
        lambda leaf: leaf if leaf is None else tf.convert_to_tensor(leaf), structure
    )


def build(model: Any, x: Any) -> None:
    """Give a model its weights, as fit does: by calling it on symbols of batches of any size."""
    import tensorflow as tf

    def symbol(leaf: Any) -> Any:
        return tf.TensorSpec([None, *leaf.shape[1:]], leaf.dtype)

    how = {"training": False} if takes_training(model) else {}
    called = tf.function(lambda batch: model(batch, **how))
    called.get_concrete_function(tf.nest.map_structure(symbol, tensors(x)))


def optimizers(model: Any, library: Library) -> list[Any]:
    """Return the optimizers that a model holds, those of before 2.11 too."""
    kinds = (
        library.module("optimizers.optimizer")._BaseOptimizer,  # noqa: SLF001 - what all derive from
        library.module("optimizers.legacy.optimizer_v2").OptimizerV2,
    )
    held = [value for value in vars(model).values() if isinstance(value, kinds)]
    inner = [one.inner_optimizer for one in held if hasattr(one, "inner_optimizer")]
    return list({id(one): one for one in (*held, *inner)}.values())


def states(model: Any) -> list[Any]:
    """Return the variables that a model does not list: of its metrics, and of random layers."""
    found = [variable for metric in model.metrics for variable in metric.variables]
    for layer in model._flatten_layers():  # noqa: SLF001 - there is no public way to all layers
        generator = getattr(getattr(layer, "_random_generator", None), "_generator", None)
        if generator is not None:
            found.append(generator.state)
    return found


def own_metrics(model: Any, library: Library) -> list[Any]:
    """Return the metric objects that compile was given."""
    held = getattr(model, "compiled_metrics", None)
    given = [getattr(held, f"_user_{name}", None) for name in ("metrics", "weighted_metrics")]
    kind = library.top.metrics.Metric
    return [one for one in library.flat(given) if isinstance(one, kind)]


def doubles(model: Any, library: Library) -> dict[str, Any]:
    """Return the loss and the metrics of compile anew, as they were before their first use."""
    utils = library.module("engine.compile_utils")
    names = getattr(model, "output_names", None)
    loss, metrics = (vars(model).get(f"compiled_{name}") for name in ("loss", "metrics"))
    found: dict[str, Any] = {}
    if type(loss) is utils.LossesContainer:
        found["compiled_loss"] = utils.LossesContainer(
            loss._user_losses,  # noqa: SLF001 - what compile was given is kept nowhere else
            loss._user_loss_weights,  # noqa: SLF001 - likewise
            output_names=names,
        )
    if type(metrics) is utils.MetricsContainer:
        found["compiled_metrics"] = utils.MetricsContainer(
            metrics._user_metrics,  # noqa: SLF001 - likewise
            metrics._user_weighted_metrics,  # noqa: SLF001 - likewise
            output_names=names,
        )
    return found


def losses(model: Any, library: Library, answer: Any) -> tuple[list[Any], list[str]]:
    """
    Return the loss of each output, as Keras 3 keeps them, and the names of what is logged of it.

    That of a model of transformers that was given none is the model's own.
    """
    held = doubles(model, library).get("compiled_loss")
    own = borrowed.loss(model)
    if own is not None:
        return [SimpleNamespace(loss=own, loss_weights=None, path=(), name="")], ["loss"]
    if held is None or borrowed.alone(model):
        return [], ["loss"]
    given = single(answer)
    held.build(given)
    names = held._output_names  # noqa: SLF001 - the pairs of outputs and losses, in no public way
    flat = [
        SimpleNamespace(loss=loss, loss_weights=weight, path=(place,), name=name)
        for place, (loss, weight, name) in enumerate(
            zip(held._losses, held._loss_weights, names, strict=False)  # noqa: SLF001 - likewise
        )
        if loss is not None
    ]
    return flat, [metric.name for metric in held.metrics] or ["loss"]


def metrics(model: Any, library: Library, batch: Any, answer: Any) -> dict[str, str]:
    """Return the names under which the metrics are logged, with what each is."""
    held = doubles(model, library).get("compiled_metrics")
    if held is None or batch.y is None:
        return {}
    given = single(answer)
    super(type(held), held).build(given)  # which names the outputs
    y = borrowed.renamed(model, batch.y)
    held.build(given, held._conform_to_outputs(given, y))  # noqa: SLF001 - as it does itself
    found = {}
    for metric in held.metrics:
        function, kind = getattr(metric, "_fn", None), type(metric).__name__
        plain = kind == "MeanMetricWrapper" and function is not None
        found[str(metric.name)] = getattr(function, "__name__", kind) if plain else kind
    return found


def single(answer: Any) -> Any:
    """Return the only output of a mapping of one: transformers has Keras compare that."""
    return next(iter(answer.values())) if isinstance(answer, dict) and len(answer) == 1 else answer


def children(layer: Any) -> list[Any]:
    """Return the layers that a layer holds; metrics are layers too, and none of these."""
    if not hasattr(layer, "_flatten_layers"):
        return []
    inner = layer._flatten_layers(recursive=False, include_self=False)  # noqa: SLF001 - `layers` is only there for models
    return [one for one in inner if not hasattr(one, "update_state")]
