"""The states that a run may be gone on from: what is left, what is asked, and what comes of it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

HEALTHY = {"step": 8, "optimizer_steps": 8.0, "initial": 0.0005}
"""A training that went on to its end, with the optimizer that it had before."""

AS_BEFORE = {**HEALTHY, "decay": 0.01, "last": 6.25e-05}
"""One that has not taken in what was stated since."""

BREAKS = "breaks"
"""It is killed by a signal, or raises."""


@dataclass(frozen=True)
class Row:
    """
    One state: how it comes about, what is found, and what happens with which arguments.

    `happens` is a pattern of the error, or figures of a training that ran. `live` are changes of
    the model that only the live Trainer shows; it is examined right before it resumes.
    """

    left: tuple[tuple[Any, ...], ...] = ()
    found: AbstractSet[str] = frozenset()
    happens: dict[str, Any] | str = field(default_factory=lambda: HEALTHY)
    settings: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] | None = None
    asked: Any = True
    torch: str = ""
    environment: dict[str, Any] = field(default_factory=dict)
    often: bool = False
    """Whether it is in the default suite."""


def _left(*step: Any) -> tuple[tuple[Any, ...], ...]:
    return (step,)


STATES = ("optimizer.pt", "scheduler.pt", "rng_state.pth")
CUT = {
    "optimizer.pt": "Invalid argument|central directory",
    "scheduler.pt": "Invalid argument|central directory",
    "rng_state.pth": "Invalid argument|central directory",
    "trainer_state.json": "JSONDecodeError",
    "model.safetensors": "incomplete metadata",
    "config.json": "JSONDecodeError",
}
EMPTY = {
    **dict.fromkeys(STATES, "EOFError"),
    "trainer_state.json": "JSONDecodeError",
    "model.safetensors": "header too small",
    "config.json": "JSONDecodeError",
}
REFUSED = "Weights only load failed"
OLD = "serious vulnerability issue in `torch.load`"
FRESH = {"step": 8, "optimizer_steps": 4.0}
"""A training that went on with a fresh optimizer."""


def _file(name: str) -> str:
    return name.partition(".")[0]


ROWS = {
    "complete": Row(often=True),
    "more_steps": Row(settings={"max_steps": 12}, happens={"step": 12, "optimizer_steps": 12.0}),
    "more_epochs": Row(
        settings={"max_steps": -1, "num_train_epochs": 2},
        happens={"step": 16, "optimizer_steps": 16.0},
        often=True,
    ),
    "no_optimizer": Row(_left("without", "optimizer.pt"), {"CKP051"}, FRESH),
    "no_scheduler": Row(_left("without", "scheduler.pt"), {"CKP051"}, FRESH, often=True),
    "no_both": Row(_left("without", "optimizer.pt", "scheduler.pt"), {"CKP051"}, FRESH),
    "no_rng": Row(_left("without", "rng_state.pth"), {"CKP055"}),
    "no_state": Row(_left("without", "trainer_state.json"), {"CKP050"}, "FileNotFoundError"),
    "no_args": Row(_left("without", "training_args.bin")),
    "no_weights": Row(
        _left("without", "model.safetensors"), {"CKP050"}, "find a valid checkpoint"
    ),
    "no_config": Row(_left("without", "config.json")),
    **{f"cut_{_file(n)}": Row(_left("cut", n), {"CKP050"}, e) for n, e in CUT.items()},
    **{f"empty_{_file(n)}": Row(_left("emptied", n), {"CKP050"}, e) for n, e in EMPTY.items()},
    "cut_training_args": Row(_left("cut", "training_args.bin")),
    "empty_training_args": Row(_left("emptied", "training_args.bin")),
    "empty_folder": Row(_left("folder", "checkpoint-6"), {"CKP050"}, "find a valid checkpoint"),
    "interrupted": Row(
        (
            ("without", "trainer_state.json", "rng_state.pth", "scheduler.pt"),
            ("emptied", "optimizer.pt"),
        ),
        {"CKP050"},
        "FileNotFoundError",
        often=True,
    ),
    "tmp": Row(_left("renamed", "checkpoint-4", "tmp-checkpoint-4")),
    "only_tmp": Row(
        (("renamed", "checkpoint-4", "tmp-checkpoint-4"), ("gone", "checkpoint-2")),
        {"CKP008"},
        "No valid checkpoint found",
    ),
    "file": Row(_left("file", "checkpoint-6"), {"CKP058"}, "FileExistsError", often=True),
    "dangling": Row(_left("link", "checkpoint-6", "nowhere"), {"CKP058"}, "FileExistsError"),
    "link": Row(_left("link", "checkpoint-6", "checkpoint-4")),
    "nothing": Row(
        _left("gone", "checkpoint-2", "checkpoint-4"), {"CKP008"}, "No valid checkpoint found"
    ),
    "path": Row(asked="checkpoint-2"),
    "path_missing": Row((), {"CKP008"}, "find a valid checkpoint", asked="checkpoint-99"),
    "path_of_run": Row((), {"CKP008"}, "find a valid checkpoint", asked="."),
    "adamw_torch": Row(settings={"optim": "adamw_torch"}),
    "sgd": Row((), {"CKP053"}, "KeyError: 'momentum'", {"optim": "sgd"}, often=True),
    "sgd_momentum": Row(
        (), {"CKP053"}, "KeyError: 'momentum'", {"optim": "sgd", "optim_args": "momentum=0.9"}
    ),
    "adafactor": Row((), {"CKP053"}, "KeyError: 'beta1'", {"optim": "adafactor"}),
    "rmsprop": Row((), {"CKP053"}, "KeyError: 'square_avg'", {"optim": "rmsprop"}),
    "adagrad": Row((), {"CKP053"}, "KeyError: 'sum'", {"optim": "adagrad"}),
    "one_group": Row((), {"CKP054"}, "different number of parameter groups", live={"groups": 1}),
    "three_groups": Row(
        (), {"CKP054"}, "different number of parameter groups", live={"groups": 3}
    ),
    "frozen": Row(
        (), {"CKP054"}, "doesn't match the size", live={"frozen": "bert.embeddings"}, often=True
    ),
    "head": Row((), {"CKP056"}, "size mismatch for classifier", live={"labels": 3}, often=True),
    "as_it_was": Row(live={"labels": 2}),
    "shape_fused": Row(_left("other_shape"), {"CKP052"}, BREAKS, often=True),
    "shape_plain": Row(_left("other_shape"), {"CKP052"}, BREAKS, {"optim": "adamw_torch"}),
    "shape_of_as_many": Row(_left("other_shape", 0, 16, 100), {"CKP052"}),
    "shape_of_another": Row(_left("other_shape", 0, 32, 16), {"CKP052"}, BREAKS, live={}),
    "old_torch": Row((), {"CKP007"}, OLD, torch="2.5.1", often=True),
    "old_torch_pickle": Row(_left("pickled"), {"CKP007"}, OLD, torch="2.5.1"),
    "pickle": Row(_left("pickled")),
    "malicious_optimizer": Row(
        _left("malicious", "optimizer.pt"), {"CKP050"}, REFUSED, often=True
    ),
    "malicious_rng": Row(_left("malicious", "rng_state.pth"), {"CKP050"}, REFUSED),
    "malicious_args": Row(_left("malicious", "training_args.bin")),
    "numpy_1": Row(_left("numpy_1"), {"CKP006"}, REFUSED, often=True),
    "two_processes": Row(_left("two_processes"), {"CKP055"}, environment={"processes": 1}),
    "rate_lower": Row((), {"CKP010"}, AS_BEFORE, {"learning_rate": 1e-4}),
    "rate_higher": Row((), {"CKP010"}, AS_BEFORE, {"learning_rate": 1e-2}, often=True),
    "decay": Row((), {"CKP010"}, AS_BEFORE, {"weight_decay": 0.3}, often=True),
    "beta": Row((), {"CKP010"}, AS_BEFORE, {"adam_beta2": 0.95}),
    # Another shape of the schedule is used, with the old rate as its peak.
    "cosine": Row(
        (), set(), {"initial": 0.0005, "last": 1.903e-05}, {"lr_scheduler_type": "cosine"}
    ),
    "constant": Row(
        (), set(), {"initial": 0.0005, "last": 0.0005}, {"lr_scheduler_type": "constant"}
    ),
    "warmup": Row((), set(), {"initial": 0.0005, "last": 0.00025}, {"warmup_steps": 6}),
    "batch": Row((), {"CKP010"}, {"step": 8}, {"per_device_train_batch_size": 4}, often=True),
    "accumulation": Row((), {"CKP010"}, {"step": 8}, {"gradient_accumulation_steps": 2}),
    "same_rows_a_step": Row(
        settings={"gradient_accumulation_steps": 2, "per_device_train_batch_size": 1}
    ),
    "batch_of_epochs": Row(
        (),
        {"CKP010", "CKP020"},
        {"step": 4, "loss": 0.0},
        {"max_steps": -1, "num_train_epochs": 1, "per_device_train_batch_size": 4},
    ),
    "batch_found": Row(settings={"auto_find_batch_size": True, "per_device_train_batch_size": 4}),
    "steps_equal": Row((), {"CKP020"}, {"step": 5}, {"max_steps": 4}, often=True),
    "steps_fewer": Row((), {"CKP020"}, {"step": 5}, {"max_steps": 2}),
    "epochs_fewer": Row((), {"CKP020"}, {"step": 5}, {"max_steps": -1, "num_train_epochs": 0.25}),
    "step_beyond": Row(
        _left("state", {"global_step": 999}), {"CKP020"}, {"step": 999, "loss": 0.0}
    ),
    "not_a_number": Row(_left("not_a_number"), {"CKP016"}, {"step": 8, "loss": 0.0}),
    "best_gone": Row(_left("state", {"best_model_checkpoint": "/nowhere/checkpoint-1"})),
    "versions": Row(_left("config", {"transformers_version": "4.40.0"}), {"CKP057"}),
    "no_skip": Row(settings={"ignore_data_skip": True}),
}
