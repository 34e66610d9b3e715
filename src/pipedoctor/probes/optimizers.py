"""How many bytes the state of an optimizer takes, by the tensors that it trains."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.settings import Settings

MOMENTS = {
    "adamw_torch": 2,
    "adamw_torch_fused": 2,
    "adamw_torch_xla": 2,
    "adamw_torch_npu_fused": 2,
    "adamw_apex_fused": 2,
    "adamw_hf": 2,
    "adagrad": 1,
    "rmsprop": 1,
    "sgd": 0,
}
"""How many values the optimizer remembers of each parameter, in the parameter's own type."""

DEFAULT = "adamw_torch"
"""The default is this or its fused twin, depending on the release of torch; both are as large."""


def name(settings: Settings) -> str:
    """Return the optimizer that the settings ask for, as `optim` names it."""
    if settings.get("adafactor") is True:
        return "adafactor"
    return settings.word("optim") if settings.stated.get("optim") is not None else DEFAULT


def state_bytes(settings: Settings, shapes: Iterable[tuple[int, ...]], width: int) -> int:
    """
    Return the bytes that the state takes for tensors of these shapes, `width` bytes an element.

    Raises:
        Unavailable: The state of this optimizer is not known.

    """
    optimizer = name(settings)
    if optimizer in {"sgd", "rmsprop"} and settings.get("optim_args"):
        raise Unavailable(f"how much {optimizer} remembers with optim_args is not known")
    if optimizer == "adafactor":
        return 4 * sum(_factored(shape) for shape in shapes)  # always in float32
    if optimizer not in MOMENTS:
        raise Unavailable(f"how much the optimizer {optimizer} remembers is not known")
    return MOMENTS[optimizer] * width * sum(prod(shape) for shape in shapes)


def _factored(shape: tuple[int, ...]) -> int:
    """Return the size of Adafactor's state: the sums of rows and columns of a matrix."""
    if len(shape) < 2:
        return prod(shape)
    return prod(shape[:-1]) + prod(shape[:-2]) * shape[-1]


def refuse_partial(settings: Settings) -> None:
    """
    Raise `Unavailable` where the settings say that only a part of the model is trained.

    Scripts name such options as they like, so any that is set counts.
    """
    for key, value in settings.stated.items():
        if _set(value) and key.lower().startswith("freeze"):
            raise Unavailable(f"{key} leaves a part of the model as it is; which one is not known")


def refuse_other_weights(settings: Settings) -> None:
    """Raise `Unavailable` where what is saved is not the model's weights as they are."""
    for key in ("finetuning_type", "adapter"):
        if settings.reading is not None and settings.get(key) not in (None, "", "full"):
            raise Unavailable(f"with {key}, only an adapter may be saved; its size is not known")
    for key, value in settings.stated.items():
        word = key.lower()
        if not _set(value):
            continue
        if "lora" in word or "peft" in word or word.startswith("load_in_"):
            raise Unavailable(f"with {key}, only an adapter may be saved; its size is not known")
        if word in {"deepspeed", "fsdp", "quantization_config"}:
            raise Unavailable(f"with {key}, the size of a checkpoint is not known")


def _set(value: Any) -> bool:
    return value not in (None, False, "", 0, [], {})
