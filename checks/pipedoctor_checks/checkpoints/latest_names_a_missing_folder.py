import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Checkpoint, Resumable


@check("CKP043", Severity.ERROR, stage=Stage.CHECKPOINT)
def latest_names_a_missing_folder(
    checkpoint: Checkpoint, resumable: Resumable | None
) -> Iterator[Finding]:
    """
    `latest` of a DeepSpeed checkpoint names a folder that is not beside it.

    DeepSpeed writes each save into a folder of its own, global_step500, and its name into `latest`
    when all processes are through. `load_checkpoint` and zero_to_fp32.py read it and look there
    only. A folder that was copied without its newest save, or cleaned up by hand, is left with
    the old name. Known from DeepSpeed's documents and sources; tried on files of that layout that
    torch alone wrote, not with DeepSpeed itself.

    Fails:

        files = {
            "saved": {
                "kind": "deepspeed",
                "files": {
                    "global_step500/mp_rank_00_model_states.pt": {
                        "format": "PyTorch zip archive",
                        "tensors": {"module.w": ("BF16", (4, 4))},
                    }
                },
                "tag": "global_step1000",
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "deepspeed",
                "files": {
                    "global_step500/mp_rank_00_model_states.pt": {
                        "format": "PyTorch zip archive",
                        "tensors": {"module.w": ("BF16", (4, 4))},
                    }
                },
                "tag": "global_step500",
            }
        }

    See also: <https://deepspeed.readthedocs.io/en/latest/model-checkpointing.html>.
    """
    there = [name for name in checkpoint.zero if name]
    if not there or checkpoint.tag in there:
        return
    if resumable is not None and resumable.tells_of(checkpoint, "latest"):
        return
    path = f"{checkpoint.path}/latest"
    yield Finding(
        message=f"latest names {checkpoint.tag}, and there is only {', '.join(there)}: nothing of "
        "the checkpoint is loaded",
        where=Location(file=path),
        evidence={"latest": checkpoint.tag, "folders": there},
        remedy=f"copy {checkpoint.tag} here, or load the one that is here: "
        f"printf %s {shlex.quote(there[-1])} > {shlex.quote(path)}",
    )
