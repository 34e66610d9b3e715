from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Compiled, Layers, Script

_LOADING = (".from_pretrained", ".from_preset")
_LIBRARIES = ("transformers.TF", "keras_hub.models.", "keras_nlp.models.")
_LOADED = ".load_model"
_ATTENTION = frozenset(
    {"Attention", "GroupedQueryAttention", "MultiHeadAttention", "TransformerEncoder"}
)
"""Layers of Keras that make a transformer of a model."""
_DEFAULT = 1e-3
_RATES = {"adam": "Adam", "adamw": "AdamW", "nadam": "Nadam", "rmsprop": "RMSprop"}
"""Optimizers of Keras that start with a rate of 1e-3, by the text that names them."""


def _in_text(script: Script) -> Iterator[Finding]:
    """Find a model that is loaded, and compiled with an optimizer by its name."""
    if any(one.target.endswith(".trainable") for one in script.assignments):
        return
    for call in script.calls:
        given = call.argument("optimizer", 0)
        name = given.get() if given is not None else None
        if not call.text.endswith(".compile") or not isinstance(name, str) or given is None:
            continue
        models = script.receivers(call)
        kind = _RATES.get(name.lower())
        if kind is None or len(models) != 1 or not _pretrained(models[0]):
            continue
        yield Finding(
            message=f'optimizer="{name}" trains the pretrained model of line {models[0].line} with '
            "a rate of 1e-3, 20 to 100 times what such models are tuned with (1e-5 to 5e-5)",
            where=given.where,
            evidence={"optimizer": name, "learning_rate": 1e-3, "model": models[0].text},
            remedy=f"optimizer={_library(models[0])}.optimizers.{kind}(5e-5)",
        )


@check("KER004", Severity.WARNING, stage=Stage.ARGUMENTS, in_text=_in_text)
def default_rate_on_pretrained_transformer(
    compiled: Compiled, layers: Layers, script: Script | None
) -> Iterator[Finding]:
    """
    A pretrained transformer is compiled with `optimizer="adam"`, which means a rate of 1e-3.

    A text names an optimizer with its default rate. Pretrained transformers are tuned with 1e-5 to
    5e-5; 1e-3 wipes out what they know within some hundred steps, and the loss stays where
    guessing has it. Nothing is said where the pretrained part is frozen.

    Fails:

        script = '''
        import keras_hub

        model = keras_hub.models.BertTextClassifier.from_preset("bert_base_en", num_classes=2)
        model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
        model.fit(data)
        '''

    Passes:

        import keras

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, activation="softmax")])
        model.compile(optimizer=keras.optimizers.Adam(5e-5), loss="sparse_categorical_crossentropy")

    See also: <https://huggingface.co/learn/llm-course/chapter8/4?fw=tf>.
    """
    found = list(_live(compiled, layers, script))
    yield from found
    if not found and not compiled.lender and script is not None:
        yield from _in_text(script)


def _live(compiled: Compiled, layers: Layers, script: Script | None) -> Iterator[Finding]:
    """Judge the optimizer that compile has made, where the model is known to be pretrained."""
    if not (compiled.known("optimizer") and compiled.known("learning_rate")):
        return
    usual = compiled.optimizer_by_name and compiled.optimizer in _RATES.values()
    if not usual or compiled.learning_rate != _DEFAULT:
        return
    model = (
        f"the model of {compiled.pretrained}" if compiled.pretrained else _loaded(layers, script)
    )
    total = sum(layer.parameters for layer in layers.layers)
    trained = sum(layer.parameters for layer in layers.layers if layer.trainable)
    if not model or trained < total / 2:
        return
    kind = compiled.optimizer
    yield Finding(
        message=f"{kind} trains the pretrained {model.removeprefix('the ')} with its default rate "
        f"of {_DEFAULT:g}, 20 to 100 times what such models are tuned with (1e-5 to 5e-5)",
        where=compiled.at("optimizer"),
        evidence={"optimizer": kind, "learning_rate": _DEFAULT, "model": model},
        remedy=f"optimizer={compiled.library}.optimizers.{kind}(5e-5)",
    )


def _loaded(layers: Layers, script: Script | None) -> str:
    """
    Name a transformer that a line of the script loads, below layers that are made elsewhere.

    What is loaded as a whole may be a training that goes on; a new head says that it does not.
    """
    for call in script.calls if script is not None else ():
        if not call.name.endswith(_LOADED):
            continue
        there = [one for one in layers.layers if one.where.line == call.line]
        fresh = [one for one in layers.layers if one.weights and one not in there]
        if fresh and any(one.kind in _ATTENTION and one.trainable for one in there):
            return f"layers that line {call.line} loads"
    return ""


def _pretrained(call: Call) -> bool:
    backbone = "Backbone" in call.text or "LoRA" in call.text
    return call.text.endswith(_LOADING) and call.name.startswith(_LIBRARIES) and not backbone


def _library(model: Call) -> str:
    """Return the Keras whose optimizers a model takes: the models of transformers are of Keras 2."""
    return "tf_keras" if model.name.startswith("transformers.") else "keras"
