from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

RESUME = "resume_from_checkpoint"


@check("CKP023", Severity.ERROR, stage=Stage.CHECKPOINT)
def resume_argument_not_read(script: Script) -> Iterator[Finding]:
    """
    `TrainingArguments` is told to resume from a checkpoint, and Trainer does not read that.

    `resume_from_checkpoint` is among the arguments for scripts that hand it on. `train()` itself
    only looks at its own argument: without one the training starts at step 0 from the weights
    that the model has, and writes over the checkpoints that it was to go on from.

    Fails:

        script = '''
        from transformers import Trainer, TrainingArguments

        args = TrainingArguments(output_dir="out", resume_from_checkpoint="out/checkpoint-500")
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train()
        '''

    Passes:

        script = '''
        from transformers import Trainer, TrainingArguments

        args = TrainingArguments(output_dir="out", resume_from_checkpoint="out/checkpoint-500")
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train(resume_from_checkpoint=args.resume_from_checkpoint)
        '''

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    for training in script.trainings:
        if training.open or training.argument(RESUME, 0) is not None:
            continue
        trainers = script.receivers(training)
        if len(trainers) != 1 or not trainers[0].is_a("transformers.Trainer"):
            continue
        if trainers[0].name.startswith("__main__."):
            continue  # its own train() may read it
        made = script.makers(trainers[0].argument("args", 1))
        given = made[0].argument(RESUME) if len(made) == 1 else None
        asked = None if given is None else given.get(default=given.text)
        if given is None or not asked or _elsewhere(script, training):
            continue
        yield Finding(
            message=f"{RESUME} is {asked!r} among the training arguments, and line "
            f"{training.line} calls train() without it: the training starts at step 0",
            where=given.where,
            evidence={"argument": asked, "train": training.line},
            remedy=f"line {training.line}: {training.text}({RESUME}={given.text})",
        )


def _elsewhere(script: Script, training: Call) -> bool:
    """Whether another call of train() hands it on: then the script has a branch for either."""
    return any(
        other is not training and other.argument(RESUME, 0) is not None
        for other in script.trainings
    )
