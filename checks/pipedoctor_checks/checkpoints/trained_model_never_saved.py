from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Confidence, Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Script, Settings
from pipedoctor.units import count

SAVES = (
    *("save_model", "save_pretrained", "push_to_hub", "save", "save_state", "save_checkpoint"),
    *("save_file", "save_pretrained_merged", "merge_and_unload", "export", "dump", "state_dict"),
)
"""The last parts of the names of what writes a model, or hands out its weights."""


@check("HYP008", Severity.WARNING, stage=Stage.CHECKPOINT)
def trained_model_never_saved(
    script: Script, settings: Settings, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    The run trains a model and ends without having saved its last weights.

    `save_strategy="no"` writes no checkpoint, and a script that neither calls `save_model()` nor
    `save_pretrained()` loses what it has trained when it ends. Releases of transformers before
    4.43 wrote checkpoints every `save_steps` steps only, so that the steps after the last of them
    were lost the same way.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import Trainer, TrainingArguments

        args = TrainingArguments(output_dir="out", save_strategy="no", num_train_epochs=3)
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import Trainer, TrainingArguments

        args = TrainingArguments(output_dir="out", save_strategy="no", num_train_epochs=3)
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train()
        trainer.save_model()
        '''

    See also: <https://github.com/huggingface/transformers/issues/28539>.
    """
    if len(script.trainings) != 1 or _saves(script):
        return
    training = script.trainings[0]
    if not any(maker.is_a("transformers.Trainer") for maker in script.receivers(training)):
        return
    if settings.get("push_to_hub") is True:
        return
    strategy = settings.word("save_strategy")
    if strategy == "no":
        told = 'save_strategy is "no", and the script saves nothing itself: the trained weights '
        told += "are lost when it ends"
        lost: int | None = None
    elif schedule is not None and schedule.known("checkpoints") and strategy == "steps":
        last = max(schedule.checkpoints, default=0)
        lost = schedule.total_steps - last
        if lost <= 0:
            return
        told = (
            f"The last checkpoint comes at step {count(last)} of {count(schedule.total_steps)}, "
        )
        told += f"and the script saves nothing itself: {count(lost)} steps of training are lost"
    else:
        return
    yield Finding(
        message=told,
        where=settings.where("save_strategy"),
        evidence={"save_strategy": strategy, "steps_lost": lost, "train": training.line},
        remedy=f"after line {training.end_line} add: {training.text.rpartition('.')[0]}.save_model()",
        # Who evaluates, and wants the figures only, has no use for the weights; nor has one who
        # tries something out, and no text tells the two from a training that matters.
        severity=Severity.NOTE if _evaluates(script) else None,
        confidence=Confidence.LOW,
    )


def _evaluates(script: Script) -> bool:
    return any(call.text.endswith((".evaluate", ".predict")) for call in script.calls)


def _saves(script: Script) -> bool:
    """Whether anything in the script may save the model, or hands it to what may."""
    return any(call.text.rpartition(".")[2] in SAVES for call in script.calls)
