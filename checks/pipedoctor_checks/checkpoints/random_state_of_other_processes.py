from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Distribution, Restored


@check("CKP055", Severity.NOTE, stage=Stage.CHECKPOINT)
def random_state_of_other_processes(
    restored: Restored, distribution: Distribution | None
) -> Iterator[Finding]:
    """
    The checkpoint holds no random numbers for this run's processes, so its dropout differs.

    One process saves and reads `rng_state.pth`, each of several its own `rng_state_3.pth`. Where
    the one it looks for is missing, a process goes on with the random numbers of its seed: the run
    is sound, but not the one that would have come without the interruption.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
                        "scheduler.pt": {},
                        "rng_state_0.pth": {},
                        "rng_state_1.pth": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "processes": 4}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
                        "scheduler.pt": {},
                        "rng_state_0.pth": {},
                        "rng_state_1.pth": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "processes": 2}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    if restored.saved.broken or restored.sharded or not restored.loads_optimizer:
        return  # a model saved alone has none of the states
    saved = sorted(name for name in restored.names if name.startswith("rng_state"))
    processes = distribution.processes if distribution is not None else None
    if processes is None and len(saved) > 1:
        return  # of several processes, and nobody knows here how many this run will have
    wanted = ["rng_state.pth"]
    if processes is not None and processes > 1:
        wanted = [f"rng_state_{number}.pth" for number in range(processes)]
    missing = [name for name in wanted if name not in saved]
    if not missing:
        return
    told = f"{len(saved)} such file{'s' if len(saved) != 1 else ''}"
    yield Finding(
        message=f"{restored.path} has no {missing[0]}"
        + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        + f" ({told}): dropout and the order of the data draw other random numbers than they "
        "would have",
        where=restored.where,
        evidence={"missing": missing[:10], "saved": saved[:10], "processes": processes},
        remedy="nothing, unless the run must be repeated exactly: then resume with "
        + (f"{len(saved)} processes" if len(saved) > 1 else "a checkpoint that has it"),
    )
