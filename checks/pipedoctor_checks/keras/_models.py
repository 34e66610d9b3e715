"""What the text of a script tells of a Keras model: its last layer, its loss, its metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor.facts import Call, Script, Value

_PACKAGES = ("keras.", "tensorflow.keras.", "tf_keras.", "tensorflow.python.keras.")
_MODELS = frozenset({"Sequential", "Model"})
CROSS_ENTROPIES = frozenset(
    {
        "binary_crossentropy",
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
    }
)
_CLASSES = {
    "BinaryCrossentropy": "binary_crossentropy",
    "CategoricalCrossentropy": "categorical_crossentropy",
    "SparseCategoricalCrossentropy": "sparse_categorical_crossentropy",
}


@dataclass(frozen=True)
class Layer:
    """The last layer of a model: its units and activation, None where they are not known."""

    call: Call
    units: int | None
    activation: str | None


@dataclass(frozen=True)
class Loss:
    """A loss by its function's name; `from_logits` is None where it can't be told."""

    name: str
    from_logits: bool | None
    value: Value


@dataclass(frozen=True)
class Compiled:
    """A model and how it is compiled."""

    model: Call
    compile: Call
    last: Layer | None
    loss: Loss | None


def keras(call: Call, *wanted: str) -> bool:
    """Whether it calls one of these of Keras: a class or a function by its last name."""
    return any(
        name.startswith(_PACKAGES) and name.rpartition(".")[2] in wanted for name in call.names
    )


def compiled(script: Script) -> Iterator[Compiled]:
    """Yield each compilation of a model that the script builds."""
    for call in script.calls:
        models = script.receivers(call)
        if call.text.endswith(".compile") and len(models) == 1 and is_model(models[0]):
            yield Compiled(models[0], call, last_layer(script, models[0]), _loss(script, call))


def is_model(call: Call) -> bool:
    """Whether it makes a Keras model: of its own classes, or one of the script."""
    return keras(call, *_MODELS)


def of(script: Script, fit: Call) -> Compiled | None:
    """Return the only compilation of the model that is fitted, with Keras' own training step."""
    models = script.receivers(fit)
    if len(models) != 1 or models[0].name.startswith("__main__."):
        return None
    found = [one for one in compiled(script) if one.model is models[0]]
    return found[0] if len(found) == 1 else None


def last_layer(script: Script, model: Call) -> Layer | None:
    """Return the last layer of a model with one output; None where it can't be told."""
    if model.name.startswith("__main__."):
        call = script.function(f"{model.name.removeprefix('__main__.')}.call")
        outputs = call.returns if call is not None and len(call.returns) == 1 else ()
        return _applied(script, outputs[0]) if outputs else None
    if keras(model, "Model"):
        given = model.argument("outputs", 1)
        return _applied(script, given) if given is not None else None
    return _stacked(script, model)


def _applied(script: Script, value: Value) -> Layer | None:
    """Return the layer whose call an expression is: `Dense(10)(x)`."""
    made = script.makers(value)
    layers = script.callees(made[0]) if len(made) == 1 else ()
    return _layer(layers[0]) if len(layers) == 1 else None


def _stacked(script: Script, model: Call) -> Layer | None:
    given = model.argument("layers", 0)
    written = given is None or given.kind in {"list", "tuple"} or bool(given.elements)
    if model.open or not written:
        return None
    stack = list(given.elements) if given is not None else []
    for call in script.calls:
        if model.number not in call.receivers or not call.text.endswith((".add", ".pop")):
            continue
        # A layer that is added in a branch, or by a loop, may be the last one or not.
        sure = call.place.scope == model.place.scope and not call.place.branches
        layer = call.argument("layer", 0)
        if len(call.receivers) != 1 or not sure or layer is None or call.text.endswith(".pop"):
            return None
        stack.append(layer)
    made = script.makers(stack[-1]) if stack and stack[-1].kind != "starred" else ()
    last = _layer(made[0]) if len(made) == 1 else None
    if last is not None and last.units is None and len(stack) > 1:  # Activation("softmax")
        made = script.makers(stack[-2])
        before = _layer(made[0]) if len(made) == 1 else None
        plain = before is not None and before.activation == "linear"
        return Layer(last.call, before.units, last.activation) if before and plain else last
    return last


def _layer(call: Call) -> Layer | None:
    if call.name.startswith("__main__.") or call.open:
        return None
    if keras(call, "Dense"):
        units = call.argument("units", 0)
        number = units.get() if units is not None else None
        return Layer(
            call, number if isinstance(number, int) else None, _activation(call, 1, "linear")
        )
    if keras(call, "Activation"):
        return Layer(call, None, _activation(call, 0, None))
    if keras(call, "Softmax"):
        return Layer(call, None, "softmax")
    return None


def _activation(call: Call, position: int, default: str | None) -> str | None:
    given = call.argument("activation", position)
    if given is None:
        return default
    if given.known:
        held = given.get()
        return "linear" if held is None else held if isinstance(held, str) else None
    # keras.activations.softmax, tf.nn.softmax
    name = given.text.rpartition(".")[2]
    return name if given.kind == "attribute" and name in {"softmax", "sigmoid", "relu"} else None


def _loss(script: Script, call: Call) -> Loss | None:
    given = call.argument("loss", 1)
    if given is None or call.open:
        return None
    held = given.get()
    if isinstance(held, str):
        name = _CLASSES.get(held, held)
        return Loss(name, from_logits=False, value=given)
    made = script.makers(given)
    for name, function in _CLASSES.items():
        if len(made) == 1 and keras(made[0], name):
            logits = made[0].argument("from_logits", 0)
            known = logits is None or logits.known
            value = bool(logits.get()) if logits is not None else False
            return Loss(function, value if known and not made[0].open else None, given)
    last = given.text.rpartition(".")[2]
    plain = given.kind == "attribute" and ".losses." in given.text and last in CROSS_ENTROPIES
    return Loss(last, from_logits=False, value=given) if plain else None
