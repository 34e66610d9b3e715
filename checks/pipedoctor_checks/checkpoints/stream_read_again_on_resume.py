from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Resume, Rows, Settings
from pipedoctor.probes.values import positive
from pipedoctor.units import count


@check("CKP011", Severity.NOTE, stage=Stage.CHECKPOINT)
def stream_read_again_on_resume(
    settings: Settings, resume: Resume, rows: Train[Rows]
) -> Iterator[Finding]:
    """
    The run resumes on streamed data, and first reads again all that was trained on.

    To go on where the checkpoint was, Trainer skips the batches of before. Of data with a length
    it skips their numbers, which takes no time; of a stream it must read each row, and tokenise
    it, if that happens on the way. The run seems to hang meanwhile, for hours in a long one.

    Fails:

        settings = {"resume_from_checkpoint": "out/checkpoint-50000", "max_steps": 100000}
        files = {"checkpoint": {"global_step": 50000, "max_steps": 100000}}
        train_data = ({"input_ids": [2, 5, 3], "label": row % 2} for row in range(16))
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {
            "resume_from_checkpoint": "out/checkpoint-50000",
            "max_steps": 100000,
            "ignore_data_skip": True,
        }
        files = {"checkpoint": {"global_step": 50000, "max_steps": 100000}}
        train_data = ({"input_ids": [2, 5, 3], "label": row % 2} for row in range(16))
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/21934>.
    """
    if rows.used is not None or settings.ignore_data_skip or resume.step < LEAST:
        return
    batches = resume.step * positive(settings, "gradient_accumulation_steps")
    size = positive(settings, "per_device_train_batch_size")
    yield Finding(
        message=f"The checkpoint is of step {count(resume.step)}: {count(batches)} batches of "
        f"{size} are read again from the stream before the first new one",
        where=resume.where,
        evidence={"step": resume.step, "batches": batches, "batch_size": size},
        remedy=f"if the rows may come again, set {settings.entry('ignore_data_skip', value=True)}",
    )


LEAST = 1000
"""Less is read while one waits."""
