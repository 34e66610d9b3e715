"""Whether a training can go on from a checkpoint: what is missing, damaged, or of other weights."""

from __future__ import annotations

import os
from collections.abc import Iterator

from pipedoctor.checkpoints import naming
from pipedoctor.checkpoints.contents import FlawKind, Verdict
from pipedoctor.facts.checkpoint import WEIGHTS, Checkpoint, StoredFile

CONFIG, LATEST, STATE = "config.json", "latest", "trainer_state.json"
LOADED = ("optimizer.pt", "scheduler.pt")
"""Trainer loads both of these or none."""

GROUP = frozenset(
    (
        *("params", "lr", "betas", "eps", "weight_decay", "amsgrad", "foreach", "maximize"),
        *("capturable", "differentiable", "fused", "decoupled_weight_decay", "initial_lr"),
        *("momentum", "dampening", "nesterov"),
    )
)
"""What the groups of AdamW and SGD hold; those that project gradients hold more."""

FATAL = frozenset(FlawKind) - {FlawKind.CHECKSUM, FlawKind.DUPLICATE, FlawKind.CODE}
"""What keeps a loader from reading a file; changed bytes of a tensor, no loader sees."""


def broken(held: Checkpoint) -> str:
    """Return why a training can't go on from a checkpoint, "" where nothing speaks against it."""
    reasons = [reason for _, reason in faults(held)]
    if reasons and held.kind != "trainer":
        return f"the save was interrupted: {' and '.join(_with_commas(reasons))}"
    return ", and ".join(reasons)


def _with_commas(reasons: list[str]) -> list[str]:
    return [", ".join(reasons[:-1]) + ",", reasons[-1]] if len(reasons) > 1 else reasons


def faults(held: Checkpoint) -> Iterator[tuple[str, str]]:
    """Yield the files at fault, and what is wrong with each."""
    by_name = {file.name: file for file in held.files}
    beside = held.beside if held.known("beside") else {}
    names = {*by_name, *beside}
    if STATE not in names:
        yield STATE, f"no {STATE}"
    elif not held.known("state"):
        yield STATE, _table(held, STATE)
    elif not isinstance(held.state.get("global_step"), int):
        yield STATE, f"{STATE} has no global_step"
    if CONFIG in held.unread:
        yield CONFIG, _table(held, CONFIG)
    if held.known("tag") and held.zero and held.tag not in held.zero:
        there = ", ".join(held.zero)
        yield LATEST, f"latest names {held.tag}, and there is only {there}"
    if any("/" in name or name.startswith("pytorch_model_fsdp") for name in names):
        return  # DeepSpeed and FSDP have files of their own, or several adapters folders
    if not any(name in names for name in WEIGHTS) and not folders(held.path):
        missing = next(iter(held.missing), "model.safetensors")
        yield missing, f"no {missing}"
    weights = held.weights
    states = [by_name[name] for name in LOADED if name in by_name]
    states = states if len(states) == len(LOADED) or STATE not in names else []
    random = [file for name, file in by_name.items() if name.startswith("rng_state")]
    for file in (*weights, *states, *random):
        reason = unreadable(file)
        if reason:
            yield file.name, reason
    yield from _no_optimizer(states)
    yield from _no_schedule(states)


def _no_schedule(states: list[StoredFile]) -> Iterator[tuple[str, str]]:
    """Yield that scheduler.pt holds the state of an optimizer, as no schedule does."""
    for file in states:
        if file.name != LOADED[1] or unreadable(file):
            continue
        keys = {n.partition(".")[0] for n in (*file.contents.values, *file.contents.tensors)}
        if "param_groups" in keys and "last_epoch" not in keys:
            yield (
                file.name,
                (
                    f"{file.name} is the state of an optimizer, not of a schedule: it holds "
                    "param_groups and no last_epoch (KeyError: 'lr_lambdas')"
                ),
            )


def _no_optimizer(states: list[StoredFile]) -> Iterator[tuple[str, str]]:
    """Yield that optimizer.pt holds something else than the state of an optimizer."""
    for file in states:
        if file.name != LOADED[0] or unreadable(file):
            continue
        contents = file.contents
        keys = dict.fromkeys(
            name.partition(".")[0] for name in (*contents.values, *contents.tensors)
        )
        if keys and not keys.keys() & {"state", "param_groups"}:
            named = ", ".join(list(keys)[:3]) + (" and more" if len(keys) > 3 else "")
            yield (
                file.name,
                (
                    f"{file.name} is no state of an optimizer: it holds {named}, and neither state "
                    "nor param_groups (KeyError)"
                ),
            )


def of_other_weights(held: Checkpoint) -> str:
    """
    Return that the optimizer was of other weights than lie beside it: many of its shapes differ.

    Only of optimizers that remember each parameter in its own shape, as those of PyTorch do.
    Where the model of a training is at hand, its own shapes are compared instead.
    """
    file = next((f for f in held.files if f.name == LOADED[0] and not unreadable(f)), None)
    if file is None or held.adapter or any(unreadable(other) for other in held.weights):
        return ""
    values = file.contents.values
    keys = {name.rpartition(".")[2] for name in values if name.startswith("param_groups.")}
    if not keys or not keys <= GROUP:
        return ""
    known = {
        tuple(tensor.shape)
        for other in held.weights
        if not other.index
        for tensor in other.contents.tensors.values()
    }
    shapes = [
        tuple(tensor.shape)
        for name, tensor in file.contents.tensors.items()
        if name.endswith((".exp_avg", ".momentum_buffer"))
    ]
    odd = [shape for shape in shapes if shape not in known]
    # Models of one width share many shapes; a few may be of a layer that is saved elsewhere.
    many = 4 * len(odd) > len(shapes) if len(odd) >= 3 else 2 * len(odd) > len(shapes)
    if not known or not many:
        return ""
    return (
        f"{file.name} was saved with other weights: {len(odd)} of the {len(shapes)} parameters "
        f"that it remembers have shapes that no tensor has, such as {_by(max(odd, key=len))}"
    )


def _by(shape: tuple[int, ...]) -> str:
    return " by ".join(f"{size:,}" for size in shape)


def folders(path: str) -> list[str]:
    """Return the folders in a checkpoint, of which each may be an adapter."""
    if not os.path.isdir(path):
        return []  # it is described
    with os.scandir(path) as entries:
        return [entry.name for entry in entries if entry.is_dir()]


def _table(held: Checkpoint, name: str) -> str:
    size = held.beside.get(name) if held.known("beside") else None
    return f"{name} has 0 bytes" if size == 0 else f"{name} is no JSON that can be read"


def unreadable(file: StoredFile) -> str:
    """Return why `torch.load` or safetensors can't read a file, "" where it can."""
    if file.size == 0 and not file.index:
        return f"{file.name} has 0 bytes"
    contents = file.contents
    flaw = next((flaw for flaw in contents.flaws if flaw.kind in FATAL), None)
    if flaw is not None:
        return f"{file.name} is damaged: {flaw.message}"
    wrong = naming.misnamed(file)
    if wrong:
        return f"{file.name} is a {contents.format}: {wrong}"
    if contents.verdict is Verdict.UNSAFE:
        return f"torch.load refuses {file.name}, which would run {contents.offender}"
    if contents.verdict is Verdict.MALFORMED:
        return f"{file.name} can't be read: {contents.reason}"
    return ""
