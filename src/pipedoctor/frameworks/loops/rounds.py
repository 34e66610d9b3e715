"""The passes over loaders of torch: when they begin, how long they are, and in which order."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pipedoctor.frameworks.loops.recording import Recording, Round

MOST = 1000
"""So many passes are noted."""

SHUFFLED = {
    "SequentialSampler": False,
    "RandomSampler": True,
    "WeightedRandomSampler": True,
    "SeedableRandomSampler": True,
}
"""Whether the samplers of torch and accelerate shuffle; of others it is not known."""


def watch(
    wrap: Callable[[Any, str, Any], None], elsewhere: Callable[[], bool], recording: Recording
) -> None:
    """Note each pass that the loop begins over a loader; only the original computes anything."""
    import torch.utils.data

    loader = torch.utils.data.DataLoader
    begin = loader.__iter__

    @functools.wraps(begin)
    def iterate(one: Any) -> Any:
        if not elsewhere() and len(recording.rounds) < MOST:
            recording.rounds.append(_round(one, len(recording.steps)))
        return begin(one)

    wrap(loader, "__iter__", iterate)


def _round(loader: Any, steps: int) -> Round:
    kinds = [type(getattr(loader, name, None)).__name__ for name in ("sampler", "batch_sampler")]
    if kinds[0] not in SHUFFLED or kinds[1] not in {"BatchSampler", "NoneType"}:
        # A stream has no length, and that of other samplers is worked out by the user's own code.
        return Round(steps, None, None)
    return Round(steps, len(loader), SHUFFLED[kinds[0]])
