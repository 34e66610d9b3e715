"""One backward pass: what each parameter gets, and what the loss hangs on."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from pipelines import pipeline
from torch.utils.checkpoint import CheckpointFunction, checkpoint

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Gradients, Optimizer
from pipedoctor.frameworks.capture.trainer import unpack
from pipedoctor.frameworks.training import memory
from pipedoctor.frameworks.training.checkpointing import watched
from pipedoctor.pipeline import ProbeFailed

ROWS = [{"input_ids": [2, 5 + n, 3, 7], "labels": n % 2} for n in range(16)]
TOKENS = [{"input_ids": [2, 5 + n, 3, 7], "labels": [2, 5 + n, 3, 7]} for n in range(16)]
REENTRANT = {
    "gradient_checkpointing": True,
    "gradient_checkpointing_kwargs": {"use_reentrant": True},
}


def gradients(model: Any, rows: Any = ROWS, **parts: Any) -> Gradients:
    return pipeline(model=model, train_data=rows, **parts).fact(Gradients)


def still(model: Any) -> Any:
    """The model without dropout."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    return model


def norms(model: Any, rows: Any) -> dict[str, float]:
    """What `loss.backward()` gives for the first eight rows."""
    batch = {name: torch.tensor([row[name] for row in rows[:8]]) for name in rows[0]}
    model.train()
    model(**batch).loss.backward()
    found = {n: float(p.grad.norm()) for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    return found


@pytest.mark.parametrize("stated", [{}, {"gradient_checkpointing": True}, REENTRANT])
def test_norms_are_those_of_a_backward_pass(
    tiny: Callable[..., Any], stated: dict[str, Any]
) -> None:
    model = still(tiny("LlamaForCausalLM", num_hidden_layers=2))
    expected = norms(model, TOKENS)
    fact = gradients(model, TOKENS, settings=stated)
    assert {n: g.norm for n, g in fact.of.items()} == pytest.approx(expected, rel=1e-4)
    assert fact.norm == pytest.approx(sum(v**2 for v in expected.values()) ** 0.5, rel=1e-4)
    assert fact.checkpointing is bool(stated)
    assert fact.connected
    assert fact.cut == ()
    assert list(fact.layers)[:3] == ["model.embed_tokens", "model.layers.0", "model.layers.1"]
    assert not any(getattr(m, "gradient_checkpointing", False) for m in model.modules())
    assert "apply" not in vars(CheckpointFunction)


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("BertForSequenceClassification", ROWS),
        ("BertForTokenClassification", [{**r, "labels": [0, 1, 0, -100]} for r in ROWS]),
        ("BertForMaskedLM", TOKENS),
        ("RobertaForSequenceClassification", ROWS),
        ("ElectraForSequenceClassification", ROWS),
        ("LlamaForCausalLM", TOKENS),
        ("MixtralForCausalLM", TOKENS),
        ("GPT2LMHeadModel", TOKENS),
        ("T5ForConditionalGeneration", TOKENS),
    ],
)
def test_in_healthy_models_every_parameter_gets_a_gradient(
    tiny: Callable[..., Any], kind: str, rows: Any
) -> None:
    more = {
        "T5ForConditionalGeneration": {
            "d_model": 16,
            "d_kv": 8,
            "d_ff": 16,
            "num_layers": 1,
            "num_heads": 2,
            "decoder_start_token_id": 0,
            "pad_token_id": 0,
        },
        "GPT2LMHeadModel": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 32},
        "MixtralForCausalLM": {"num_local_experts": 4, "num_key_value_heads": 1},
    }
    fact = gradients(tiny(kind, **more.get(kind, {})), rows)
    assert fact.of
    assert fact.without == ()
    assert fact.strangers == ()


