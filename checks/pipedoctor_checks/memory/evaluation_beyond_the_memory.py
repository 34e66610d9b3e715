from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Evaluated, KeptPredictions, MemoryPlan, Settings
from pipedoctor.finding import NOWHERE
from pipedoctor.units import count, plural

GIB = 2**30
WORTH = 0.05
"""Kept answers that are a smaller share of the whole are not what is wrong."""

NAME = "per_device_eval_batch_size"


@check("MEM007", Severity.ERROR, stage=Stage.EVALUATION)
def evaluation_beyond_the_memory(
    plan: MemoryPlan, settings: Settings | None, kept: KeptPredictions | None
) -> Iterator[Finding]:
    """
    A batch of the evaluation takes more memory than the device has.

    An evaluation keeps no activations, and its batches are often larger for that. What it has are
    the logits of a whole batch, in float32: rows x length x vocabulary x 4 bytes, and as much
    again for their logarithm where a loss is computed of them. The weights and the optimizer's
    states stay where they are meanwhile. Training goes well until the first evaluation, which
    stops the run. The forward pass of the longest rows is gone through with tensors that have no
    values; the CUDA context and a margin of 5 % come on top. Where the answers that are kept for
    the metrics are alone too many, EVA001 tells it.

    Fails:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5000, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        ids = [5, 6, 7, 8] * 16
        train_data = eval_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 2000)
        settings = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 2000}
        memory = {"room": 2_000_000_000}

    Passes:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5000, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        ids = [5, 6, 7, 8] * 16
        train_data = eval_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 2000)
        settings = {"per_device_train_batch_size": 4, "per_device_eval_batch_size": 8}
        memory = {"room": 2_000_000_000}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>, on
    `per_device_eval_batch_size` and `eval_accumulation_steps`.
    """
    if plan.room is None:
        raise Unavailable("no memory is stated that the evaluation could fit into")
    told = plan.evaluation
    if told is None:
        raise Unavailable("no evaluation was gone through")
    if plan.evaluation_fits:
        return
    if plan.shared:
        raise Unavailable(f"{plan.shared} shares among processes what is told of one alone")
    if told.kept > plan.room or (told.largest == 0 and not plan.step_fits):
        return  # what is kept is told by itself, and so is a model that does not fit anyhow
    each = f" of {count(told.length)} tokens" if told.length is not None else ""
    of_it = f", of which its logits are {_gib(told.logits)}" if told.logits else ""
    waiting = told.kept >= WORTH * told.total
    if waiting:
        of_it += f" and the answers kept for the metrics {_gib(told.kept)}"
    name = plan.gpu or "the device"
    cures = list(_cures(told, settings, kept if waiting else None))
    yield Finding(
        message=f"An evaluation of {plural(told.rows, 'row')}{each} at a time takes "
        f"{_gib(told.total)}{of_it}; {name} has {_gib(plan.room)}",
        where=settings.where(NAME) if settings is not None else NOWHERE,
        evidence={
            "rows": told.rows,
            "length": told.length,
            "total": told.total,
            "room": plan.room,
            "logits": told.logits,
            "kept": told.kept,
            "largest": told.largest,
        },
        remedy=cures[0] if cures else f"take a device with more than {_gib(told.total)}",
        alternatives=tuple(cures[1:]),
    )


def _cures(
    told: Evaluated, settings: Settings | None, kept: KeptPredictions | None
) -> Iterator[str]:
    if told.largest:
        line = f"{NAME}={told.largest}"
        entry = settings.entry(NAME, told.largest) if settings is not None else line
        yield f"set {entry}, the largest that fits"
    if kept is not None and not kept.moved_every:
        yield "eval_accumulation_steps=1 moves the answers to the machine's memory"
        yield (
            "preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1), if the "
            "metrics need the choice alone"
        )


def _gib(size: float) -> str:
    return f"{size / GIB:.3g} GiB"
