from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

RESUME = "resume_from_checkpoint"
_CHECKPOINT = re.compile(r"checkpoint-\d+")


@check("CKP009", Severity.WARNING, stage=Stage.CHECKPOINT)
def resume_that_is_none(script: Script) -> Iterator[Finding]:
    """
    A training loads the weights of its own checkpoint, but starts everything else afresh.

    `from_pretrained("out/checkpoint-500")` reads the weights only. The optimizer's averages, the
    position in the schedule of the learning rate, the step and the order of the data stand in the
    same folder; `train()` reads them if it is told to by `resume_from_checkpoint`. Without it the
    run warms up again, sees the first data twice, and overwrites its older checkpoints. To start
    from the checkpoint of another run, in another folder, is another matter, and is not spoken of.

    Fails:

        script = '''
        from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

        model = AutoModelForCausalLM.from_pretrained("out/checkpoint-500")
        args = TrainingArguments(output_dir="out", num_train_epochs=3)
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train()
        '''

    Passes:

        script = '''
        from transformers import AutoModelForCausalLM, Trainer, TrainingArguments

        model = AutoModelForCausalLM.from_pretrained("gpt2")
        args = TrainingArguments(output_dir="out", num_train_epochs=3)
        trainer = Trainer(model=model, args=args, train_dataset=data)
        trainer.train(resume_from_checkpoint="out/checkpoint-500")
        '''

    See also: <https://github.com/huggingface/transformers/issues/7198>.
    """
    for training in script.trainings:
        resumes = training.argument(RESUME, 0)
        if training.open or (resumes is not None and resumes.get(default=True)):
            continue
        trainers = script.receivers(training)
        if len(trainers) != 1:
            continue
        found = _loaded(script, trainers[0])
        folder = _output_dir(script, trainers[0])
        if found is None or folder is None:
            continue
        loaded, checkpoint = found
        if os.path.normpath(os.path.dirname(checkpoint)) != os.path.normpath(folder):
            continue
        yield Finding(
            message=f"The model is loaded from {checkpoint}, a checkpoint of this output_dir, and "
            f"line {training.line} starts at step 0 with a new optimizer and schedule",
            where=loaded.where,
            evidence={"checkpoint": checkpoint, "output_dir": folder, "train": training.line},
            remedy=f'line {training.line}: {training.text}({RESUME}="{checkpoint}")',
            alternatives=("name another output_dir, if this is meant to be a new training",),
        )


def _loaded(script: Script, trainer: Call) -> tuple[Call, str] | None:
    """Return the call that loads the model of a trainer from a checkpoint, and its folder."""
    makers = script.makers(trainer.argument("model", 0))
    if len(makers) != 1 or not makers[0].text.endswith("from_pretrained"):
        return None
    path = makers[0].argument("pretrained_model_name_or_path", 0)
    name = None if path is None else path.get()
    if not isinstance(name, str) or not _CHECKPOINT.fullmatch(os.path.basename(name.rstrip("/"))):
        return None
    return makers[0], name.rstrip("/")


def _output_dir(script: Script, trainer: Call) -> str | None:
    makers = script.makers(trainer.argument("args", 1))
    if len(makers) != 1:
        return None
    # The script may change it afterwards.
    if any(one.target.endswith(".output_dir") for one in script.assigned(makers[0])):
        return None
    given = makers[0].argument("output_dir", 0)
    folder = None if given is None else given.get()
    return folder if isinstance(folder, str) else None
