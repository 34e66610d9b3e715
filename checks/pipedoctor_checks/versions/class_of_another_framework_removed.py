from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor import Confidence, Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Script
from pipedoctor.facts.script import Place
from pipedoctor.finding import Location
from pipedoctor.probes import habits
from pipedoctor_checks.versions._calls import caught, severity, transformers

GONE = (
    r"(?:TF|Flax)[A-Z]\w*|create_optimizer|AdamWeightDecay|KerasMetricCallback|PushToHubCallback"
)
"""All that 4.57.6 offered for TensorFlow and Flax, and 5.0.0 does not."""

_GONE = re.compile(rf"transformers\.(?:[a-z_]\w*\.)*({GONE})(?:\.|$)")
_PREFIX = re.compile(r"^(?:TF|Flax)(?=[A-Z])")


@check(
    "VER008",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        rf"cannot import name '({GONE})' from 'transformers": (
            'move to the PyTorch class of the same name, or stay with version 4: pip install "transformers<5"'
        ),
        rf"module '?transformers'? has no attribute '?({GONE})": (
            'move to the PyTorch class of the same name, or stay with version 4: pip install "transformers<5"'
        ),
    },
)
def class_of_another_framework_removed(
    script: Script, environment: Environment
) -> Iterator[Finding]:
    """
    The script uses a class of transformers for TensorFlow or Flax, which version 5 does not have.

    Version 5 is for PyTorch only: `TFAutoModel…`, `FlaxAutoModel…`, the TensorFlow optimizers
    and the Keras callbacks are gone. The script stops at the import. Saved weights can be moved
    with version 4: load them with `from_tf=True` into the PyTorch class, and save that.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoTokenizer, TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        model = AutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        '''

    Passes:

        environment = {"transformers": "4.57.6"}
        script = '''
        from transformers import AutoTokenizer, TFAutoModelForSequenceClassification

        model = TFAutoModelForSequenceClassification.from_pretrained("bert-base-cased")
        '''

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    used = list(_used(script))
    if not used:
        return
    version = transformers(environment)
    gone = habits.TORCH_ONLY.known(version)
    if gone is None:
        raise habits.TORCH_ONLY.unknown(version)
    for name, where, place in used if gone else ():
        stay = 'pip install "transformers<5"'
        torch = _PREFIX.sub("", name)
        yield Finding(
            message=f"transformers {version} has no {name}; {habits.TORCH_ONLY.lacking} still had it",
            where=where,
            evidence={"name": name, "transformers": version},
            remedy=f"use {torch} and train with PyTorch" if torch != name else stay,
            alternatives=(stay,) if torch != name else (),
            severity=severity(place),
            # A script for several frameworks imports each where it is wanted.
            confidence=Confidence.LOW if place.branches else Confidence.HIGH,
        )


def _used(script: Script) -> Iterator[tuple[str, Location, Place]]:
    """Yield each name once: where it is imported, or first called as an attribute."""
    told: set[str] = set()
    everything = [(one.name, one.where, one.place) for one in script.imports]
    everything += [(call.name, call.where, call.place) for call in script.calls]
    for full, where, place in everything:
        match = _GONE.match(full)
        if match is None or match[1] in told:
            continue
        told.add(match[1])
        if place.runs != "never" and not caught(place, "ImportError", "AttributeError"):
            yield match[1], where, place
