from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Eval, Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import (
    Batch,
    Environment,
    KeptPredictions,
    Lengths,
    Rehearsal,
    Rows,
    Settings,
)
from pipedoctor.units import count, size

BYTES = 4
"""Trainer keeps predictions as they come; float32 unless the evaluation runs in half of it."""


@check(
    "EVA001",
    Severity.ERROR,
    stage=Stage.EVALUATION,
)
def predictions_fill_the_memory(  # noqa: PLR0913, PLR0917 - each is a fact: the signature declares them
    rows: Eval[Rows],
    machine: Environment,
    rehearsal: Rehearsal | None,
    kept: KeptPredictions | None,
    batch: Eval[Batch] | None,
    lengths: Eval[Lengths] | None,
    settings: Settings | None,
    *,
    share: float = 1.0,
) -> Iterator[Finding]:
    """
    The evaluation keeps the logits of all rows for the metrics, which is more than there is memory.

    With a metrics function, Trainer collects what the model returns for every row, padded to the
    longest. For a model of language that is rows x length x vocabulary: 1,000 rows of 512 tokens
    with 50,000 words are 102 GB. The first evaluation is killed, after a part of the training.
    `preprocess_logits_for_metrics` can keep the best token in the place of its logits.

    What one row has is seen in an evaluation of a few rows. It is told if it takes more than
    `share` of the memory of this machine.

    Fails:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5000, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        ids = [5, 6, 7, 8] * 16
        eval_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 1000)
        metrics = lambda answers: {"rows": len(answers.predictions)}
        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0", "memory": 1_000_000_000, "gpus": 0}

    Passes:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=5000, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        ids = [5, 6, 7, 8] * 16
        eval_data = Dataset.from_list([{"input_ids": ids, "labels": ids}] * 1000)
        metrics = lambda answers: {"rows": len(answers.predictions)}
        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0", "memory": 64_000_000_000, "gpus": 0}

    See also: <https://github.com/huggingface/transformers/issues/8476>.
    """
    if kept is not None:
        yield from _of_a_plan(kept)
        return
    if rehearsal is None or batch is None:
        raise Unavailable("no evaluation was rehearsed")
    if not rehearsal.called or rehearsal.generated or rows.used is None:
        return
    if settings is not None and settings.get("batch_eval_metrics"):
        return  # the metrics are computed batch by batch, and nothing is collected
    longest = batch.length if batch.known("length") else None
    if lengths is not None and longest is not None:
        longest = max(longest, lengths.longest)
    each = sum(_elements(shape, longest) for shape in rehearsal.shapes)
    whole = each * rows.used * BYTES
    if whole <= share * machine.memory:
        return
    widest = max(rehearsal.shapes, key=lambda shape: _elements(shape, longest))
    of_row = [
        longest if n == 0 and longest and len(widest) > 2 else s for n, s in enumerate(widest[1:])
    ]
    told = " x ".join(count(number) for number in [rows.used, *of_row])
    yield Finding(
        message=f"The evaluation collects {told} numbers for the metrics, {size(whole)}; this machine "
        f"has {size(machine.memory)} of memory",
        where=settings.where("eval_strategy") if settings is not None else rows.where,
        evidence={"bytes": whole, "memory": machine.memory, "rows": rows.used, "of_a_row": each},
        remedy="Trainer(…, preprocess_logits_for_metrics=lambda logits, labels: "
        "logits.argmax(dim=-1)), and metrics of these",
        alternatives=(
            "batch_eval_metrics=True",
            "evaluate fewer rows: eval_dataset.select(range(n))",
        ),
    )


def _elements(shape: tuple[int, ...], longest: int | None) -> int:
    """Return how many numbers a row of predictions has when it is padded to the longest."""
    inner = list(shape[1:])
    if len(inner) > 1 and longest:
        inner[0] = max(inner[0], longest)
    total = 1
    for extent in inner:
        total *= extent
    return total


def _of_a_plan(kept: KeptPredictions) -> Iterator[Finding]:
    """Tell it of an evaluation that was only planned, on the device that it is planned for."""
    on_device = kept.device == "gpu" and not kept.moved_every
    largest = max(kept.outputs, key=lambda name: kept.outputs[name], default="logits")
    product = (
        f"{count(kept.rows)} rows times {size(kept.row_bytes)} ({', '.join(kept.outputs)}) are "
        f"{size(kept.total)}, which the evaluation keeps"
    )
    evidence = {
        "rows": kept.rows,
        "row_bytes": kept.row_bytes,
        "total": kept.total,
        "outputs": dict(kept.outputs),
    }
    cure = (
        "give Trainer preprocess_logits_for_metrics=lambda logits, labels: logits.argmax(-1), if "
        f"the metrics need the choice and not the {largest}"
    )
    if on_device and kept.room is not None and kept.total > kept.room:
        yield Finding(
            message=f"{product} on the device; it has {size(kept.room)}",
            evidence=evidence | {"room": kept.room},
            remedy=cure,
            alternatives=(
                f"eval_accumulation_steps=1: the machine's memory must have {size(kept.total)} then",
            )
            if not kept.known("free") or kept.total < kept.free
            else (),
        )
    elif kept.known("free") and kept.total > kept.free:
        yield Finding(
            message=f"{product} in memory in the end; {size(kept.free)} are free here",
            evidence=evidence | {"free": kept.free},
            remedy=cure,
            alternatives=("batch_eval_metrics=True computes the metrics batch by batch",),
        )
