"""
Writing a capsule: weights, buffers, batches and random states of one step, and what they are.

It is written under another name first, so that a capsule is there as a whole or not at all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipedoctor.recorder import judge, states
from pipedoctor.recorder.capsule import DESCRIPTION, FORMAT, TENSORS, CapsuleError, digest_of
from pipedoctor.recorder.surroundings import Whole
from pipedoctor.recorder.tape import Pass, Step, named_tensors

Rows = Callable[[Mapping[str, Any]], "list[int] | None"]


@dataclass(frozen=True)
class Recorded:
    """
    A step that is to be written down.

    `half` is "bf16", "fp16" or "", as mixed precision was asked for; `rows` tells which rows of
    the data set a batch was made of, `loop` whether the training is a loop of the user's own.
    """

    model: Any
    step: Step
    verdict: judge.Judgement
    half: str = ""
    rows: Rows | None = None
    loop: bool = False


def write(folder: str, recorded: Recorded, largest: int) -> str:
    """
    Write the capsule of a step into a folder, and return its path.

    None is written that would take more than `largest` bytes.

    Raises:
        CapsuleError: It would be too large, or holds what can't be written.
        OSError: The disk is full, or the folder can't be written to.

    """
    from safetensors.torch import save_file

    size = _size(recorded.model, recorded.step)
    if size > largest:
        raise CapsuleError(f"it would take {size:,} bytes, and `largest` allows {largest:,}")
    tensors = dict(_tensors(recorded.model, recorded.step))
    os.makedirs(folder, exist_ok=True)
    name = f"pipedoctor-capsule-step-{recorded.step.number}"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:  # each process has a batch of its own
        name += f"-rank-{os.environ.get('RANK', '0')}"
    final = free_name(os.path.join(folder, name))
    temporary = f"{final}.partial-{os.getpid()}"
    os.mkdir(temporary, 0o700)  # it is as confidential as the data
    try:
        at = os.path.join(temporary, TENSORS)
        save_file(tensors, at)
        description = _description(recorded) | {"sha256": digest_of(at)}
        with open(os.path.join(temporary, DESCRIPTION), "w", encoding="utf-8") as file:
            json.dump(description, file, indent=1, allow_nan=False)
            file.flush()
            os.fsync(file.fileno())
        os.rename(temporary, final)
    except BaseException:  # an interrupt leaves no half of one either
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return final


def free_name(path: str) -> str:
    """Return the name, or one beside it, that nothing has yet."""
    name, number = path, 1
    while os.path.lexists(name):
        number += 1
        name = f"{path}-{number}"
    return name


def _size(model: Any, step: Step) -> int:
    """Return the bytes of weights and batches, before any of them is copied."""
    held = [*model.parameters(), *model.buffers()]
    held += [tensor for made in _made(step) for _, tensor in made.tensors()]
    return sum(tensor.numel() * tensor.element_size() for tensor in held)


def _tensors(model: Any, step: Step) -> Iterator[tuple[str, Any]]:
    """Yield all that is to be kept, each with memory of its own, as the format demands."""
    for name, parameter in model.named_parameters():
        yield f"weights.{name}", _own(parameter)
    before = step.passes[0].buffers if step.passes else {}
    for name, buffer in model.named_buffers():
        yield f"weights.{name}", _own(before.get(name, buffer))
    for number, made in enumerate(_made(step)):
        for name, tensor in made.tensors():
            yield f"batch.{number}.{name}", _own(tensor)
        for name, tensor in states.packed(made.random).items():
            yield f"random.{number}.{name}", _own(tensor)


@dataclass(frozen=True)
class _Made:
    """A pass as it is written down: that of the model, or the whole batch that a loss got."""

    made: Pass
    whole: Whole | None

    @property
    def words(self) -> tuple[Any, ...]:
        return self.made.words if self.whole is None else ()

    @property
    def keywords(self) -> Mapping[str, Any]:
        return self.made.keywords if self.whole is None else self.whole.inputs

    @property
    def random(self) -> Mapping[str, Any]:
        return self.made.random if self.whole is None else self.whole.random

    def tensors(self) -> Iterator[tuple[str, Any]]:
        yield from named_tensors(self.words, self.keywords)
        if self.whole is not None:
            yield from named_tensors((), {"items": self.whole.items})


def _made(step: Step) -> list[_Made]:
    """Return what is to be written of a step; a loss may call the model more than once a batch."""
    passes = list(step.passes)
    if not step.wholes or len(passes) % len(step.wholes):
        return [_Made(made, None) for made in passes]
    times = len(passes) // len(step.wholes)
    return [_Made(passes[n * times], whole) for n, whole in enumerate(step.wholes)]


def _own(tensor: Any) -> Any:
    return tensor.detach().to("cpu", copy=True).contiguous()


def _description(recorded: Recorded) -> dict[str, Any]:
    import torch

    model, step = recorded.model, recorded.step
    kind = type(model)
    return {
        "format": FORMAT,
        "holds": "one step of a training: its rows as tensors, and the weights of the model",
        "step": step.number,
        "loop": recorded.loop,
        "model": f"{kind.__module__}.{kind.__qualname__}",
        "config": _config(model),
        "attention": getattr(getattr(model, "config", None), "_attn_implementation", None),
        "versions": _versions(torch.__version__),
        "found": judge.evidence(recorded.verdict),
        "evaluating": [name for name, module in model.named_modules() if not module.training],
        "frozen": [name for name, p in model.named_parameters() if not p.requires_grad],
        "passes": [_pass(number, made, recorded) for number, made in enumerate(_made(step))],
    }


def _pass(number: int, made: _Made, recorded: Recorded) -> dict[str, Any]:
    known = recorded.rows(made.keywords) if recorded.rows is not None else None
    loss = made.made.loss if made.whole is None else made.whole.loss
    told: dict[str, Any] = {
        "words": [_shape(f"batch.{number}.{n}", value) for n, value in enumerate(made.words)],
        "keywords": {k: _shape(f"batch.{number}.{k}", v) for k, v in made.keywords.items()},
        "loss": None if loss is None else repr(float(loss.float().mean())),
        "half": made.made.half or recorded.half,
        "rows": known,
        "mutated": made.made.mutated,
    }
    if made.whole is not None:
        told["own"] = asdict(made.whole.own)
        told["items"] = _shape(f"batch.{number}.items", made.whole.items)
        told["counted"] = "num_items_in_batch" in made.made.keywords
        told["parts"] = made.whole.parts
    return told


def _shape(name: str, value: Any) -> Any:
    """Return a value as JSON that names its tensors."""
    import torch

    if isinstance(value, torch.Tensor):
        return {"tensor": name}
    if value is None or isinstance(value, (bool, int, str)):
        return {"value": value}
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, Mapping):
        return {"mapping": {str(k): _shape(f"{name}.{k}", v) for k, v in value.items()}}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_shape(f"{name}.{n}", v) for n, v in enumerate(value)]}
    raise CapsuleError(f"the batch holds a {type(value).__name__} ({name}), which is no tensor")


def _config(model: Any) -> dict[str, Any] | None:
    """Return the config of a model of transformers itself, from which it can be built again."""
    if not type(model).__module__.startswith("transformers."):
        return None
    as_dict = getattr(getattr(model, "config", None), "to_dict", None)
    try:
        return json.loads(json.dumps(as_dict(), allow_nan=False)) if as_dict is not None else None
    except (TypeError, ValueError):  # what JSON can't hold is left to the code of the user
        return None


def _versions(torch: str) -> dict[str, str]:
    from pipedoctor import __version__
    from pipedoctor.probes import installed

    return {"torch": torch, "pipedoctor": __version__, **installed.versions(("transformers",))}
