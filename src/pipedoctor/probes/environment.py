"""The machine and its packages, or those that the part `environment` states instead."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.environment import Environment
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import cgroups, installed

REPORTERS = (
    *("azureml", "clearml", "codecarbon", "comet_ml", "dagshub", "dvclive", "flytekit"),
    *(
        "mlflow",
        "mlflow_skinny",
        "neptune",
        "swanlab",
        "tensorboard",
        "tensorboardx",
        "trackio",
        "wandb",
    ),
)
"""What `report_to` may ask for, by the names of packages."""

OPTIONAL = (
    *("apollo_torch", "bitsandbytes", "deepspeed", "galore_torch", "grokadamw", "kernels"),
    *("liger_kernel", "lomo_optim", "schedulefree", "torchao", "torch_optimi", "torchdistx"),
)
"""What other arguments need besides Trainer's own packages."""

PACKAGES = (
    "transformers",
    "torch",
    "datasets",
    "accelerate",
    "tokenizers",
    "safetensors",
    "huggingface_hub",
    "peft",
    "trl",
    "tensorflow",
    "keras",
    "tf_keras",
    "jax",
    "numpy",
    "pyarrow",
    "evaluate",
    *REPORTERS,
    *OPTIONAL,
)
VARIABLES = (
    *(
        "KERAS_BACKEND",
        "TF_USE_LEGACY_KERAS",
        "USE_TF",
        "USE_TORCH",
        "HF_HOME",
        "HF_HUB_CACHE",
        "HF_TOKEN",
    ),
    *("TRANSFORMERS_CACHE", "PYTORCH_TRANSFORMERS_CACHE", "PYTORCH_PRETRAINED_BERT_CACHE"),
    *("HF_HUB_ENABLE_HF_TRANSFER", "HF_XET_HIGH_PERFORMANCE", "HUGGINGFACE_HUB_CACHE"),
    *("HUGGING_FACE_HUB_TOKEN", "PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF"),
    *("NCCL_ASYNC_ERROR_HANDLING", "NCCL_BLOCKING_WAIT", "WANDB_DISABLED", "WANDB_MODE"),
    *(
        "RANK",
        "LOCAL_RANK",
        "WORLD_SIZE",
        "MASTER_PORT",
        "CUDA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
    ),
)
"""Those that choose a Keras, processes or devices, and those that were renamed, with the new names."""

SECRET = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"})
"""Of these it is told that they are set, never to what."""

FIGURES = frozenset(
    {
        "variables",
        "python",
        "gpus",
        "devices",
        "memory",
        "shared_memory",
        "disk_free",
        "disk_total",
        "processes",
        "installed",
        *("cuda", "hub", "imports", "machine", "packages", "peft_config", "replicas"),
    }
)
"""What the part `environment` may hold besides the versions of packages."""


@probe(Environment, Cost.STATIC)
def environment(pipeline: Pipeline, _split: Split) -> Environment:
    """Measure this machine; what the part `environment` states overrides it value by value."""
    stated = stated_environment(pipeline)
    versions: dict[str, Any] = {**installed.versions(PACKAGES)}
    versions |= {name: version for name, version in stated.items() if name not in FIGURES}
    python = ".".join(str(number) for number in sys.version_info[:3])
    return Environment(
        python=str(stated.get("python", python)),
        # None states that a package is not installed.
        versions={name: str(version) for name, version in versions.items() if version is not None},
        variables=dict(stated["variables"] if "variables" in stated else _variables()),
        former=dict(stated.get("installed", {})),
        gpus=_count(stated, "gpus") if "gpus" in stated else _gpus(),
        memory=_count(stated, "memory") if "memory" in stated else _memory(),
        shared_memory=_count(stated, "shared_memory")
        if "shared_memory" in stated
        else _shared_memory(),
    )


def _variables() -> dict[str, str]:
    """
    Return the variables that are looked at, as they were when the process began.

    transformers sets one of them when it is imported, too late for what was imported before.
    """
    try:
        with open("/proc/self/environ", "rb") as file:
            pairs = (one.partition(b"=") for one in file.read().split(b"\0"))
            held = {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}
    except OSError:  # not on Linux
        held = dict(os.environ)
    return {name: "(set)" if name in SECRET else held[name] for name in VARIABLES if name in held}


def stated_environment(pipeline: Pipeline) -> Mapping[str, Any]:
    """Return the part `environment`, which is empty if it was not given."""
    if "environment" not in pipeline.parts:
        return {}
    stated = pipeline.part("environment")
    if not isinstance(stated, Mapping):
        raise Unavailable("the environment that was given is not a mapping")
    return stated


def _count(stated: Mapping[str, Any], name: str) -> Any:
    value = stated[name]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return unknown(f"{name} of the environment is {value!r}, which is no count")


def _memory() -> Any:
    """Return the memory of this machine, or of the container that this process is in."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return unknown("how much memory this machine has is not known")
    limit = cgroups.limits().memory
    return whole if limit is None else min(whole, limit)


def _shared_memory() -> Any:
    """Return the size of the file system that shared memory is kept in."""
    try:
        system = os.statvfs("/dev/shm")  # noqa: S108 - it is looked at, nothing is written to it
    except (AttributeError, OSError):
        return unknown("there is no /dev/shm here")
    return system.f_frsize * system.f_blocks


def _gpus() -> Any:
    """
    Count the CUDA devices that a training would see, without loading a framework.

    The driver makes one file /dev/nvidia0, /dev/nvidia1 ... for each device, and a container
    gets only those that are its own. A process may be kept from some by CUDA_VISIBLE_DEVICES.
    """
    if sys.platform == "darwin":
        return 0  # there is no CUDA on macOS
    if sys.platform != "linux":
        return unknown("GPUs can be counted on Linux only")
    # PyTorch calls AMD's devices CUDA too; under WSL, NVIDIA's have no files of their own.
    for foreign in ("/dev/kfd", "/dev/dxg"):
        if os.path.exists(foreign):
            return unknown(f"the GPUs behind {foreign} can't be counted without a framework")
    present = 0
    with suppress(OSError):
        names = os.listdir("/dev")
        present = sum(n.startswith("nvidia") and n[6:].isdecimal() for n in names)
    return visible(present, os.environ.get("CUDA_VISIBLE_DEVICES"))


def visible(present: int, listed: str | None) -> int:
    """
    Return how many of the devices CUDA_VISIBLE_DEVICES leaves: all that come before a wrong one.

    Devices can be listed by number or by their UUID, of which nothing more is known here.
    """
    if listed is None:
        return present
    count = 0
    for name in listed.split(","):
        number = name.strip()
        if number.lstrip("-").isdecimal() and not 0 <= int(number) < present:
            break
        if not number:
            break
        count += 1
    return min(count, present)
