"""Pipelines that learn, and the faults that keep them from it, for the verdict on one batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import Overfit
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, LEARNS, SLOWLY
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip

ROWS = 64
CLASSES = 4


class Network(nn.Module):
    """Two hidden layers and a head; `task` says what its loss is."""

    def __init__(self, task: str = "classes", width: int = 64) -> None:
        super().__init__()
        self.task = task
        self.one = nn.Linear(16, width)
        self.two = nn.Linear(width, width)
        self.head = nn.Linear(width, {"classes": CLASSES, "number": 1, "several": 5}[task])
        self.act: Callable[[Any], Any] = torch.relu

    def body(self, x: Any) -> Any:
        return self.act(self.two(self.act(self.one(x))))

    def logits(self, x: Any) -> Any:
        return self.head(self.body(x))

    def loss(self, logits: Any, labels: Any) -> Any:
        if self.task == "classes":
            return functional.cross_entropy(logits, labels)
        if self.task == "number":
            return functional.mse_loss(logits.squeeze(-1), labels)
        return functional.binary_cross_entropy_with_logits(logits, labels)

    def forward(self, x: Any, labels: Any = None) -> Any:
        logits = self.logits(x)
        return {"loss": self.loss(logits, labels), "logits": logits}


class Pictures(Network):
    """A small network of convolutions, with batch normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(1, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.two = nn.Linear(8 * 16, 64)

    def body(self, x: Any) -> Any:
        pooled = functional.max_pool2d(self.act(self.norm(self.one(x))), 2)
        return self.act(self.two(pooled.flatten(1)))


def numbers(task: str, seed: int) -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, 16, generator=g)
    labels: Any
    if task == "classes":
        labels = torch.arange(ROWS) % CLASSES
        x += functional.one_hot(labels, 16) * 2.0
    elif task == "number":
        labels = x[:, :3].sum(1) + 3.0
    else:
        labels = (x[:, :5] > 0).float()
    return [{"x": x[n].tolist(), "labels": labels[n].tolist()} for n in range(ROWS)]


def pictures(seed: int) -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(ROWS, 1, 8, 8, generator=g) * 0.3
    for n in range(ROWS):
        x[n, 0, (n % CLASSES) * 2 : (n % CLASSES) * 2 + 2] += 1.0
    return [{"x": x[n].tolist(), "labels": n % CLASSES} for n in range(ROWS)]


def tokens(kind: str, seed: int, vocabulary: int = 200) -> list[dict[str, Any]]:
    g = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, vocabulary, (ROWS, 12), generator=g)
    rows = []
    for n in range(ROWS):
        words = ids[n].tolist()
        if kind == "language":
            rows.append({"input_ids": words, "labels": words})
        else:
            rows.append({"input_ids": words, "labels": n % CLASSES})
    return rows


def bert(**stated: Any) -> Any:
    small = {
        "vocab_size": 200, "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
        "intermediate_size": 128, "max_position_embeddings": 32, "num_labels": CLASSES,
    }  # fmt: skip
    return transformers.BertForSequenceClassification(
        transformers.BertConfig(**{**small, **stated})
    )


def gpt2() -> Any:
    return transformers.GPT2LMHeadModel(
        transformers.GPT2Config(vocab_size=200, n_positions=32, n_embd=64, n_layer=2, n_head=4)
    )


@dataclass
class Case:
    """The parts of a pipeline, still to be put together; a fault changes them."""

    model: Any
    rows: list[dict[str, Any]]
    rate: float = 1e-3
    settings: dict[str, Any] | None = None
    optimizer: Callable[[Any, float], Any] | None = None

    def parts(self) -> dict[str, Any]:
        make = self.optimizer or (
            lambda model, rate: torch.optim.AdamW(
                [p for p in model.parameters() if p.requires_grad], lr=rate
            )
        )
        settings = {"max_steps": 2000, "per_device_train_batch_size": 8, **(self.settings or {})}
        settings.setdefault("remove_unused_columns", False)
        return {
            "model": self.model,
            "train_data": self.rows,
            "optimizer": make(self.model, self.rate),
            "settings": {"learning_rate": self.rate, **settings},
        }


HEALTHY: Mapping[str, Callable[[int], Case]] = {
    "network": lambda seed: Case(Network(), numbers("classes", seed)),
    "regression": lambda seed: Case(Network("number"), numbers("number", seed)),
    "several": lambda seed: Case(Network("several"), numbers("several", seed)),
    "pictures": lambda seed: Case(Pictures(), pictures(seed)),
    "bert": lambda seed: Case(bert(), tokens("classes", seed), 5e-4),
    "gpt2": lambda seed: Case(gpt2(), tokens("language", seed), 1e-3),
}
LARGE: Mapping[str, tuple[str, Callable[[int], Case]]] = {
    "bert-small": (
        "bert",
        lambda seed: Case(
            bert(
                vocab_size=30522,
                hidden_size=512,
                num_hidden_layers=4,
                num_attention_heads=8,
                intermediate_size=2048,
                max_position_embeddings=512,
            ),
            tokens("classes", seed, 30522),
            1e-4,
        ),
    ),
}
"""Models of a real size, each with the small one whose faults it can have."""
SIMPLE = ("network", "regression", "several", "pictures")
TEXT = ("bert", "gpt2")