def test_layers_that_are_left_out_at_random_are_reached_all_the_same() -> None:
    config = transformers.Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=6,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8, 8),
        conv_stride=(5, 2),
        conv_kernel=(10, 3),
        num_feat_extract_layers=2,
        layerdrop=0.7,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=8,
    )
    torch.manual_seed(0)
    rows = [{"input_values": torch.randn(2000).tolist(), "labels": n % 2} for n in range(8)]
    fact = gradients(transformers.Wav2Vec2ForSequenceClassification(config), rows)
    layers = [n for n, g in fact.of.items() if g.norm is None and ".layers." in n]
    assert layers
    assert fact.without == ()
    assert fact.passes == 2


class Net(torch.nn.Module):
    """A model to put faults into."""

    def __init__(self) -> None:
        super().__init__()
        self.body = torch.nn.Linear(4, 4)
        self.head = torch.nn.Linear(4, 2)

    def hidden(self, x: Any) -> Any:
        return torch.relu(self.body(x))

    def forward(self, x: Any, labels: Any = None) -> Any:
        return {"loss": torch.nn.functional.cross_entropy(self.head(self.hidden(x)), labels)}


NET_ROWS = [{"x": [0.1, 0.2, 0.3, 0.4 * n], "labels": n % 2} for n in range(8)]


def net(**methods: Any) -> Any:
    torch.manual_seed(0)
    return type("Net", (Net,), methods)()


def test_what_is_detached_gets_none() -> None:
    model = net(hidden=lambda self, x: self.body(x).detach())
    fact = gradients(model, NET_ROWS)
    assert fact.without == ("body.weight", "body.bias")
    assert fact.of["body.weight"].norm is None
    assert fact.of["head.weight"].norm


def test_a_gradient_that_is_zero_is_told_from_none() -> None:
    fact = gradients(net(hidden=lambda self, x: self.body(x) * 0.0), NET_ROWS)
    assert fact.of["body.weight"].norm == 0.0
    assert fact.without == ()


def test_a_gradient_that_is_not_finite() -> None:
    fact = gradients(net(hidden=lambda self, x: self.body(x) / 0.0), NET_ROWS)
    norm = fact.of["head.weight"].norm
    assert norm is not None
    assert math.isnan(norm)
    assert fact.summary()["norm"] == "nan"


def test_a_loss_without_a_graph() -> None:
    plain = net(forward=lambda self, x, labels=None: {"loss": torch.tensor(0.5)})
    fact = gradients(plain, NET_ROWS)
    assert not fact.connected
    assert fact.without == tuple(fact.of)
    leaf = net(
        forward=lambda self, x, labels=None: {"loss": torch.tensor(0.5, requires_grad=True)}
    )
    fact = gradients(leaf, NET_ROWS)
    assert fact.connected
    assert fact.without == tuple(fact.of)


def test_a_model_with_nothing_to_train() -> None:
    fact = gradients(net().requires_grad_(False), NET_ROWS)
    assert dict(fact.of) == {}
    assert not fact.connected


def test_a_sparse_gradient_has_its_norm() -> None:
    class Sparse(Net):
        def __init__(self) -> None:
            super().__init__()
            self.table = torch.nn.Embedding(10, 4, sparse=True)

        def hidden(self, x: Any) -> Any:
            return self.table(torch.tensor([1, 1, 2])).sum(0) + super().hidden(x)

    assert gradients(Sparse(), NET_ROWS).of["table.weight"].norm


def test_no_room_is_a_reason_and_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    left = iter([1_000_000, *[50] * 100])
    monkeypatch.setattr(memory, "available", lambda: next(left))
    with pytest.raises(Unavailable, match="no room for a backward pass"):
        gradients(net(), NET_ROWS)


def test_the_free_memory_is_known_on_linux() -> None:
    free = memory.available()
    assert free is None or 0 < free < 1 << 50


