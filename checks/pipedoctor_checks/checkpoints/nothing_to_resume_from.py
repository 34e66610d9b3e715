from __future__ import annotations

import os
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Wish


@check(
    "CKP008",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"No valid checkpoint found in output directory": (
            "output_dir holds no folder checkpoint-N: leave resume_from_checkpoint out, or name one"
        ),
        r"Can't find a valid checkpoint at": (
            "that folder holds no model.safetensors: name a checkpoint-N that does"
        ),
    },
)
def nothing_to_resume_from(wish: Wish) -> Iterator[Finding]:
    """
    The run is to resume, and there is no checkpoint where it looks for one.

    `resume_from_checkpoint=True` wants a folder `checkpoint-N` in `output_dir`; a file of that
    name, a link to nowhere and `tmp-checkpoint-N` don't count. A path has to be that of the
    checkpoint itself, not of the folder around it.

    Fails:

        settings = {"resume_from_checkpoint": "no/such/checkpoint-500"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": "out/checkpoint-500"}
        files = {"run": {"checkpoint-500": {"state": {"global_step": 500}}}}
        environment = {"transformers": "5.23.0"}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, `train`.
    """
    if wish.found:
        return
    newest = f"; {os.path.basename(wish.newest)} of it is one" if wish.newest else ""
    left = f"; {', '.join(wish.leftovers[:3])} is none" if wish.leftovers else ""
    remedy = "leave resume_from_checkpoint out to begin anew"
    if wish.newest:
        remedy = f'set resume_from_checkpoint to "{wish.newest}"'
    yield Finding(
        message=f"The run is to resume from {wish.asked}, {wish.lacks}{newest}{left}",
        where=wish.where,
        evidence={"asked": wish.asked, "newest": wish.newest, "leftovers": list(wish.leftovers)},
        remedy=remedy,
    )
