from __future__ import annotations

from typing import Any

import pytest
from facts import findings, settings, the_finding
from tiny_trainer import train

from pipedoctor_checks.hyperparameters.arguments_that_exclude_each_other import (
    arguments_that_exclude_each_other as check,
)

PAIRS: list[dict[str, Any]] = [
    {"dataloader_prefetch_factor": 2},
    {"dataloader_persistent_workers": True},
    {"dataloader_multiprocessing_context": "spawn"},
    {"fp16_full_eval": True, "bf16_full_eval": True},
    {"lr_scheduler_type": "reduce_lr_on_plateau"},
    {"lr_scheduler_type": "greedy"},
]
NOT_RUN_HERE: list[dict[str, Any]] = [
    {"optim": "galore_adamw"},
    {
        "optim": "galore_adamw_layerwise",
        "optim_target_modules": "all-linear",
        "gradient_accumulation_steps": 4,
    },
    {"fsdp": "full_shard", "deepspeed": "ds.json"},
    {"deepspeed": "ds.json", "save_only_model": True, "load_best_model_at_end": True},
]


@pytest.mark.parametrize("stated", [*PAIRS, *NOT_RUN_HERE], ids=str)
def test_a_pair(stated: dict[str, Any]) -> None:
    finding = the_finding(check, settings(**stated))
    assert set(stated) & {str(finding.where.key)}
    assert set(finding.evidence) > {finding.where.key}


@pytest.mark.parametrize("stated", PAIRS, ids=str)
def test_the_real_one_stops_at_it(tmp_path: Any, stated: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        train(tmp_path, max_steps=1, save_strategy="no", **stated)


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"dataloader_prefetch_factor": None, "dataloader_persistent_workers": False},
        {"dataloader_prefetch_factor": 2, "dataloader_num_workers": 1},
        {"dataloader_persistent_workers": True, "dataloader_num_workers": 4},
        {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "steps"},
        {"lr_scheduler_type": "cosine"},
        {"fp16_full_eval": True},
        {"optim": "galore_adamw", "optim_target_modules": ["attn"]},
        {"optim": "galore_adamw_layerwise", "optim_target_modules": "all-linear"},
        {"deepspeed": "ds.json", "load_best_model_at_end": True},
        {"save_only_model": True, "load_best_model_at_end": True},
    ],
    ids=str,
)
def test_what_goes_together(stated: dict[str, Any]) -> None:
    assert findings(check, settings(**stated)) == []


def test_a_number_of_workers_that_is_none_is_anothers_business() -> None:
    assert (
        findings(check, settings(dataloader_num_workers="2", dataloader_prefetch_factor=2)) == []
    )
