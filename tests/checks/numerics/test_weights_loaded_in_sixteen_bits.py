"""Weights whose type nobody chose: told of full fine-tuning at small rates, and of nothing else."""

from __future__ import annotations

import pytest
from facts import findings, model_files, settings, the_finding

from pipedoctor import Unavailable
from pipedoctor_checks.numerics.weights_loaded_in_sixteen_bits import (
    weights_loaded_in_sixteen_bits as check,
)

BF16 = model_files(dtype="BF16")
HALF = model_files(dtype="F16")


@pytest.mark.parametrize("stated", [{"bf16": True}, {}, {"learning_rate": 5e-5}])
def test_bfloat16_weights_at_a_small_rate(stated: dict[str, object]) -> None:
    found = the_finding(check, settings(**stated), BF16, None)
    assert "trained as bfloat16 (its weights are BF16" in found.message
    assert found.where.key == "learning_rate"


def test_float16_weights_without_mixed_precision() -> None:
    assert "Adam's eps" in the_finding(check, settings(), HALF, None).message
    assert not findings(check, settings(fp16=True), HALF, None)  # that is NUM002


@pytest.mark.parametrize(
    "stated",
    [
        {"dtype": "bfloat16"},
        {"torch_dtype": "auto"},
        {"learning_rate": 1e-3},
        {"optim": "adafactor"},
    ],
)
def test_what_was_chosen_or_is_not_rounded(stated: dict[str, object]) -> None:
    assert not findings(check, settings(**stated), BF16, None)


def test_older_releases_and_float32_checkpoints() -> None:
    assert not findings(check, settings("4.57.6"), BF16, None)
    assert not findings(check, settings(), model_files(), None)


@pytest.mark.parametrize("key", ["lora_r", "deepspeed", "fsdp"])
def test_what_changes_which_weights_are_updated(key: str) -> None:
    with pytest.raises(Unavailable, match=key):
        findings(check, settings(**{key: 8 if key == "lora_r" else "ds.json"}), BF16, None)
