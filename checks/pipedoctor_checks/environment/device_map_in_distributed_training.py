from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Call, Distribution, Script

SPLITTING = frozenset({"auto", "balanced", "balanced_low_0"})
"""The maps that put parts of a model on several GPUs, if a process sees several."""

REMEDY = 'delete device_map, or write device_map={"": PartialState().process_index} (accelerate)'


@check(
    "ENV003",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"You can't train a model that has been loaded with .?device_map='auto'": REMEDY,
        r"model that has been loaded with .?device_map.? in any distributed mode": REMEDY,
    },
)
def device_map_in_distributed_training(
    script: Script, distribution: Distribution
) -> Iterator[Finding]:
    """
    The script spreads one model over all GPUs, and several processes are to train it.

    `device_map="auto"` puts the layers of a model on all GPUs that the process sees. Started with
    `torchrun` or `accelerate launch`, each process needs a whole model on a GPU of its own
    instead; Trainer raises "You can't train a model that has been loaded with device_map='auto'
    in any distributed mode" when the training starts, after the weights were loaded.

    Fails:

        environment = {"transformers": "5.23.0", "processes": 4}
        script = '''
        from transformers import AutoModelForCausalLM, Trainer

        model = AutoModelForCausalLM.from_pretrained("facebook/opt-350m", device_map="auto")
        trainer = Trainer(model, train_dataset=rows)
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "5.23.0", "processes": 1}
        script = '''
        from transformers import AutoModelForCausalLM, Trainer

        model = AutoModelForCausalLM.from_pretrained("facebook/opt-350m", device_map="auto")
        trainer = Trainer(model, train_dataset=rows)
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "5.23.0", "processes": 4}
        script = '''
        from transformers import AutoModelForCausalLM, Trainer

        model = AutoModelForCausalLM.from_pretrained("facebook/opt-350m")
        trainer = Trainer(model, train_dataset=rows)
        trainer.train()
        '''

    See also: <https://github.com/huggingface/transformers/issues/34695>.
    """
    if distribution.processes < 2:
        return
    loads = [call for call in script.calls if _splits(call)]
    if not loads:
        return
    if not any(call.name.rpartition(".")[2] == "train" for call in script.calls):
        raise Unavailable("the script shows no training, and loading for inference may be split")
    for call in loads:
        value = call.arguments["device_map"]
        yield Finding(
            message=f"device_map={value.text} splits the model over all GPUs, and "
            f"{distribution.processes} processes are to train it: each needs a whole one",
            where=value.where,
            evidence={"device_map": value.value, "processes": distribution.processes},
            remedy=REMEDY,
            severity=None if call.place.runs == "always" else Severity.WARNING,
        )


def _splits(call: Call) -> bool:
    value = call.arguments.get("device_map")
    return (
        call.name.endswith(".from_pretrained")
        and value is not None
        and value.known
        and value.value in SPLITTING
        and call.place.runs != "never"
    )