def test_weights_that_are_elsewhere() -> None:
    with torch.device("meta"):
        model = Net()
    with pytest.raises(Unavailable, match="meta device"):
        gradients(model, NET_ROWS)
    lazy = Net()
    lazy.body = torch.nn.LazyLinear(4)
    with pytest.raises(Unavailable, match="take their shape from the first batch"):
        gradients(lazy, NET_ROWS, settings={"remove_unused_columns": False})


# What the loss hangs on besides


def test_layers_in_plain_lists_and_dicts_are_named() -> None:
    class Lists(Net):
        def __init__(self) -> None:
            super().__init__()
            self.layers = [torch.nn.Linear(4, 4)]
            self.by_name = {"one": [torch.nn.Linear(4, 4, bias=False)]}
            self.scale = torch.ones(4, requires_grad=True)
            self.known = [self.body]
            self.unused = [torch.nn.Linear(4, 4)]
            self.__dict__["hidden_away"] = torch.nn.Linear(4, 4, bias=False)

        def hidden(self, x: Any) -> Any:
            x = self.by_name["one"][0](self.layers[0](self.hidden_away(x))) * self.scale
            return self.known[0](x)

    fact = gradients(Lists(), NET_ROWS)
    assert {s.name for s in fact.strangers} == {
        "layers[0].weight",
        "layers[0].bias",
        "by_name['one'][0].weight",
        "scale",
        "hidden_away.weight",
    }
    assert all(s.optimized is None for s in fact.strangers)


def test_a_teacher_under_no_grad_is_no_stranger() -> None:
    class Distilled(Net):
        def __init__(self) -> None:
            super().__init__()
            self.teacher = [torch.nn.Linear(4, 4)]

        def hidden(self, x: Any) -> Any:
            with torch.no_grad():
                target = self.teacher[0](x)
            return super().hidden(x) + target

    assert gradients(Distilled(), NET_ROWS).strangers == ()


def test_inputs_that_need_a_gradient_are_no_strangers() -> None:
    def hidden(self: Any, x: Any) -> Any:
        return torch.relu(self.body(x.detach().requires_grad_()))

    assert gradients(net(hidden=hidden), NET_ROWS).strangers == ()


# Trainers


def trainer(folder: Path, kind: Any = transformers.Trainer, **more: Any) -> Any:
    stated = transformers.TrainingArguments(
        output_dir=str(folder),
        report_to="none",
        use_cpu=True,
        max_steps=2,
        remove_unused_columns=False,
        **more.pop("stated", {}),
    )
    model = more.pop("model", None) or net()
    return kind(model=model, args=stated, train_dataset=NET_ROWS, **more)


class WithLoss(transformers.Trainer):
    """A trainer with a loss module of its own, that has a parameter."""

    held: list[Any]

    def compute_loss(self, model: Any, inputs: Any, **_: Any) -> Any:
        self.margin = getattr(self, "margin", None) or torch.nn.Linear(1, 1)
        return model(**inputs)["loss"] * self.margin(torch.ones(1)).squeeze()


def test_parameters_of_a_loss_are_strangers_that_the_optimizer_may_hold(tmp_path: Path) -> None:
    subject = trainer(tmp_path, WithLoss)
    subject.margin = torch.nn.Linear(1, 1)
    fact = pipeline(**unpack(subject)).fact(Gradients)
    assert [(s.name, s.optimized) for s in fact.strangers] == [("", False), ("", False)]
    assert fact.own_loss
    everything = [*subject.model.parameters(), *subject.margin.parameters()]
    subject.optimizer = torch.optim.SGD(everything, lr=0.1)
    fact = pipeline(**unpack(subject)).fact(Gradients)
    assert [s.optimized for s in fact.strangers] == [True, True]


