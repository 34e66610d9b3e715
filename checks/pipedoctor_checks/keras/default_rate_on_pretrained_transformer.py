from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

_LOADING = (".from_pretrained", ".from_preset")
_LIBRARIES = ("transformers.TF", "keras_hub.models.", "keras_nlp.models.")
_RATES = {"adam": "Adam", "adamw": "AdamW", "nadam": "Nadam", "rmsprop": "RMSprop"}
"""Optimizers of Keras that start with a rate of 1e-3, by the text that names them."""


@check("KER004", Severity.WARNING, stage=Stage.ARGUMENTS)
def default_rate_on_pretrained_transformer(script: Script) -> Iterator[Finding]:
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

        script = '''
        import keras
        import keras_hub

        model = keras_hub.models.BertTextClassifier.from_preset("bert_base_en", num_classes=2)
        model.compile(optimizer=keras.optimizers.Adam(5e-5), loss="sparse_categorical_crossentropy")
        model.fit(data)
        '''

    See also: <https://huggingface.co/learn/llm-course/chapter8/4?fw=tf>.
    """
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


def _pretrained(call: Call) -> bool:
    backbone = "Backbone" in call.text or "LoRA" in call.text
    return call.text.endswith(_LOADING) and call.name.startswith(_LIBRARIES) and not backbone


def _library(model: Call) -> str:
    """Return the Keras whose optimizers a model takes: the models of transformers are of Keras 2."""
    return "tf_keras" if model.name.startswith("transformers.") else "keras"
