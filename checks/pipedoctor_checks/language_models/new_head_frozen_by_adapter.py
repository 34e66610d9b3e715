from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import AppliedAdapter
from pipedoctor.facts.gradients import summarised
from pipedoctor_checks.gradients.frozen_by_accident import HEADS

TASKS = {
    "ForSequenceClassification": "SEQ_CLS",
    "ForTokenClassification": "TOKEN_CLS",
    "ForQuestionAnswering": "QUESTION_ANS",
}
"""The task types for which peft trains the head, by the end of the name of the model's class."""


@check("LLM021", Severity.ERROR, stage=Stage.MODEL, explains=("LOS003",))
def new_head_frozen_by_adapter(adapter: AppliedAdapter) -> Iterator[Finding]:
    """
    The model has a new head, and the adapter freezes it as it was drawn.

    An adapter freezes all that it is put on. A classifier on top of a pretrained model is new, so
    it has to be trained as a whole; peft does so if the config says for which task the adapter is,
    or names the module. Else every answer goes through random numbers. The adapters below learn to
    make up for a part of that, so the loss falls, and nothing tells you. If the adapter is saved,
    the head is not in its file, and another one is drawn when it is loaded.

    Other layers that are new and frozen are a note: what goes through them is mixed at random.
    Nothing is said of a model that is new as a whole.

    Fails:

        from peft import LoraConfig, get_peft_model
        from transformers import BertConfig, BertForSequenceClassification

        base = BertForSequenceClassification(
            BertConfig(
                vocab_size=100, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                intermediate_size=32,
            )
        )
        for parameter in base.bert.parameters():
            parameter.data.mul_(2)  # trained before
        model = get_peft_model(base, LoraConfig(target_modules=["query", "value"]))

    Passes:

        from peft import LoraConfig, get_peft_model
        from transformers import BertConfig, BertForSequenceClassification

        base = BertForSequenceClassification(
            BertConfig(
                vocab_size=100, hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
                intermediate_size=32,
            )
        )
        for parameter in base.bert.parameters():
            parameter.data.mul_(2)  # trained before
        model = get_peft_model(
            base, LoraConfig(task_type="SEQ_CLS", target_modules=["query", "value"])
        )

    See also: <https://huggingface.co/docs/peft/package_reference/lora>.
    """
    if not adapter.untrained or 2 * adapter.drawn > adapter.elements:
        return
    named = [layer for layer in adapter.untrained if set(layer.split(".")) & set(HEADS)]
    head = next(iter(named), adapter.last if adapter.last in adapter.untrained else None)
    stated = [
        "no task_type" if adapter.task is None else f"task_type {adapter.task}",
        f"modules_to_save={list(adapter.saved)}" if adapter.saved else "no modules_to_save",
    ]
    layers = tuple(adapter.untrained) if head is None else (head,)
    count = sum(adapter.untrained[layer] for layer in layers)
    kind = "LoRA" if adapter.kind == "LORA" else adapter.kind
    what = f"The head, {head}" if head is not None else f"Beside the head, {summarised(layers)}"
    lost = ", and the file of the adapter will not hold it" if head is not None else ""
    yield Finding(
        message=f"{what} ({count:,} elements of {adapter.model}), is new and frozen: it stays "
        f"random{lost}. The {kind} has {' and '.join(stated)}",
        where=Location(layer=layers[0]),
        evidence={
            "adapter": adapter.kind,
            "task_type": adapter.task,
            "modules_to_save": list(adapter.saved),
            "untrained": dict(list(adapter.untrained.items())[:20]),
        },
        remedy=_remedy(adapter, layers, head),
        severity=None if head is not None else Severity.NOTE,
    )


def _remedy(adapter: AppliedAdapter, layers: tuple[str, ...], head: str | None) -> str:
    """Return what trains these layers whole: the task where peft knows them by it, else their names."""
    task = next((t for end, t in TASKS.items() if adapter.model.endswith(end)), None)
    if head is not None and adapter.task is None and task is not None:
        return (
            f'LoraConfig(…, task_type="{task}")'
            if adapter.kind == "LORA"
            else f'task_type="{task}"'
        )
    names = dict.fromkeys((*adapter.saved, *(_module(layer) for layer in layers)))
    modules = ", ".join(f'"{name}"' for name in names)
    words = f"modules_to_save=[{modules}]"
    return f"LoraConfig(…, {words})" if adapter.kind == "LORA" else words


def _module(layer: str) -> str:
    """Return what peft is to look for: the head as a whole, else the last parts of a name."""
    parts = layer.split(".")
    return next((part for part in parts if part in HEADS), ".".join(parts[-2:]))
