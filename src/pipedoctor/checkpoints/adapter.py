"""An adapter of PEFT, named by its adapter_config.json: what it is, and the weights beside it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.checkpoints import sharded
from pipedoctor.checkpoints.contents import Contents, FlawKind, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.opening import shown
from pipedoctor.fact import Unavailable

FORMAT = "PEFT adapter"

WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
"""In the order in which PEFT looks for them."""


def beside(folder: str, config: Mapping[str, object]) -> Contents:
    """Return the adapter that a config and the weights beside it make up."""
    flaws = Flaws()
    metadata = _stated(config, flaws)
    file = next((n for n in WEIGHTS if os.path.lexists(os.path.join(folder, n))), None)
    held = _held(folder, file, flaws)
    if file is None or held is None:
        return Contents(
            FORMAT, Verdict.MALFORMED, flaws.first, metadata=metadata, flaws=flaws.told()
        )
    for flaw in held.flaws:
        flaws.add(flaw.kind, f"{file}: {flaw.message}", tensor=flaw.tensor, offset=flaw.offset)
    return Contents(
        FORMAT,
        held.verdict,
        f"{file}: {held.reason}" if held.reason else "",
        held.offender,
        whole_model=held.whole_model,
        # Where they lie is a place in another file than the one that was named.
        tensors={
            name: replace(tensor, offset=None, storage=f"{file}:{tensor.storage}")
            for name, tensor in held.tensors.items()
        },
        metadata={**metadata, "files": (file,)},
        flaws=flaws.told(),
    )


def _stated(config: Mapping[str, object], flaws: Flaws) -> dict[str, object]:
    """Return its type, its rank and its base, as far as they are stated."""
    kind, rank, base = (config.get(key) for key in ("peft_type", "r", "base_model_name_or_path"))
    if not isinstance(kind, str) or not kind:
        flaws.add(FlawKind.BAD_HEADER, f"its peft_type is {shown(repr(kind))}, and PEFT needs one")
    found = {
        "type": shown(kind) if isinstance(kind, str) else None,
        "r": rank if type(rank) is int else None,
        "base": shown(base, 300) if isinstance(base, str) else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _held(folder: str, file: str | None, flaws: Flaws) -> Contents | None:
    """Return what the weights hold, None where they can't be opened."""
    if file is None:
        flaws.add(
            FlawKind.MISSING_FILE,
            f"there is neither {WEIGHTS[0]} nor {WEIGHTS[1]} beside it, so it changes no model",
        )
        return None
    if sharded.leaves(folder, file):
        flaws.add(
            FlawKind.OUTSIDE,
            f"{file} is a link that leads out of its folder: it is not opened here, and PEFT "
            "would open it",
        )
        return None
    try:
        return sharded.one(os.path.join(folder, file))
    except Unavailable as reason:
        flaws.add(FlawKind.MISSING_FILE, f"{file} can't be read: {reason}")
        return None
