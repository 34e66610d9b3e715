from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Script
from pipedoctor.facts.arguments import version_key

_FIRST, _AFTER = "4.38", "5"
"""Releases of transformers whose TensorFlow models ask for tf-keras beside Keras 3."""


@check(
    "KER011",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"installed version of Keras is Keras 3, but this is not yet supported in Transformers": (
            "pip install tf-keras"
        ),
    },
)
def tensorflow_models_need_keras_two(
    script: Script, environment: Environment
) -> Iterator[Finding]:
    """
    The TensorFlow models of transformers are used with Keras 3, and the package tf-keras is missing.

    Those models are written for Keras 2. From TensorFlow 2.16 on the package keras is version 3,
    and version 2 is a package of its own, tf-keras. Without it, to load a class such as
    `TFAutoModel` raises ValueError; version 5 of transformers has no such classes any more.

    Fails:

        environment = {
            "transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0", "tf_keras": None
        }
        script = '''
        from transformers import TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        '''

    Passes:

        environment = {
            "transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0", "tf_keras": "2.19.0"
        }
        script = '''
        from transformers import TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        '''

    See also: <https://github.com/huggingface/transformers/issues/27377>.
    """
    versions = environment.versions
    transformers, keras = versions.get("transformers"), versions.get("keras")
    if transformers is None or keras is None or "tensorflow" not in versions:
        return
    asks = version_key(_FIRST) <= version_key(transformers) < version_key(_AFTER)
    if not asks or version_key(keras) < (3,) or "tf_keras" in versions:
        return
    for call in script.calls:
        name = call.name.removeprefix("transformers.").partition(".")[0]
        ours = call.name.startswith("transformers.TF") and name[2:3].isupper()
        if ours and call.place.runs != "never":
            yield Finding(
                message=f"{name} of transformers {transformers} needs Keras 2, keras is {keras}, and "
                "the package tf-keras is not installed",
                where=call.where,
                evidence={"class": name, "keras": keras, "transformers": transformers},
                remedy="pip install tf-keras",
                severity=None if call.place.runs == "always" else Severity.WARNING,
            )
            return