def case(model: str, seed: int) -> Case:
    torch.manual_seed(seed)
    return (LARGE[model][1] if model in LARGE else HEALTHY[model])(seed)


def body_of(model: Any) -> Any:
    """The module whose answers the head gets."""
    return model.bert if hasattr(model, "bert") else getattr(model, "transformer", None)


# Faults ----------------------------------------------------------------------------------------


def frozen(one: Case) -> None:
    for parameter in one.model.parameters():
        parameter.requires_grad_(False)
    spare = nn.Parameter(torch.zeros(1))
    one.optimizer = lambda _model, rate: torch.optim.AdamW([spare], lr=rate)


def rate_zero(one: Case) -> None:
    one.rate = 0.0


def rate_low(one: Case) -> None:
    one.rate = 1e-9


def rate_high(one: Case) -> None:
    one.rate = 30.0


def plain_sgd_high(one: Case) -> None:
    one.rate = 1e4
    one.settings = {"max_grad_norm": 0.0}
    one.optimizer = lambda model, rate: torch.optim.SGD(model.parameters(), lr=rate)


def other_model_in_the_optimizer(one: Case) -> None:
    import copy

    held = copy.deepcopy(one.model)
    one.optimizer = lambda _model, rate: torch.optim.AdamW(held.parameters(), lr=rate)


def warm_up_for_ever(one: Case) -> None:
    one.settings = {"max_steps": 100, "warmup_steps": 1_000_000}


def decay_wins(one: Case) -> None:
    one.optimizer = lambda model, rate: torch.optim.AdamW(
        model.parameters(), lr=rate, weight_decay=0.5 / rate
    )


def rounded_away(one: Case) -> None:
    for module in one.model.modules():
        for parameter in module.parameters(recurse=False):
            with torch.no_grad():
                parameter.copy_(1.0 + parameter.sign() * 0.5)
    one.model.to(torch.bfloat16)
    one.rate = 1e-6
    for row in one.rows:
        if "x" in row:
            row["x"] = torch.tensor(row["x"], dtype=torch.bfloat16)


def detached_loss(one: Case) -> None:
    forward = one.model.forward

    def detached(*words: Any, **keywords: Any) -> Any:
        answer = forward(*words, **keywords)
        answer["loss"] = torch.tensor(answer["loss"].item(), requires_grad=True)
        return answer

    one.model.forward = detached


def no_grad(one: Case) -> None:
    one.model.forward = torch.no_grad()(one.model.forward)


def inputs_lost(one: Case) -> None:
    if body_of(one.model) is not None:
        words = one.model.get_input_embeddings()
        words.register_forward_hook(lambda _m, _i, out: out * 0)
        if hasattr(one.model, "transformer"):  # what stands where is told by positions alone
            one.model.transformer.wpe.register_forward_hook(lambda _m, _i, out: out * 0)
    else:
        one.model.one.register_forward_hook(lambda _m, _i, out: out * 0)


def inputs_dropped(one: Case) -> None:
    for row in one.rows:
        for name, value in row.items():
            if name == "x":
                row[name] = torch.zeros_like(torch.tensor(value)).tolist()
            elif name == "input_ids":
                row[name] = [7] * len(value)
    if hasattr(one.model, "transformer"):
        g = torch.Generator().manual_seed(0)
        for row in one.rows:
            row["labels"] = torch.randint(5, 200, (12,), generator=g).tolist()


def labels_ignored(one: Case) -> None:
    forward = one.model.forward

    def ignoring(*words: Any, **keywords: Any) -> Any:
        answer = forward(*words, **keywords)
        answer["loss"] = answer["logits"].float().square().mean()
        return answer

    one.model.forward = ignoring


def labels_masked(one: Case) -> None:
    for row in one.rows:
        row["labels"] = [-100] * 12 if isinstance(row["labels"], list) else -100


def loss_broadcasts(one: Case) -> None:
    one.model.loss = lambda logits, labels: ((logits - labels) ** 2).mean()


def mse_broadcasts(one: Case) -> None:
    one.model.loss = functional.mse_loss


def units_dead(one: Case) -> None:
    with torch.no_grad():
        one.model.two.bias.fill_(-1e3)


def weights_zero(one: Case) -> None:
    for parameter in one.model.parameters():
        with torch.no_grad():
            parameter.zero_()


def vanishing(one: Case) -> None:
    layers: list[Any] = []
    del one.model.two
    for _ in range(12):
        layers += [nn.Linear(64, 64), nn.Sigmoid()]
    one.model.tail = nn.Sequential(*layers)
    one.model.body = lambda x: one.model.tail(torch.sigmoid(one.model.one(x)))


