from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from facts import outcome
from tiny_trainer import train

from pipedoctor.probes import installed, words
from pipedoctor.targets import dialects
from pipedoctor_checks.environment.package_of_an_argument_missing import (
    OPTIMIZERS,
    REPORTERS,
    package_of_an_argument_missing,
)

NONE = dict.fromkeys(
    [*OPTIMIZERS, "deepspeed", "liger_kernel", *(p for names in REPORTERS.values() for p in names)]
)
MACHINE = {"transformers": "5.23.0", "torch": "2.13.0", "gpus": 1, **NONE}


def told(environment: dict[str, Any], **stated: Any) -> tuple[Any, ...]:
    return outcome(
        package_of_an_argument_missing, settings=stated, environment=environment
    ).findings


@pytest.mark.parametrize(
    ("stated", "package"),
    [
        ({"report_to": "wandb"}, "wandb"),
        ({"report_to": ["tensorboard"]}, "tensorboard"),
        ({"report_to": ["none", "comet_ml"]}, "comet-ml"),
        ({"optim": "adamw_bnb_8bit"}, "bitsandbytes"),
        ({"optim": "schedule_free_adamw"}, "schedulefree"),
        ({"deepspeed": "ds.json"}, "deepspeed"),
        ({"use_liger_kernel": True}, "liger-kernel"),
    ],
)
def test_what_is_missing(stated: dict[str, Any], package: str) -> None:
    (finding,) = told(MACHINE, **stated)
    assert finding.evidence["package"] == package
    assert finding.remedy == f"pip install {package}"


def test_each_tool_is_told_and_the_others_are_kept() -> None:
    one, two = told(MACHINE, report_to=["wandb", "mlflow"])
    assert (one.evidence["value"], two.evidence["value"]) == ("wandb", "mlflow")
    assert one.alternatives == ('set "report_to": ["mlflow"]',)


@pytest.mark.parametrize(
    ("machine", "stated"),
    [
        ({}, {"report_to": "none"}),
        ({}, {"report_to": "all"}),
        ({}, {"report_to": None}),
        ({}, {"report_to": "azure_ml"}),
        ({}, {"optim": "adamw_torch", "deepspeed": None, "use_liger_kernel": False}),
        ({"wandb": "0.27.0"}, {"report_to": "wandb"}),
        ({"tensorboardx": "2.6"}, {"report_to": "tensorboard"}),
        ({"mlflow_skinny": "3.1"}, {"report_to": "mlflow"}),
        ({"torch": None}, {"report_to": "wandb", "optim": "lomo"}),
        ({"transformers": None}, {"report_to": "wandb"}),
    ],
    ids=str,
)
def test_what_is_there_or_is_not_asked_for(machine: Any, stated: dict[str, Any]) -> None:
    assert told({**MACHINE, **machine}, **stated) == ()


def test_every_optimizer_of_the_table_is_one() -> None:
    known = words.of("5.23.0", here=False)
    assert known is not None
    listed = {name for names in OPTIMIZERS.values() for name in names}
    assert listed <= set(known["OptimizerNames"])


@pytest.mark.parametrize(
    "stated",
    [{"report_to": "wandb"}, {"optim": "lomo"}, {"optim": "galore_adamw"}, {"optim": "lion_8bit"}],
    ids=str,
)
def test_the_real_one_stops_without_the_package(tmp_path: Any, stated: dict[str, Any]) -> None:
    machine = {"transformers": "5.23.0", "torch": "2.13.0", "gpus": 1}
    missing = [finding.evidence["package"] for finding in told(machine, **stated)]
    if not missing:
        there = installed.versions([*OPTIMIZERS, "wandb"])
        pytest.skip(f"the package is installed here: {sorted(there)}")
    with pytest.raises((ImportError, RuntimeError)):
        train(tmp_path, max_steps=1, save_strategy="no", **stated)


def test_a_machine_without_a_gpu_is_not_the_one_that_needs_it() -> None:
    assert told({**MACHINE, "gpus": 0}, optim="adamw_bnb_8bit", deepspeed="ds.json") == ()
    assert len(told({**MACHINE, "gpus": 0}, report_to="wandb")) == 1


def test_an_environment_without_the_tool_is_not_the_one_that_trains() -> None:
    config = dialects.snippet("axolotl", "base_model: m\noptimizer: lomo\n")
    assert config.reading is not None
    for here, number in ((True, 1), (False, 0)):
        tool = replace(config.reading, installed=here)
        parts = {"settings": replace(config, reading=tool), "tool": tool, "environment": MACHINE}
        assert len(outcome(package_of_an_argument_missing, **parts).findings) == number
