"""The step of a capsule, run again: with the model that it was recorded from, or a mended one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pipedoctor.recorder import judge, states
from pipedoctor.recorder.capsule import Capsule, CapsuleError, Replayable

Loss = Callable[[Any, Replayable], Any]


@dataclass(frozen=True)
class Rerun:
    """
    What the step gave this time.

    `same` tells whether each loss is bit for bit the recorded one (NaN counts as NaN); None where
    no loss was recorded, as for a model that leaves it to the loop.
    """

    verdict: judge.Verdict
    same: bool | None

    @property
    def cured(self) -> bool:
        """Whether all losses, gradients and weights are finite."""
        return self.verdict.finite


def own_loss(model: Any, made: Replayable) -> Any:
    """
    Return the loss that the model itself computes.

    Raises:
        CapsuleError: It computes none.

    """
    loss = loss_of(model(*made.words, **made.keywords))
    if loss is None:
        raise CapsuleError("the model computes no loss by itself; name a target that does")
    return loss


def loss_of(answer: Any) -> Any:
    """Return the loss in a model's answer; None if there is none."""
    return answer.get("loss") if hasattr(answer, "get") else getattr(answer, "loss", None)


def run(capsule: Capsule, model: Any, compute: Loss = own_loss) -> Rerun:
    """
    Run all passes of a capsule forwards and backwards on a model, whose weights are replaced.

    Raises:
        CapsuleError: The model has other weights than the recorded one.

    """
    prepare(capsule, model)
    losses = []
    for _, loss in passes(capsule, model, compute):
        losses.append(loss.detach())
        if loss.requires_grad:
            (loss.mean() / len(capsule.passes)).backward()
    verdict = judge.confirm(model, losses)
    return Rerun(verdict, _same(capsule, verdict))


def passes(capsule: Capsule, model: Any, compute: Loss) -> Iterator[tuple[Replayable, Any]]:
    """Yield each pass of a capsule with its loss, under the random states that it had."""
    for made in capsule.passes:
        states.put_back(made.random)
        with half_precision(capsule, model):
            yield made, compute(model, made)


def prepare(capsule: Capsule, model: Any) -> None:
    """Give a model the weights, modes and gradients switches that the recorded one had."""
    import torch

    own = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    wrong = sorted(own.keys() ^ capsule.weights.keys())
    if wrong:
        where = "the model" if wrong[0] in own else "the capsule"
        raise CapsuleError(
            f"{len(wrong)} names differ between the model and the capsule's {capsule.model}: "
            f"only {where} has {wrong[0]}"
        )
    for name, tensor in own.items():
        if tensor.shape != capsule.weights[name].shape:
            raise CapsuleError(
                f"{name} is {tuple(tensor.shape)} in the model and "
                f"{tuple(capsule.weights[name].shape)} in the capsule"
            )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(capsule.weights[name])
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in capsule.frozen)
        parameter.grad = None
    model.train()
    for name, module in model.named_modules():
        if name in capsule.evaluating:
            module.training = False


@contextmanager
def half_precision(capsule: Capsule, model: Any) -> Iterator[None]:
    """Run in the mixed precision that the step was recorded in."""
    import torch

    kind = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(capsule.half)
    device = next((p.device.type for p in model.parameters()), "cpu")
    with ExitStack() as stack:
        if kind is not None:
            stack.enter_context(torch.autocast(device, kind))
        yield


def _same(capsule: Capsule, verdict: judge.Verdict) -> bool | None:
    recorded = [made.loss for made in capsule.passes]
    if any(loss is None for loss in recorded):
        return None
    return all(
        one == other or (one != one and other != other)  # noqa: PLR0124 - NaN differs from itself
        for one, other in zip(recorded, verdict.losses, strict=True)
    )
