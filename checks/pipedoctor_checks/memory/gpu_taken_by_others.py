from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Gpu, Gpus, MemoryPlan

GIB = 2**30


@check(
    "MEM004",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"CUDA out of memory[^.]*\. Process \d+ has": "another process has memory on this GPU: "
        "`nvidia-smi` lists them",
        r"with 1?\d?\d MB memory:": "TensorFlow found next to nothing free on the GPU: another "
        "process, often a notebook that is still open, has it",
    },
)
def gpu_taken_by_others(
    machine: Gpus, plan: MemoryPlan | None, *, share: float = 0.1
) -> Iterator[Finding]:
    """
    The GPU that the training would take is full already: other processes hold its memory.

    A notebook that was left open keeps all that its last cells made, and TensorFlow takes all that
    is free as it begins, whatever it needs. The GPU looks idle meanwhile. A training that starts on
    it stops with "out of memory", at a batch that fits anywhere else. What is free is asked of the
    driver now. Where the step was planned, it is compared with that; where it was not, it is told
    if less than `share` of the GPU is free and others have the rest. Of several GPUs, only the
    first is looked at, which a training takes that names none.

    Fails:

        environment = {
            "gpus": 1,
            "devices": [
                {
                    "name": "Tesla T4",
                    "total": 16_106_127_360,
                    "free": 230_000_000,
                    "processes": [{"pid": 4242, "name": "python", "bytes": 15_800_000_000}],
                }
            ],
        }

    Passes:

        environment = {
            "gpus": 1,
            "devices": [{"name": "Tesla T4", "total": 16_106_127_360, "free": 15_700_000_000}],
        }

    See also: <https://www.tensorflow.org/guide/gpu#limiting_gpu_memory_growth>.
    """
    gpu = machine.devices[0]
    needed = plan.total if plan is not None and plan.room is None else None
    if needed is not None:
        # Where not even an empty GPU would do, others are not what is wrong.
        full = gpu.free < needed <= gpu.total and bool(gpu.taken)
    else:
        full = gpu.free < share * gpu.total
    if not full or not _of_others(gpu):
        return
    others = gpu.others
    held = ", ".join(_told(one.name, one.pid, one.bytes) for one in others[:3])
    there = f"{_gib(gpu.free)} of {_gib(gpu.total)} are free on {gpu.name}"
    wants = f", and the training takes {_gib(needed)}" if needed is not None else ""
    whose = f"; other processes have the rest: {held}" if others else ""
    free = next((one for one in machine.devices[1:] if one.free > (needed or gpu.free * 2)), None)
    stop = "stop " + ", ".join(str(one.pid) for one in others[:3]) if others else ""
    elsewhere = f"CUDA_VISIBLE_DEVICES={free.index}" if free is not None else ""
    cures = [
        f"{stop} (shut the notebook's kernel down), or wait for it" if stop else "",
        f"set {elsewhere}, where {_gib(free.free)} are free" if free is not None else "",
        "tf.config.experimental.set_memory_growth(gpu, True) first, where it is TensorFlow",
        "nvidia-smi shows who has it; in a container, ask on the host",
    ]
    told = [cure for cure in cures if cure]
    yield Finding(
        message=f"Only {there}{wants}{whose}",
        evidence={
            "free": gpu.free,
            "total": gpu.total,
            "needed": needed,
            "processes": [{"pid": one.pid, "bytes": one.bytes} for one in others],
        },
        remedy=told[0],
        alternatives=tuple(told[1:]),
    )


def _of_others(gpu: Gpu) -> bool:
    """
    Whether others have most of what is not free.

    In a container their processes are not listed: then what this process has is all that is told.
    """
    own = sum(holder.bytes or 0 for holder in gpu.holders if holder.own)
    return gpu.taken - own > gpu.taken / 2


def _told(name: str, pid: int, size: int | None) -> str:
    whole = f"{name} " if name else ""
    return f"{whole}({pid})" + (f" with {_gib(size)}" if size is not None else "")


def _gib(size: float) -> str:
    return f"{size / GIB:.3g} GiB"
