"""Real pipelines by Trainer, each with faults that a run would not tell of, and the reason to name."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import language_pipelines as language
import pytest
from overfit_pipelines import overfit
from resources import minilm, reuters

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

from pipedoctor.facts import Overfit  # noqa: E402 - likewise
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, SLOWLY  # noqa: E402 - likewise
from pipedoctor.frameworks.capture.trainer import unpack  # noqa: E402 - likewise
from pipedoctor.frameworks.restoring.digests import digest  # noqa: E402 - likewise

ROOT = Path(__file__).parent.parent


def _classifier(folder: Path, texts: list[Any], labels: list[int], epochs: int) -> Any:
    torch.manual_seed(0)
    tokenizer = transformers.AutoTokenizer.from_pretrained(minilm())
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        minilm(), num_labels=len(set(labels))
    )
    held = [text if isinstance(text, tuple) else (text,) for text in texts]
    rows = [
        {**tokenizer(*text, truncation=True, max_length=32), "labels": label}
        for text, label in zip(held, labels, strict=True)
    ]
    arguments = transformers.TrainingArguments(
        output_dir=str(folder), report_to="none", use_cpu=True, num_train_epochs=epochs,
        per_device_train_batch_size=8, learning_rate=5e-5, warmup_steps=10, seed=42,
    )  # fmt: skip
    return transformers.Trainer(
        model=model, args=arguments, train_dataset=rows, processing_class=tokenizer
    )


def qnli(folder: Path) -> Any:
    """The example of this project: does a sentence answer a question."""
    with (ROOT / "examples" / "qnli" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = [(row["question"], row["sentence"]) for row in rows]
    return _classifier(folder, pairs, [int(row["label"]) for row in rows], 3)


def news(folder: Path) -> Any:
    """Reuters R8 with pretrained weights: eight topics."""
    names = sorted({label for label, _ in reuters()})
    held = reuters()[:800]
    return _classifier(folder, [t for _, t in held], [names.index(name) for name, _ in held], 5)


def chat(folder: Path) -> Any:
    """A small causal language model by TRL's SFTTrainer."""
    torch.manual_seed(0)
    tokenizer = language.tokenizer()
    return language.sft(
        folder, language.plain(), tokenizer, language.llama(len(tokenizer)),
        max_steps=400, learning_rate=1e-3,
    )  # fmt: skip


PIPELINES: Mapping[str, Callable[[Path], Any]] = {"qnli": qnli, "news": news, "chat": chat}
TEXTS = ("qnli", "news")


def _last(trainer: Any) -> Any:
    """The layer whose answers the loss is made of; TRL multiplies by the last one itself."""
    return getattr(trainer.model, "classifier", None) or trainer.model.model.norm


def _collated(trainer: Any, change: Callable[[Any], None]) -> None:
    collate = trainer.data_collator

    def changing(rows: Any) -> Any:
        batch = collate(rows)
        change(batch)
        return batch

    trainer.data_collator = changing


def _before_head(trainer: Any, *layers: Any) -> None:
    if hasattr(trainer.model, "classifier"):
        trainer.model.classifier = nn.Sequential(*layers, trainer.model.classifier)
    else:
        trainer.model.model.norm = nn.Sequential(trainer.model.model.norm, *layers)


def _width(trainer: Any) -> int:
    return int(trainer.model.config.hidden_size)


# Faults ----------------------------------------------------------------------------------------


def frozen(trainer: Any) -> None:
    trainer.model.requires_grad_(False)


def head_in_a_list(trainer: Any) -> None:
    """Only the head is to be trained, and nobody has registered it."""
    trainer.model.requires_grad_(False)
    head = trainer.model.classifier
    head.requires_grad_(True)
    trainer.model.heads = [head]
    trainer.model.classifier = _First(trainer.model)


