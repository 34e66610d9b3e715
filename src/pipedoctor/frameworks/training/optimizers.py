"""The optimizer of a run: built on a double of the trainer, and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Fact, Unavailable
from pipedoctor.facts.optimizer import Group, Optimizer
from pipedoctor.frameworks.double import double
from pipedoctor.frameworks.overrides import made_by
from pipedoctor.frameworks.restoring.restore import random_states
from pipedoctor.frameworks.restoring.snapshot import untouched
from pipedoctor.frameworks.training.own_loss import LIBRARIES
from pipedoctor.pipeline import Pipeline

HOOKING = ("galore", "apollo", "lomo", "bnb", "8bit", "paged")
"""
Parts of the names of optimizers whose making reaches further than the optimizer.

GaLore, APOLLO and LOMO hook themselves into the model; those of bitsandbytes are entered into a
register of the library.
"""


@dataclass(frozen=True, repr=False, eq=False)
class Built(Fact):
    """The optimizer itself; not for checks."""

    doing = "Building the optimizer"

    optimizer: Any
    given: bool

    @property
    def ids(self) -> frozenset[int]:
        """The identities of what it holds."""
        groups = self.optimizer.param_groups
        return frozenset(id(held) for group in groups for held in group["params"])


def build(pipeline: Pipeline, model: Any) -> Built:
    """Return the optimizer that was given, else the one that the trainer would make."""
    if "optimizer" in pipeline.parts:
        return _checked(pipeline.part("optimizer"), given=True)
    trainer = pipeline.part("trainer")
    if getattr(trainer, "optimizer", None) is not None:
        return _checked(trainer.optimizer, given=True)
    _simple(trainer)
    with random_states(), untouched(model):
        twin = double(trainer)
        made = twin.create_optimizer()
    return _checked(made if made is not None else twin.optimizer, given=False)


def _simple(trainer: Any) -> None:
    """Raise `Unavailable` where making the optimizer would reach further than the optimizer."""
    name = type(trainer).__name__
    arguments = trainer.args
    if any(getattr(arguments, key, None) for key in ("deepspeed", "fsdp")):
        raise Unavailable("DeepSpeed and FSDP make the optimizer of parameters of their own")
    optim = str(getattr(arguments.optim, "value", arguments.optim))
    if any(part in optim for part in HOOKING):
        raise Unavailable(f"making the optimizer {optim} has effects beyond it")
    if made_by(trainer, "create_optimizer_and_scheduler") not in LIBRARIES:
        raise Unavailable(f"{name} has a create_optimizer_and_scheduler of its own")


def _checked(optimizer: Any, *, given: bool) -> Built:
    if not isinstance(getattr(optimizer, "param_groups", None), list):
        raise Unavailable(f"the optimizer is a {type(optimizer).__name__}, which has no groups")
    return Built(optimizer, given)


def describe(built: Built, model: Any) -> Optimizer:
    """Say which of the model's parameters the optimizer updates, and which other ones."""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    groups = built.optimizer.param_groups
    trained = {n: p.numel() for n, p in model.named_parameters() if p.requires_grad}
    held = {names[key] for key in built.ids if key in names}
    return Optimizer(
        name=type(getattr(built.optimizer, "optimizer", built.optimizer)).__name__,
        groups=tuple(_group(group, names) for group in groups),
        missing={name: size for name, size in trained.items() if name not in held},
        strangers=tuple(
            tuple(parameter.shape)
            for group in groups
            for parameter in group["params"]
            if id(parameter) not in names
        ),
        trainable=sum(trained.values()),
        given=built.given,
    )


def _group(group: Mapping[str, Any], names: Mapping[int, str]) -> Group:
    held = tuple(names[id(p)] for p in group["params"] if id(p) in names)
    return Group(held, number_of(group.get("lr")), number_of(group.get("weight_decay")))


def number_of(value: Any) -> float | None:
    """Return a number of a group, None where it states none."""
    return None if value is None else float(value)
