"""The steps of an evaluation on a few rows: by the trainer's own code, or as Trainer would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.data.batches import Collated
from pipedoctor.frameworks.double import double
from pipedoctor.frameworks.overrides import made_by

FEW = 2
"""
So many rows of a batch are looked at where each has many predictions.

A language model gives a number for each token and each word it knows: of two rows, already more
than 100 MB.
"""

NEW_TOKENS = 16
"""So many tokens are generated in a rehearsal at most: its texts need no sense."""

SECONDS = 5.0
"""So long generating for one batch may take; a large model then stops where it is."""


@dataclass(frozen=True)
class Step:
    """What one batch gave: the arrays that Trainer would gather, still tensors."""

    rows: tuple[int, ...]
    loss: Any
    logits: Any
    labels: Any
    inputs: Mapping[str, Any]


def of_trainer(
    trainer: Any,
    model: Any,
    batches: Sequence[Collated],
    *,
    only_loss: bool,
    ignored_keys: list[str] | None,
) -> Iterator[Step]:
    """
    Yield the steps that the trainer's own code takes, on a double of it.

    To be used where model and random states are put back afterwards. What the trainer's methods
    raise is passed on.
    """
    twin = double(trainer)
    generates = bool(getattr(trainer.args, "predict_with_generate", False)) and not only_loss
    if generates:
        twin._gen_kwargs = _short(trainer)  # noqa: SLF001 - where its evaluate() puts them
    reduce = getattr(trainer, "preprocess_logits_for_metrics", None)
    for few in fewer(batches, trainer.label_names, always=generates):
        with _autocast(trainer):
            loss, logits, labels = twin.prediction_step(
                model, dict(few.arrays), only_loss, ignore_keys=ignored_keys
            )
        if logits is not None and reduce is not None:
            logits = reduce(logits, labels)
        yield Step(few.rows, loss, logits, labels, few.arrays)


def plain(model: Any, batches: Sequence[Collated], names: Sequence[str]) -> Iterator[Step]:
    """Yield the steps that Trainer would take, where there is no trainer."""
    import torch

    device = next((parameter.device for parameter in model.parameters()), None)
    for few in fewer(batches, names, always=False):
        arrays = {n: v.to(device) if hasattr(v, "to") else v for n, v in few.arrays.items()}
        labels = tuple(arrays[name] for name in names if name in arrays)
        if len(labels) < len(names) or not names:
            yield Step(few.rows, None, None, None, arrays)
            continue
        with torch.no_grad():
            loss, logits = _told(model, model(**arrays))
        yield Step(few.rows, loss, logits, labels[0] if len(labels) == 1 else labels, arrays)


def _told(model: Any, answer: Any) -> tuple[Any, Any]:
    """Return the loss, and what else the model answered that Trainer hands on."""
    ignored = {"loss", *getattr(getattr(model, "config", None), "keys_to_ignore_at_inference", ())}
    if isinstance(answer, Mapping):
        loss = answer.get("loss")
        found = tuple(value for name, value in answer.items() if name not in ignored)
    else:
        loss, found = answer[0], tuple(answer[1:])
    return loss, found[0] if len(found) == 1 else found


def fewer(batches: Sequence[Collated], names: Sequence[str], *, always: bool) -> list[Collated]:
    """
    Return a few rows of each batch, if a row has many labels, or `always`; two groups at least.

    A batch is left whole where its arrays do not have one entry a row.
    """
    found: list[Collated] = []
    for batch in batches:
        if not always and not _many(batch, names):
            found.append(batch)
            continue
        for start in range(0, len(batch.rows), FEW)[: 1 if len(batches) > 1 else 2]:
            part = _part(batch, start)
            if part is not None:
                found.append(part)
    return found or list(batches)


def _part(batch: Collated, start: int) -> Collated | None:
    arrays = batch.arrays
    if {len(v) for v in arrays.values() if getattr(v, "ndim", 0)} != {len(batch.rows)}:
        return batch if start == 0 else None
    rows = slice(start, start + FEW)
    cut = {name: v[rows] if getattr(v, "ndim", 0) else v for name, v in arrays.items()}
    return Collated(batch.rows[rows], cut)


def _many(batch: Collated, names: Sequence[str]) -> bool:
    """Whether a row has several labels, as for its tokens."""
    labels = [batch.arrays[name] for name in names if name in batch.arrays]
    return any(getattr(value, "ndim", 0) > 1 for value in labels)


@contextmanager
def _autocast(trainer: Any) -> Iterator[None]:
    """Compute in the precision that the trainer trains in: accelerate sees to that, else."""
    mixed = trainer.accelerator.mixed_precision in {"fp16", "bf16"}
    with trainer.accelerator.autocast() if mixed else nullcontext():
        yield


def _short(trainer: Any) -> dict[str, Any]:
    """Return the trainer's own arguments of generate, but for a short text."""
    arguments, config = trainer.args, trainer.model.generation_config
    words: dict[str, Any] = {"max_time": SECONDS}
    if trainer.model.config.is_encoder_decoder and config.max_new_tokens is None:
        # The first of these tokens is the one that the decoder starts from.
        stated = arguments.generation_max_length or NEW_TOKENS + 1
        words["max_length"] = min(stated, NEW_TOKENS + 1)
    else:
        words["max_new_tokens"] = min(config.max_new_tokens or NEW_TOKENS, NEW_TOKENS)
    if arguments.generation_num_beams is not None:
        words["num_beams"] = arguments.generation_num_beams
    return words


def _usual(trainer: Any, method: str) -> bool:
    """Whether a method is that of transformers, or a trainer has no such method."""
    return made_by(trainer, method) in {"transformers", None}


def users_own(trainer: Any) -> bool:
    """Whether the user wrote how the trainer evaluates, rather than a library."""
    for method in ("evaluate", "evaluation_loop"):
        code = getattr(getattr(type(trainer), method, None), "__code__", None)
        if code is not None and "site-packages" not in code.co_filename:
            return True
    return False


def unlike_trainer(trainer: Any) -> str:
    """Return why what the metrics function gets is not known; empty if it is as Trainer's."""
    for method in ("evaluate", "evaluation_loop"):
        if not _usual(trainer, method):
            return f"{type(trainer).__name__} has its own {method}()"
    return ""


def demand_plain_inputs(trainer: Any) -> None:
    """Raise `Unavailable` if the trainer makes its batches anew before each step."""
    if not _usual(trainer, "_prepare_inputs"):
        raise Unavailable(f"{type(trainer).__name__} makes its batches while it evaluates")
