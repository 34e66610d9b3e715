"""After an examination, a Trainer and all that it holds are bit for bit what they were."""

from __future__ import annotations

import copy
import functools
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from datasets import Dataset

import pipedoctor
from pipedoctor.finding import Severity
from pipedoctor.report import Report


def bits(value: Any) -> Any:
    """What a value consists of, such that equal means equal bit for bit."""
    if isinstance(value, torch.Tensor):
        raw = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return str(value.dtype), tuple(value.shape), raw.numpy().tobytes()
    if isinstance(value, dict):
        return {key: bits(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(held) for held in value]
    if isinstance(value, transformers.PreTrainedConfig):
        return value.to_dict()
    return value if isinstance(value, (str, int, float, bool, type(None))) else id(value)


def random_bits() -> list[Any]:
    legacy = np.random.get_state()  # noqa: NPY002 - the state that users' code draws from
    name, keys, *rest = legacy
    return [random.getstate(), name, keys.tolist(), *rest, torch.get_rng_state().tolist()]


def picture(trainer: Any) -> dict[str, Any]:
    """All that an examination could change, by what it is."""
    model = trainer.model
    return {
        "weights": {n: bits(p) for n, p in model.named_parameters(remove_duplicate=False)},
        "tensors": {n: id(p) for n, p in model.named_parameters(remove_duplicate=False)},
        "places": {n: p.data_ptr() for n, p in model.named_parameters()},
        "trained": {n: p.requires_grad for n, p in model.named_parameters()},
        "gradients": {n: bits(p.grad) for n, p in model.named_parameters()},
        "gradient objects": {n: p.grad for n, p in model.named_parameters()},
        "buffers": {n: (id(b), bits(b)) for n, b in model.named_buffers()},
        "modules": {n: _attributes(m) for n, m in model.named_modules()},
        "config": bits(model.config) if hasattr(model, "config") else None,
        "trainer": {name: _held(value) for name, value in vars(trainer).items()},
        "arguments": trainer.args.to_dict(),
        "state": _held(vars(trainer.state)),
        "control": _held(vars(trainer.control)),
        "callbacks": list(map(id, trainer.callback_handler.callbacks)),
        "optimizer": bits(trainer.optimizer.state_dict()) if trainer.optimizer else None,
        "random": random_bits(),
        "default dtype": torch.get_default_dtype(),
        "threads": torch.get_num_threads(),
        "environment": dict(os.environ),
    }


def _attributes(module: Any) -> dict[str, Any]:
    """The attributes of a module; hooks, modes and whatever forward put there are among them."""
    return {name: _held(value) for name, value in vars(module).items()}


def _held(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _held(held) for key, held in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_held(held) for held in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else id(value)


def differences(before: Any, after: Any, path: str = "") -> Iterator[str]:
    """The places where two pictures differ, so that a failure names them."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {**before, **after}:
            yield from differences(before.get(key), after.get(key), f"{path}/{key}")
    elif type(before) is not type(after):
        yield path
    elif isinstance(before, torch.Tensor):
        if before is not after:
            yield path
    elif before != after:
        yield path


def examined(
    trainer: Any, facts: tuple[str, ...] = ("Forward", "Gradients", "Optimizer")
) -> Report:
    """Examine a trainer, and see to it that the deep probes really ran and changed nothing."""
    before = picture(trainer)
    report = pipedoctor.examine(trainer)
    after = picture(trainer)
    assert list(differences(before, after)) == []
    assert {str(fact["fact"]) for fact in report.facts} >= set(facts)
    return report


def arguments(folder: Path, **stated: Any) -> Any:
    base = {
        "output_dir": str(folder / "out"),
        "report_to": "none",
        "use_cpu": True,
        "disable_tqdm": True,
        "logging_steps": 1,
        "max_steps": 3,
        "per_device_train_batch_size": 4,
        "save_strategy": "no",
        "learning_rate": 1e-3,
    }
    return transformers.TrainingArguments(**{**base, **stated})


@pytest.fixture
def minilm_trainer(
    model_folder: str, texts: list[tuple[str, int]], tmp_path: Path
) -> Callable[..., Any]:
    """Two layers of MiniLM, with dropout, and real texts."""

    def build(**stated: Any) -> Any:
        torch.manual_seed(0)
        tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
        model = transformers.AutoModelForSequenceClassification.from_pretrained(
            model_folder, num_labels=8, num_hidden_layers=2
        )
        data = Dataset.from_dict(
            {
                **tokenizer([t for t, _ in texts[:40]], truncation=True, max_length=24),
                "label": [label - 4 for _, label in texts[:40]],
            }
        )
        return transformers.Trainer(
            model=model,
            args=arguments(tmp_path, **stated),
            train_dataset=data,
            processing_class=tokenizer,
        )

    return build


def seed() -> None:
    random.seed(5)
    np.random.seed(6)  # noqa: NPY002 - the state that users' code draws from
    torch.manual_seed(7)


def losses(trainer: Any) -> list[dict[str, float]]:
    seed()
    trainer.train()
    names = ("loss", "grad_norm", "learning_rate")
    history = trainer.state.log_history
    return [{n: row[n] for n in names} for row in history if "loss" in row]


@pytest.mark.parametrize(
    "stated",
    [
        {},
        {"gradient_checkpointing": True},
        {"label_smoothing_factor": 0.1, "bf16": True},
        {"optim": "adafactor", "gradient_accumulation_steps": 2},
    ],
    ids=["plain", "checkpointing", "smoothing in bfloat16", "adafactor"],
)
def test_minilm_is_left_and_trains_to_the_very_same_losses(
    minilm_trainer: Callable[..., Any], stated: dict[str, Any], tmp_path: Path
) -> None:
    untouched, subject = minilm_trainer(**stated), minilm_trainer(**stated)
    assert subject.model.config.hidden_dropout_prob > 0
    seed()
    report = examined(subject)
    told = [entry for entry in report.entries if entry.severity > Severity.NOTE]
    assert told == []  # BERT's loss, accumulated, is worth a note
    assert list((tmp_path / "out").iterdir()) == []  # Trainer itself makes the folder
    plain, after = losses(untouched), losses(subject)
    assert len(plain) == 3
    assert len({row["loss"] for row in plain}) == 3
    assert after == plain
    one, other = untouched.model.state_dict(), subject.model.state_dict()
    assert bits(dict(one)) == bits(dict(other))


def test_the_order_of_the_data_is_the_same_after_an_examination(
    minilm_trainer: Callable[..., Any],
) -> None:
    orders = []
    for examine_it in (False, True):
        trainer = minilm_trainer()
        if examine_it:
            pipedoctor.examine(trainer)
        torch.manual_seed(3)
        orders.append([batch["input_ids"].tolist() for batch in trainer.get_train_dataloader()])
    assert orders[0] == orders[1]
    assert len(orders[0]) == 10


class Restless(torch.nn.Module):
    """A model that changes whatever a forward pass can change, with modes that are mixed."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(50, 6, max_norm=0.5)
        self.norm = torch.nn.BatchNorm1d(6)
        self.frozen_norm = torch.nn.BatchNorm1d(6)
        self.drop = torch.nn.Dropout(0.5)
        self.head = torch.nn.Linear(6, 2)
        self.calls, self.seen = 0, {"shapes": []}
        self.register_buffer("steps", torch.zeros((), dtype=torch.long), persistent=False)
        self.register_buffer("cache", torch.full((2,), torch.nan), persistent=False)

    def forward(self, input_ids: Any, labels: Any = None) -> Any:
        self.calls += 1
        self.last = input_ids
        self.seen["last"] = input_ids
        self.steps += 1
        self.cache = torch.ones(5)
        random.random(), np.random.rand(), torch.rand(2)  # noqa: NPY002 - moves all three
        hidden = self.drop(self.frozen_norm(self.norm(self.embedding(input_ids).mean(1))))
        logits = self.head(hidden)
        return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}


def restless(folder: Path, kind: Any = transformers.Trainer, **more: Any) -> Any:
    torch.manual_seed(0)
    model = Restless()
    model.frozen_norm.eval()
    model.frozen_norm.weight.requires_grad_(False)
    rows = [{"input_ids": [n, n + 1, n + 2], "labels": n % 2} for n in range(16)]
    stated = arguments(folder, remove_unused_columns=False)
    return kind(model=model, args=stated, train_dataset=rows, **more)


def test_a_model_that_changes_in_its_forward_pass_is_left(tmp_path: Path) -> None:
    trainer = restless(tmp_path)
    assert float(trainer.model.embedding.weight.detach().norm(dim=1).max()) > 0.5
    examined(trainer)
    assert trainer.model.calls == 0
    assert not trainer.model.frozen_norm.training
    assert trainer.model.norm.training


def test_gradients_of_the_users_own_are_left(tmp_path: Path) -> None:
    trainer = restless(tmp_path)
    own = torch.full((2, 6), 3.0)
    trainer.model.head.weight.grad = own
    examined(trainer)
    assert trainer.model.head.weight.grad is own
    assert bool((own == 3.0).all())
    assert trainer.model.head.bias.grad is None


def test_hooks_of_the_users_own_stay_and_steps_in_the_backward_pass_rest(tmp_path: Path) -> None:
    trainer = restless(tmp_path)
    called: list[str] = []
    model = trainer.model

    def step(parameter: Any) -> None:
        called.append("step")
        parameter.data.add_(1.0)

    def note(what: str, *_: Any) -> None:
        called.append(what)

    model.head.weight.register_post_accumulate_grad_hook(step)
    model.head.weight.register_hook(functools.partial(note, "gradient"))
    model.head.register_forward_hook(functools.partial(note, "forward"))
    model.head.register_full_backward_hook(functools.partial(note, "backward"))
    examined(trainer)
    assert "step" not in called
    assert {"gradient", "forward", "backward"} <= set(called)
    called.clear()
    trainer.train()
    assert "step" in called


def test_an_optimizer_that_has_stepped_is_read_only(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Restless()
    optimizer = torch.optim.AdamW([{"params": model.parameters(), "lr": 0.1}])
    model(torch.tensor([[1, 2, 3]] * 4), torch.tensor([0, 1, 0, 1]))["loss"].backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer)
    rows = [{"input_ids": [n, n + 1, n + 2], "labels": n % 2} for n in range(16)]
    trainer = transformers.Trainer(
        model=model,
        args=arguments(tmp_path, remove_unused_columns=False),
        train_dataset=rows,
        optimizers=(optimizer, scheduler),
    )
    last, calls = scheduler.state_dict(), model.calls
    examined(trainer)
    assert optimizer.state_dict()["state"]
    assert scheduler.state_dict() == last
    assert trainer.optimizer is optimizer
    assert model.calls == calls


class Keeping(transformers.Trainer):
    """A trainer whose loss is its own, and which keeps records of it."""

    def __init__(self, *words: Any, **keywords: Any) -> None:
        super().__init__(*words, **keywords)
        self.records: dict[str, Any] = {"train": {"losses": []}}
        self.calls = 0

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        outputs = model(**inputs)
        self.calls += 1
        self.records["train"]["losses"].append(outputs["loss"].item())
        self.state.total_flos += 1
        self.log({"own": outputs["loss"].item()})
        return (outputs["loss"], outputs) if return_outputs else outputs["loss"]


def test_a_trainer_that_keeps_records_in_its_loss_is_left(tmp_path: Path) -> None:
    told: list[Any] = []

    class Listening(transformers.TrainerCallback):
        def on_log(self, *_: Any, logs: Any = None, **__: Any) -> None:
            told.append(logs)

    trainer = restless(tmp_path, Keeping, callbacks=[Listening()])
    report = examined(trainer)
    assert told == []
    (gradients,) = [fact for fact in report.facts if fact["fact"] == "Gradients"]
    assert gradients["without"] == 0
    trainer.train()
    assert len(told) > 3
    assert len(trainer.records["train"]["losses"]) == 3


def test_all_comes_back_after_a_failure_in_the_backward_pass(tmp_path: Path) -> None:
    class Broken(torch.autograd.Function):
        @staticmethod
        def forward(_context: Any, value: Any) -> Any:
            return value.clone()

        @staticmethod
        def backward(_context: Any, *_: Any) -> Any:
            raise ArithmeticError("no gradient today")

    class Failing(Restless):
        def forward(self, input_ids: Any, labels: Any = None) -> Any:
            found = super().forward(input_ids, labels)
            return {**found, "loss": Broken.apply(found["loss"])}

    trainer = restless(tmp_path)
    trainer.model.__class__ = Failing
    report = examined(trainer, facts=("Forward",))
    (entry,) = report.entries
    assert entry.rule.code == "RUN001"
    assert "no gradient today" in entry.finding.message


def test_copies_of_the_picture_differ_where_something_changed(tmp_path: Path) -> None:
    trainer = restless(tmp_path)
    before = picture(trainer)
    assert list(differences(before, picture(trainer))) == []
    trainer.model.norm.eval()
    trainer.model.head.weight.data[0, 0] += 1e-6
    trainer.model.cache[0] = 1.0
    trainer.records = copy.copy(trainer.args)
    torch.rand(1)
    changed = set(differences(before, picture(trainer)))
    assert changed == {
        "/modules/norm/training",
        "/weights/head.weight",
        "/buffers/cache",
        "/trainer/records",
        "/random",
    }
