from __future__ import annotations

import os
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings, Wish


@check("CKP059", Severity.NOTE, stage=Stage.CHECKPOINT)
def checkpoints_of_another_run_in_output_dir(wish: Wish, settings: Settings) -> Iterator[Finding]:
    """
    The run begins anew in a folder that holds the checkpoints of an earlier one.

    Those of the same step are written over. The others stay, and if this run is interrupted,
    `resume_from_checkpoint=True` takes the one of the highest number, which may be the earlier
    run's; `save_total_limit` counts them as well.

    Fails:

        settings = {"output_dir": "out", "num_train_epochs": 3}
        files = {"run": {"checkpoint-3000": {"state": {"global_step": 3000}}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"output_dir": "out", "resume_from_checkpoint": True}
        files = {"run": {"checkpoint-3000": {"state": {"global_step": 3000}}}}
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    if wish.asked or not wish.newest:
        return
    name = os.path.basename(wish.newest)
    yield Finding(
        message=f"{wish.folder} holds {name} of an earlier run, and this one begins at step 0: "
        f"interrupted before, it would be resumed from {name}",
        where=settings.where("output_dir"),
        evidence={"newest": wish.newest},
        remedy=f"set {settings.entry('output_dir', wish.folder.rstrip('/') + '-2')}, or "
        f"{settings.entry('resume_from_checkpoint', value=True)} to go on from it",
    )