def averaged_over_rows(one: Case) -> None:
    head = one.model.head if hasattr(one.model, "head") else one.model.classifier
    head.register_forward_hook(lambda _m, _i, out: out.mean(0, keepdim=True).expand_as(out))


def one_label(one: Case) -> None:
    first = one.rows[0]["labels"]
    for row in one.rows:
        row["labels"] = first


def negated(one: Case) -> None:
    forward = one.model.forward

    def minus(*words: Any, **keywords: Any) -> Any:
        answer = forward(*words, **keywords)
        answer["loss"] = -answer["loss"]
        return answer

    one.model.forward = minus


def noise(one: Case) -> None:
    head = one.model.head if hasattr(one.model, "head") else one.model.classifier
    head.register_forward_hook(lambda _m, _i, out: out + torch.randn_like(out) * 50)


@dataclass(frozen=True)
class Fault:
    """A fault, the models it can be planted in, the verdicts that are right, the reasons to name."""

    plant: Callable[[Case], None]
    models: tuple[str, ...]
    verdicts: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.plant.__name__


ALL = (*SIMPLE, *TEXT)
FAULTS = (
    Fault(frozen, ALL, (CANNOT,), ("nothing-trainable",)),
    Fault(rate_zero, ALL, (CANNOT,), ("rate-zero",)),
    Fault(rate_low, ALL, (SLOWLY,), ("rate-too-low",)),
    Fault(rate_high, ALL, (CANNOT,), ("rate-too-high",)),
    Fault(other_model_in_the_optimizer, ALL, (CANNOT,), ("not-in-the-optimizer",)),
    Fault(warm_up_for_ever, ALL, (SLOWLY,), ("warm-up-never-ends",)),
    Fault(decay_wins, ("network", "bert"), (CANNOT,), ("weight-decay-wins",)),
    Fault(detached_loss, ALL, (CANNOT,), ("loss-detached",)),
    Fault(no_grad, ALL, (CANNOT,), ("loss-detached",)),
    Fault(inputs_lost, ALL, (CANNOT,), ("answers-ignore-inputs",)),
    Fault(inputs_dropped, (*SIMPLE, "bert"), (CANNOT,), ("labels-contradict-inputs",)),
    Fault(labels_ignored, ALL, (CANNOT,), ("loss-ignores-labels",)),
    Fault(labels_masked, ("network", "pictures", "bert", "gpt2"), (CANNOT,), ("labels-masked",)),
    Fault(loss_broadcasts, ("regression",), (CANNOT,), ("loss-broadcasts",)),
    Fault(mse_broadcasts, ("regression",), (CANNOT,), ("loss-broadcasts",)),
    Fault(units_dead, SIMPLE, (CANNOT,), ("units-dead",)),
    Fault(
        weights_zero,
        ("network", "several"),
        (CANNOT,),
        ("zero-gradients", "answers-ignore-inputs"),
    ),
    Fault(vanishing, ("network", "several", "regression"), (CANNOT,), ("vanishing-gradients",)),
    Fault(
        averaged_over_rows,
        ("network", "several", "pictures", "bert"),
        (CANNOT,),
        ("answers-ignore-inputs",),
    ),
    Fault(negated, ALL, (CANNOT,), ("loss-negated",)),
    Fault(noise, ("network", "bert", "pictures"), (CANNOT, INCONCLUSIVE), ("loss-is-noise",)),
    Fault(one_label, ("network", "pictures", "bert"), (CANNOT,), ("one-label",)),
)


def overfit(one: Case | dict[str, Any], **more: Any) -> Overfit:
    """What is found out about a pipeline."""
    parts = one if isinstance(one, dict) else one.parts()
    given = Parts({"overfit": {"steps": 50}, **parts, **more})
    return Pipeline(given, frameworks.probes(given)).fact(Overfit)


def combinations(seeds: Sequence[int]) -> list[tuple[str, Fault | None, int]]:
    """Every model healthy and with every fault that it can have, with some seeds each."""
    sick = [(model, fault, seed) for fault in FAULTS for model in fault.models for seed in seeds]
    return [(model, None, seed) for model in HEALTHY for seed in seeds] + sick


def large(model: str, seeds: Sequence[int]) -> list[tuple[str, Fault | None, int]]:
    """A model of a real size, healthy and with every fault that it can have."""
    faults = [None, *(fault for fault in FAULTS if LARGE[model][0] in fault.models)]
    return [(model, fault, seed) for fault in faults for seed in seeds]


def right(fact: Overfit, fault: Fault | None) -> bool:
    """Whether the verdict is the right one, and its first reason too."""
    if fault is None:
        return fact.verdict == LEARNS and not fact.reasons
    return (
        fact.verdict in fault.verdicts
        and fact.reasons[:1] != ()
        and (fact.reasons[0].kind in fault.kinds)
    )


__all__ = [
    "CLASSES",
    "FAULTS",
    "HEALTHY",
    "LEARNS",
    "Case",
    "Fault",
    "case",
    "combinations",
    "large",
    "overfit",
    "right",
]
