"""A metrics function that hands on the logits, as the text of a script shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor.facts import Call, Script
from pipedoctor.facts.script import Function
from pipedoctor.finding import Finding
from pipedoctor_checks.data._trainers import body, function, trainers

_METRICS = frozenset({"accuracy", "f1", "precision", "recall", "glue", "matthews_correlation"})
_SCORES = ("sklearn.metrics.accuracy_score", "sklearn.metrics.f1_score")
_CHOOSING = re.compile(
    r"argmax|argsort|topk|max\(|round|decode|sigmoid|where|astype|int\(|[<>]=?\s"
)


def logits_handed_on(script: Script) -> Iterator[Finding]:
    """Find a metric of classes that gets the predictions as they come, without an argmax."""
    for trainer in trainers(script):
        named = trainer.argument("compute_metrics")
        found = function(script, named.text) if named is not None else None
        if found is None or "preprocess_logits_for_metrics" in trainer.arguments:
            continue
        if not trainer.is_a("transformers.Trainer") or trainer.is_a("transformers.Seq2SeqTrainer"):
            continue
        if _CHOOSING.search("\n".join(body(script, found)[1:])):
            continue
        for call in script.calls:
            if call.place.scope != found.name or not _of_classes(script, call):
                continue
            given = call.argument("predictions") or call.argument("y_pred", 1)
            if given is None or not _as_they_come(script, found, given.text):
                continue
            yield Finding(
                message=f"{call.text}(…) of {found.name} compares classes, and gets {given.text} as "
                "the model returned them: a number for each class, since nothing takes the largest",
                where=call.where,
                evidence={"function": found.name, "argument": given.text, "line": call.line},
                remedy=f"{given.text} = np.argmax({given.text}, axis=-1) before line {call.line}",
            )
            return


def _of_classes(script: Script, call: Call) -> bool:
    if call.is_a(*_SCORES):
        return True
    makers = script.receivers(call)
    if (
        not call.text.endswith(".compute")
        or len(makers) != 1
        or not makers[0].is_a("evaluate.load")
    ):
        return False
    name = makers[0].argument("path", 0)
    task = makers[0].argument("config_name", 1)
    regression = task is not None and (not task.known or task.get() == "stsb")
    return name is not None and name.get() in _METRICS and not regression


def _as_they_come(script: Script, found: Function, text: str) -> bool:
    """Whether a name holds the predictions that the function was given."""
    if len(found.parameters) != 1:
        return False
    parameter = found.parameters[0]
    if text in {f"{parameter}.predictions", f"{parameter}[0]"}:
        return True
    inside = [one for one in script.assignments if one.place.scope == found.name]
    held = [one.value.text for one in inside if one.target == text]
    return held in ([parameter], [f"{parameter}.predictions"], [f"{parameter}[0]"])
