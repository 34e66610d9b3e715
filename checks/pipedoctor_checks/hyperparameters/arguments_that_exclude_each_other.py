from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings

LOW_RANK = ("galore_", "apollo_")
"""Optimizers of which Trainer wants to know the modules that they are for."""

NEEDS_EVALUATION = ("reduce_lr_on_plateau", "greedy")


@check(
    "HYP015",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"dataloader_prefetch_factor can only be set when": "set dataloader_num_workers to 2, or "
        "delete dataloader_prefetch_factor",
        r"persistent_workers option needs num_workers > 0": "set dataloader_num_workers to 2, or "
        "delete dataloader_persistent_workers",
        r"requires an eval strategy": "set eval_strategy to epoch",
        r"You need to define `optim_target_modules`": "set optim_target_modules to all-linear",
    },
)
def arguments_that_exclude_each_other(settings: Settings) -> Iterator[Finding]:
    """
    Two arguments are stated that can't be had together, and the run stops at them.

    Each of them is right by itself. `TrainingArguments` refuses some of the pairs; others come
    to light when the data loader or the optimizer is built, after model and data were loaded.

    Fails:

        settings = {"dataloader_prefetch_factor": 2}
        environment = {"transformers": "5.23.0"}

    Fails:

        settings = {"lr_scheduler_type": "reduce_lr_on_plateau"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"dataloader_prefetch_factor": 2, "dataloader_num_workers": 4}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"lr_scheduler_type": "reduce_lr_on_plateau", "eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0"}
    """
    for key, text, remedy, other in (
        *_workers(settings),
        *_precision(settings),
        *_scheduler(settings),
        *_optimizer(settings),
        *_sharding(settings),
    ):
        yield Finding(
            message=text,
            where=settings.where(key),
            evidence={name: settings.get(name) for name in (key, other)},
            remedy=remedy,
        )


Pair = tuple[str, str, str, str]
"""The key to speak of, what happens, what to change, and the key that it does not go with."""


def _workers(settings: Settings) -> Iterator[Pair]:
    if settings.get("dataloader_num_workers") != 0:
        return
    more = settings.entry("dataloader_num_workers", 2)
    factor = settings.stated.get("dataloader_prefetch_factor")
    if factor is not None:
        yield (
            "dataloader_prefetch_factor",
            (
                f"dataloader_prefetch_factor is {factor} and dataloader_num_workers 0; "
                "TrainingArguments raises ValueError, since only workers fetch ahead"
            ),
            f"set {more}",
            "dataloader_num_workers",
        )
    context = settings.stated.get("dataloader_multiprocessing_context")
    if context is not None:
        yield (
            "dataloader_multiprocessing_context",
            (
                f"dataloader_multiprocessing_context is {context!r} and dataloader_num_workers 0; the "
                "data loader raises ValueError"
            ),
            f"set {more}",
            "dataloader_num_workers",
        )
    if settings.stated.get("dataloader_persistent_workers") is True:
        yield (
            "dataloader_persistent_workers",
            (
                "dataloader_persistent_workers is set and dataloader_num_workers is 0; the data "
                "loader raises ValueError"
            ),
            f"set {more}",
            "dataloader_num_workers",
        )


def _precision(settings: Settings) -> Iterator[Pair]:
    if settings.get("fp16_full_eval") is True and settings.get("bf16_full_eval") is True:
        yield (
            "fp16_full_eval",
            (
                "fp16_full_eval and bf16_full_eval are both set; TrainingArguments takes 1 of the 2, "
                "and raises ValueError"
            ),
            f"set {settings.entry('fp16_full_eval', value=False)}",
            "bf16_full_eval",
        )


def _scheduler(settings: Settings) -> Iterator[Pair]:
    if "lr_scheduler_type" not in settings.stated:
        return
    kind = settings.word("lr_scheduler_type")
    if kind in NEEDS_EVALUATION and settings.word(settings.eval_key) == "no":
        yield (
            "lr_scheduler_type",
            (
                f'lr_scheduler_type is "{kind}", which goes by evaluations, and {settings.eval_key} '
                'is "no"; TrainingArguments raises ValueError'
            ),
            f"set {settings.entry(settings.eval_name, 'epoch')}",
            settings.eval_key,
        )


def _optimizer(settings: Settings) -> Iterator[Pair]:
    if "optim" not in settings.stated:
        return
    name = settings.word("optim")
    if name.startswith(LOW_RANK) and settings.get("optim_target_modules", 0) is None:
        yield (
            "optim",
            (
                f'optim is "{name}" and optim_target_modules is not set; Trainer raises ValueError, '
                "it does not choose the modules itself"
            ),
            f"set {settings.entry('optim_target_modules', 'all-linear')}",
            "optim_target_modules",
        )
    accumulated = settings.get("gradient_accumulation_steps")
    if name.startswith(LOW_RANK) and name.endswith("_layerwise") and accumulated not in {None, 1}:
        yield (
            "gradient_accumulation_steps",
            (
                f'gradient_accumulation_steps is {accumulated} and optim is "{name}", which steps '
                "within the backward pass; Trainer raises ValueError"
            ),
            f"set {settings.entry('gradient_accumulation_steps', 1)}",
            "optim",
        )


def _sharding(settings: Settings) -> Iterator[Pair]:
    sharded = [key for key in ("deepspeed", "fsdp") if settings.stated.get(key)]
    if len(sharded) == 2:
        yield (
            "fsdp",
            "fsdp and deepspeed are both stated; Trainer takes 1 of the 2, and raises ValueError",
            "delete one of them",
            "deepspeed",
        )
    both = settings.get("save_only_model") is True and settings.get("load_best_model_at_end")
    if sharded and both:
        yield (
            "save_only_model",
            (
                f"save_only_model and load_best_model_at_end are set with {sharded[0]}, which can't "
                "load a model without the rest of its checkpoint; Trainer raises ValueError"
            ),
            f"set {settings.entry('save_only_model', value=False)}",
            "load_best_model_at_end",
        )