def test_the_loss_is_that_of_the_trainer(tmp_path: Path) -> None:
    seen = []

    def loss(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        seen.append(num_items_in_batch)
        return outputs["loss"] * 0.0 + outputs["loss"].new_tensor(3.0) / num_items_in_batch

    def forward(self: Any, x: Any, labels: Any = None) -> Any:
        return {"loss": self.head(self.hidden(x)).sum()}

    subject = trainer(tmp_path, model=net(forward=forward), compute_loss_func=loss)
    fact = pipeline(**unpack(subject)).fact(Gradients)
    assert fact.loss == pytest.approx(3 / 8)
    assert [int(count) for count in seen] == [8]


def test_steps_that_are_more_than_a_loss_are_not_judged(tmp_path: Path) -> None:
    class Stepping(transformers.Trainer):
        def training_step(self, *words: Any, **keywords: Any) -> Any:
            return super().training_step(*words, **keywords)

    class Preparing(transformers.Trainer):
        def _prepare_inputs(self, inputs: Any) -> Any:
            return super()._prepare_inputs(inputs)

    for kind, reason in ((Stepping, "training_step"), (Preparing, "makes its batches")):
        with pytest.raises(Unavailable, match=reason):
            pipeline(**unpack(trainer(tmp_path, kind))).fact(Gradients)


def test_what_the_backward_pass_raises_is_the_users(tmp_path: Path) -> None:
    def forward(self: Any, x: Any, labels: Any = None) -> Any:
        logits = self.head(self.hidden(x))
        return {"loss": torch.nn.functional.cross_entropy(logits, labels, reduction="none")}

    with pytest.raises(ProbeFailed, match="only for scalar outputs"):
        pipeline(**unpack(trainer(tmp_path, model=net(forward=forward)))).fact(Gradients)


# Reentrant checkpointing


def test_segments_that_are_cut_off_are_seen_with_their_module() -> None:
    layer = torch.nn.Linear(4, 4)
    plain, needing = torch.ones(2, 4), torch.ones(2, 4, requires_grad=True)
    with watched() as seen:
        checkpoint(functools.partial(Net.hidden, net()), plain, use_reentrant=True)
        checkpoint(layer, plain, use_reentrant=True)
        checkpoint(layer.__call__, plain, use_reentrant=True)
        checkpoint(torch.relu, plain, use_reentrant=True)
        checkpoint(layer, needing, use_reentrant=True)
        checkpoint(layer, plain, use_reentrant=False)
    assert seen.ran == 5
    assert [type(m).__name__ for m in seen.cut] == ["Net", "Linear", "Linear", "NoneType"]
    assert seen.cut[1] is seen.cut[2] is layer


def test_a_segment_cut_off_keeps_its_parameters_from_learning() -> None:
    def hidden(self: Any, x: Any) -> Any:
        return torch.relu(checkpoint(self.body, x, use_reentrant=True))

    fact = gradients(net(hidden=hidden), NET_ROWS)
    assert fact.cut == ("body.weight", "body.bias")
    assert fact.without == fact.cut


def test_hooks_on_accumulated_gradients_rest_with_reentrant_checkpointing_too() -> None:
    def hidden(self: Any, x: Any) -> Any:
        return checkpoint(self.body, x + self.head.bias.sum() * 0, use_reentrant=True)

    model, called = net(hidden=hidden), []
    model.body.weight.register_post_accumulate_grad_hook(called.append)
    own = torch.ones(4)
    model.body.bias.grad = own
    fact = gradients(model, NET_ROWS)
    assert fact.of["body.weight"].norm
    assert called == []
    assert model.body.bias.grad is own
    assert model.body.weight.grad is None
    model(torch.ones(1, 4), torch.tensor([1]))["loss"].backward()
    assert len(called) == 1


def test_the_optimizer_of_a_trainer_that_gets_none_is_built_once(tmp_path: Path) -> None:
    made = []

    class Making(transformers.Trainer):
        def create_optimizer(self, model: Any = None) -> Any:
            made.append(model)
            return super().create_optimizer()

    subject = pipeline(**unpack(trainer(tmp_path, Making)))
    subject.fact(Gradients)
    subject.fact(Optimizer)
    assert len(made) == 1
