from __future__ import annotations

import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Resume, Schedule, Wish

CURE = "delete or rename the file of that name in output_dir"


@check(
    "CKP058",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={r"File exists: '.*checkpoint-\d+'": CURE},
)
def file_where_a_checkpoint_is_saved(
    wish: Wish, schedule: Schedule, resume: Resume | None
) -> Iterator[Finding]:
    """
    In `output_dir` lies a file, or a link to nowhere, with the name that a checkpoint will have.

    Trainer makes the folder `checkpoint-N` when it saves at step N. A file of that name is passed
    over until then, and stops the run there with a `FileExistsError`: all steps since the
    checkpoint before are lost.

    Fails:

        settings = {"save_steps": 500, "max_steps": 1000}
        files = {"run": {}, "left": ("checkpoint-500",)}
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"save_steps": 400, "max_steps": 800}
        files = {"run": {}, "left": ("checkpoint-500",)}
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    done = resume.step if resume is not None else 0
    for name in wish.leftovers:
        number = name.removeprefix("checkpoint-")
        if not number.isdigit() or int(number) <= done or int(number) not in schedule.checkpoints:
            continue
        yield Finding(
            message=f"{wish.folder}/{name} is a file or a link to nowhere, and the checkpoint of step "
            f"{int(number)} will have this name: saving it fails, after {int(number) - done} steps",
            where=Location(file=f"{wish.folder}/{name}"),
            evidence={"name": name, "step": int(number)},
            remedy=f"rm {shlex.quote(f'{wish.folder}/{name}')}",
        )
        return