class _First(nn.Module):
    """Calls the first of a list of heads, as forward() of a user's model would."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.__dict__["model"] = model

    def forward(self, x: Any) -> Any:
        return self.__dict__["model"].heads[0](x)


def optimizer_of_another_model(trainer: Any) -> None:
    trainer.optimizer = torch.optim.AdamW(copy.deepcopy(trainer.model).parameters(), lr=5e-5)


def logits_detached(trainer: Any) -> None:
    _last(trainer).register_forward_hook(lambda _m, _i, out: out.detach())
    for parameter in (
        trainer.model.lm_head if hasattr(trainer.model, "lm_head") else _last(trainer)
    ).parameters():
        parameter.requires_grad_(False)


def loss_as_a_number(trainer: Any) -> None:
    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return torch.tensor(_entropy(outputs, labels).item(), requires_grad=True).clone()

    trainer.compute_loss_func = loss


def _entropy(outputs: Any, labels: Any) -> Any:
    logits = outputs.logits
    if logits.ndim == 3:
        logits, labels = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    return functional.cross_entropy(logits, labels)


def vanishing(trainer: Any) -> None:
    width, layers = _width(trainer), []
    for _ in range(12):
        layers += [nn.Linear(width, width), nn.Sigmoid()]
    _before_head(trainer, *layers)


def units_dead(trainer: Any) -> None:
    layer = nn.Linear(_width(trainer), _width(trainer))
    nn.init.constant_(layer.bias, -1e3)
    _before_head(trainer, layer, nn.ReLU())


def rate_zero(trainer: Any) -> None:
    trainer.args.learning_rate = 0.0


def rate_low(trainer: Any) -> None:
    trainer.args.learning_rate = 1e-9


def rate_high(trainer: Any) -> None:
    trainer.args.learning_rate = 10.0


def warm_up_for_ever(trainer: Any) -> None:
    trainer.args.warmup_steps = 1_000_000


def schedule_by_batch(trainer: Any) -> None:
    """A schedule that is meant for epochs, which Trainer steps after each batch."""
    trainer.optimizer = torch.optim.AdamW(trainer.model.parameters(), lr=5e-5)
    trainer.lr_scheduler = torch.optim.lr_scheduler.StepLR(trainer.optimizer, 1, 0.1)


def decay_wins(trainer: Any) -> None:
    trainer.args.weight_decay = 0.5 / trainer.args.learning_rate


def inputs_lost(trainer: Any) -> None:
    body = getattr(trainer.model, "bert", None) or trainer.model.model
    layer = body.embeddings if hasattr(body, "embeddings") else body.embed_tokens
    layer.register_forward_hook(lambda _m, _i, out: out * 0)


def inputs_alike(trainer: Any) -> None:
    def change(batch: Any) -> None:
        for name in ("input_ids", "attention_mask", "token_type_ids"):
            batch[name] = batch[name][:1].expand_as(batch[name]).clone()

    _collated(trainer, change)


def labels_ignored(trainer: Any) -> None:
    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return outputs.logits.float().square().mean()

    trainer.compute_loss_func = loss


def labels_masked(trainer: Any) -> None:
    _collated(trainer, lambda batch: batch["labels"].fill_(-100))


def one_label(trainer: Any) -> None:
    _collated(trainer, lambda batch: batch["labels"].fill_(1))


def negated(trainer: Any) -> None:
    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return -_entropy(outputs, labels)

    trainer.compute_loss_func = loss


def averaged_over_rows(trainer: Any) -> None:
    def averaged(_module: Any, _inputs: Any, out: Any) -> Any:
        return out.mean(0, keepdim=True).expand_as(out)

    _last(trainer).register_forward_hook(averaged)


def loss_broadcasts(trainer: Any) -> None:
    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        return ((outputs.logits[:, :1] - labels) ** 2).mean()

    trainer.compute_loss_func = loss


def noise(trainer: Any) -> None:
    _last(trainer).register_forward_hook(lambda _m, _i, out: out + torch.randn_like(out) * 500)


@dataclass(frozen=True)
class Fault:
    """A fault, the pipelines that it is planted in, the verdicts that are right, and the reasons."""

    plant: Callable[[Any], None]
    kinds: tuple[str, ...]
    verdicts: tuple[str, ...] = (CANNOT,)
    pipelines: tuple[str, ...] = tuple(PIPELINES)

    @property
    def name(self) -> str:
        return self.plant.__name__


FAULTS = (
    Fault(frozen, ("nothing-trainable",)),
    Fault(head_in_a_list, ("parameters-unregistered",), (CANNOT,), TEXTS),
    Fault(optimizer_of_another_model, ("not-in-the-optimizer",)),
    Fault(logits_detached, ("loss-detached",)),
    Fault(loss_as_a_number, ("loss-detached",)),
    Fault(vanishing, ("vanishing-gradients",)),
    Fault(units_dead, ("units-dead",)),
    Fault(rate_zero, ("rate-zero",)),
    Fault(rate_low, ("rate-too-low",), (SLOWLY,)),
    Fault(rate_high, ("rate-too-high",)),
    Fault(warm_up_for_ever, ("warm-up-never-ends",), (SLOWLY,)),
    Fault(schedule_by_batch, ("schedule-spent",), (SLOWLY,)),
    Fault(decay_wins, ("weight-decay-wins",)),
    Fault(inputs_lost, ("answers-ignore-inputs",)),
    Fault(inputs_alike, ("labels-contradict-inputs",), (CANNOT,), TEXTS),
    Fault(labels_ignored, ("loss-ignores-labels",)),
    Fault(labels_masked, ("labels-masked",)),
    Fault(one_label, ("one-label",), (CANNOT,), TEXTS),
    Fault(negated, ("loss-negated",)),
    Fault(averaged_over_rows, ("answers-ignore-inputs",)),
    Fault(loss_broadcasts, ("loss-broadcasts",), (CANNOT,), TEXTS),
    Fault(noise, ("loss-is-noise",), (CANNOT, INCONCLUSIVE)),
)


def combinations() -> list[tuple[str, Fault | None]]:
    """Each pipeline healthy, and with every fault that it can have."""
    sick = [(name, fault) for name in PIPELINES for fault in FAULTS if name in fault.pipelines]
    return [(name, None) for name in PIPELINES] + sick


def examined(name: str, fault: Fault | None, folder: Path) -> tuple[Overfit, bool]:
    """Return what `overfit` says, and whether the trainer's model is as it was."""
    trainer = PIPELINES[name](folder)
    if fault is not None:
        fault.plant(trainer)
    held = [trainer.optimizer] if trainer.optimizer is not None else []
    before = digest(trainer.model, *held)
    fact = overfit({"trainer": trainer, **unpack(trainer)})
    return fact, digest(trainer.model, *held) == before


def right(fact: Overfit, fault: Fault | None) -> bool:
    """Whether the verdict is the right one, and its first reason too."""
    if fault is None:
        return fact.verdict == LEARNS and not fact.reasons
    first = fact.reasons[0].kind if fact.reasons else ""
    return fact.verdict in fault.verdicts and first in fault.kinds
