"""
Every training argument with values of every kind: where the real Trainer stops, a check says so.

The default suite runs a few arguments, `make deep` all of them. What is raised and not told is
listed here with its reason, and so is what is told though nothing is raised.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest
from facts import outcome
from tiny_trainer import train

from pipedoctor import registry
from pipedoctor.probes import releases

CODES = ("HYP005", "HYP012", "HYP013", "HYP014", "HYP015", "HYP016", "VER014", "ENV009")
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 0.5, 2.0, "text", "", "2"),
    *([], ["a"], {}, {"a": 1}),
)
BASE: dict[str, Any] = {
    "max_steps": 2,
    "eval_strategy": "steps",
    "eval_steps": 1,
    "save_steps": 1,
    "logging_steps": 1,
    "report_to": "none",
    "use_cpu": True,
    "per_device_train_batch_size": 4,
}

FEW = ("seed", "eval_accumulation_steps")

NEVER = frozenset({"output_dir", "hub_token", "push_to_hub", "deepspeed", "fsdp", "fsdp_config"})
"""They touch the network, or other machines."""

OF_THE_MODEL = frozenset(
    {
        *("label_smoothing_factor", "neftune_noise_alpha", "use_liger_kernel"),
        *("activation_checkpointing", "gradient_checkpointing"),
        "batch_eval_metrics",
    }
)
"""What they do depends on the model or the metrics, and those here have none of what they need."""

OF_THE_MACHINE = frozenset(
    {
        *("tf32", "bf16", "fp16", "bf16_full_eval", "fp16_full_eval", "use_cpu"),
        *("torch_compile", "torch_compile_backend", "torch_compile_mode"),
        *("accelerator_config", "parallelism_config", "debug"),
        *("ddp_backend", "ddp_bucket_cap_mb", "ddp_timeout", "ddp_broadcast_buffers"),
    }
)
"""Which values they take depends on torch, accelerate and the hardware."""

NOT_TOLD: dict[str, tuple[Any, ...]] = {
    # A truth value for a number is a slip that nobody was seen to make; 1 and 0 are what it counts as.
    "per_device_train_batch_size": (False,),
    "per_device_eval_batch_size": (False,),
    "num_train_epochs": (False,),
    "gradient_accumulation_steps": (False,),
    "torch_empty_cache_steps": (False,),
    "logging_steps": (False,),
    "eval_accumulation_steps": (False,),
    "data_seed": (True, False),
    "adam_beta1": (True, False, 0),
    "adam_beta2": (True, False, 0),
    # best-metric-never-computed speaks of it
    "metric_for_best_model": ("text", "", "2"),
    # Python takes them for true
    "dataloader_persistent_workers": (1, -1, 0.5, 2.0, "text", "2", ["a"], {"a": 1}),
}
TOLD_THOUGH_IT_RUNS: dict[str, tuple[Any, ...]] = {
    "learning_rate": (0, False),  # nothing is learned
    "weight_decay": (-1,),  # the weights grow
}


def told(stated: dict[str, Any]) -> bool:
    parts = {"settings": stated, "train_data": range(16), "environment": {"gpus": 0}}
    checks = [registry.load()[code] for code in CODES]
    return any(outcome(check, **parts).findings for check in checks)


def raises(folder: Any, stated: dict[str, Any]) -> str | None:
    given = {name: value for name, value in stated.items() if name != "output_dir"}
    steps: list[int] = []
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            steps = train(folder, **given).left
        except Exception as error:  # noqa: BLE001 - which one is what is asked
            return f"{type(error).__name__}: {error}"[:120]
    # A run that saves nothing because it makes no step has trained nothing.
    trains = bool(steps) or not {"num_train_epochs", "gradient_accumulation_steps"} & set(given)
    return None if trains else "no step was made"


def disagreements(folder: Any, name: str) -> list[str]:
    found = []
    for number, value in enumerate(VALUES):
        stated = {**BASE, name: value}
        if name == "num_train_epochs":
            stated["max_steps"] = -1
        happens = raises(folder / str(number), stated)
        said = told(stated)

        def listed(table: dict[str, tuple[Any, ...]], value: Any = value) -> bool:
            return any(repr(one) == repr(value) for one in table.get(name, ()))

        if happens and not said and not listed(NOT_TOLD):
            found.append(f"{name}={value!r} is not told: {happens}")
        if said and not happens and not listed(TOLD_THOUGH_IT_RUNS):
            found.append(f"{name}={value!r} is told, and the run is fine")
    return found


@pytest.mark.parametrize("name", FEW)
def test_a_few_arguments(tmp_path: Any, name: str) -> None:
    pytest.importorskip("torch")
    for number in range(len(VALUES)):
        (tmp_path / str(number)).mkdir()
    assert disagreements(tmp_path, name) == []


@pytest.mark.deep
@pytest.mark.parametrize(
    "name",
    sorted(
        set(releases.load().fields(releases.load().releases[-1]))
        - {*NEVER, *OF_THE_MODEL, *OF_THE_MACHINE, *FEW}
    ),
)
def test_every_argument(tmp_path: Any, name: str) -> None:
    pytest.importorskip("torch")
    for number in range(len(VALUES)):
        (tmp_path / str(number)).mkdir()
    assert disagreements(tmp_path, name) == []
