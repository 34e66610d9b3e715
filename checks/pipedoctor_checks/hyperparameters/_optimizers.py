"""Which optimizer a run uses, as far as usual learning rates depend on it."""

from __future__ import annotations

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Settings

DEFAULT = "adamw_torch"
"""With or without the fused kernel, by the version of torch: the rates are the same."""


def adamw(settings: Settings) -> str:
    """
    Return the name of the optimizer if it is AdamW in one of its implementations.

    Raises:
        Unavailable: It is another one, for which other learning rates are usual.

    """
    stated = "optim" in settings.stated or "optim" in settings.unused
    name = settings.word("optim") if stated else DEFAULT
    if settings.stated.get("adafactor"):
        name = "adafactor"
    if not name.startswith(("adamw", "paged_adamw")):
        raise Unavailable(f"usual learning rates are known for AdamW, not for {name}")
    return name
