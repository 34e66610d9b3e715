"""What Trainer compares is compared as it does; what it does not mind is not told."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from facts import pipeline
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from pipedoctor import registry
from pipedoctor.finding import Finding, Severity
from pipedoctor.runner import run_one


def told(
    settings: dict[str, Any], deepspeed: Any = None, accelerate: Any = None
) -> tuple[Finding, ...]:
    configs = {"deepspeed": deepspeed, "accelerate": accelerate}
    subject = pipeline(
        settings={"output_dir": "out", **settings},
        launch_config={name: part for name, part in configs.items() if part is not None},
        environment={"transformers": "5.23.0"},
    )
    return run_one(registry.load()["ENV001"], subject, {}).findings


@pytest.mark.parametrize(
    ("stated", "other"),
    [
        ({"per_device_train_batch_size": 4}, {"train_micro_batch_size_per_gpu": 4}),
        ({}, {"train_micro_batch_size_per_gpu": 8}),
        ({"learning_rate": 2e-5}, {"optimizer": {"params": {"lr": 2e-5}}}),
        ({"learning_rate": 2e-5}, {"optimizer": {"params": {"lr": "auto"}}}),
        ({}, {"optimizer": {"params": {"betas": [0.9, 0.999], "weight_decay": 0}}}),
        ({"bf16": True}, {"bf16": {"enabled": True}, "fp16": {"enabled": False}}),
        ({"fp16_full_eval": True}, {"fp16": {"enabled": True}}),
        ({"per_device_train_batch_size": 4}, {"train_batch_size": 32}),
        (
            {"auto_find_batch_size": True},
            {"train_micro_batch_size_per_gpu": 3, "train_batch_size": 3},
        ),
        ({"learning_rate": "2e-5"}, {"optimizer": {"params": {"lr": 1e-5}}}),
    ],
)
def test_what_agrees_is_quiet(stated: dict[str, Any], other: dict[str, Any]) -> None:
    assert told(stated, other) == ()


@pytest.mark.parametrize(
    ("stated", "other", "key"),
    [
        ({"per_device_train_batch_size": 4}, {"train_micro_batch_size_per_gpu": 8}, "train_micro_batch_size_per_gpu"),
        ({}, {"train_micro_batch_size_per_gpu": 4}, "train_micro_batch_size_per_gpu"),
        ({}, {"gradient_accumulation_steps": 2}, "gradient_accumulation_steps"),
        ({}, {"gradient_clipping": 0.5}, "gradient_clipping"),
        ({"adam_beta2": 0.95}, {"optimizer": {"params": {"betas": [0.9, 0.999]}}}, "optimizer.params.betas"),
        ({}, {"scheduler": {"params": {"warmup_max_lr": 1e-3}}}, "scheduler.params.warmup_max_lr"),
        ({"bf16": True}, {"bf16": {"enabled": False}}, "bf16.enabled"),
        ({}, {"fp16": {"enabled": True}}, "fp16.enabled"),
        ({"per_device_train_batch_size": 8}, {"train_micro_batch_size_per_gpu": "8"}, "train_micro_batch_size_per_gpu"),
        ({"per_device_train_batch_size": 4}, {"train_batch_size": 30}, None),
    ],
)  # fmt: skip
def test_what_differs_is_told(
    stated: dict[str, Any], other: dict[str, Any], key: str | None
) -> None:
    (finding,) = told(stated, other)
    assert finding.severity is None
    assert key is None or finding.evidence["key"] == key


def test_a_number_in_quotes_is_called_a_text() -> None:
    (finding,) = told({}, {"train_micro_batch_size_per_gpu": "8"})
    assert '"8" in the config of DeepSpeed, a text' in finding.message
    assert finding.alternatives == ()


def test_the_whole_batch_counts_the_processes_that_accelerate_starts() -> None:
    ds = {"train_batch_size": 32}
    stated = {"per_device_train_batch_size": 4}
    assert told(stated, ds, {"num_processes": 8}) == ()
    (finding,) = told(stated, ds, {"num_processes": 4})
    assert "which is not 4 x 1 x 4 processes" in finding.message


@pytest.mark.parametrize(
    ("stated", "precision", "count"),
    [
        ({"bf16": True}, "bf16", 0),
        ({"bf16": True}, "no", 0),
        ({"bf16": True}, "fp16", 1),
        ({}, "fp16", 0),
        ({"fp16": False}, "fp16", 1),
        ({"fp16": False, "bf16": True}, "bf16", 0),
    ],
)
def test_the_precision_of_accelerate(stated: dict[str, Any], precision: str, count: int) -> None:
    findings = told(stated, None, {"mixed_precision": precision})
    assert [finding.severity for finding in findings] == [Severity.WARNING] * count


def test_accumulation_that_accelerate_hands_to_deepspeed() -> None:
    other = {"deepspeed_config": {"gradient_accumulation_steps": 4, "gradient_clipping": 1.0}}
    assert told({"gradient_accumulation_steps": 4}, None, other) == ()
    (finding,) = told({}, None, other)
    assert finding.evidence["training"] == 1


VALUES = st.sampled_from([1, 2, 8, 1.0, 2e-5, 5e-5, "auto", "8", None, True, False, 0.0])


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "train_micro_batch_size_per_gpu": VALUES,
            "gradient_accumulation_steps": VALUES,
            "gradient_clipping": VALUES,
            "optimizer": st.fixed_dictionaries({"params": st.fixed_dictionaries({"lr": VALUES, "eps": VALUES})}),
            "fp16": st.fixed_dictionaries({"enabled": st.sampled_from([True, False, "auto"])}),
        },
    ),
    st.fixed_dictionaries(
        {
            "per_device_train_batch_size": st.sampled_from([1, 2, 8]),
            "gradient_accumulation_steps": st.sampled_from([1, 2]),
            "learning_rate": st.sampled_from([2e-5, 5e-5]),
            "max_grad_norm": st.sampled_from([1.0, 2.0]),
            "fp16": st.booleans(),
        }
    ),
)  # fmt: skip
@limits(max_examples=150, deadline=None)
def test_trainers_own_comparison_says_the_same(
    theirs: dict[str, Any], ours: dict[str, Any]
) -> None:
    module = pytest.importorskip("transformers.integrations.deepspeed")
    base = pytest.importorskip("accelerate.utils.deepspeed").HfDeepSpeedConfig
    # Without deepspeed, which the constructor asks for, it has lost its base class.
    kind = type("Comparison", (module.HfTrainerDeepSpeedConfig, base), {})
    real = object.__new__(kind)
    real.config, real.mismatches, real._dtype = copy.deepcopy(theirs), [], None
    real._stage, real._offload = 0, False
    defaults = {
        "adam_beta1": 0.9,
        "adam_beta2": 0.999,
        "adam_epsilon": 1e-8,
        "weight_decay": 0.0,
        "fp16_full_eval": False,
        "bf16": False,
        "bf16_full_eval": False,
        "save_on_each_node": False,
        "world_size": 1,
    }
    real.trainer_config_process(SimpleNamespace(**{**defaults, **ours}))
    expected = {line.partition("=")[0].removeprefix("- ds ") for line in real.mismatches}
    assert {finding.evidence["key"] for finding in told(ours, theirs)} == expected
