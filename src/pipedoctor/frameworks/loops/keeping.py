"""The first batches of a loop, kept while it is watched, for what is to be tried on them."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.loops import arguments, first_batch
from pipedoctor.frameworks.loops.recording import Recording
from pipedoctor.frameworks.rates.batches import MOST_BYTES


class Keeper:
    """Keeps so many of the first batches at most: as far as they are of one kind, and there is room."""

    def __init__(self, recording: Recording, most: int) -> None:
        """Keep nothing yet."""
        self._recording = recording
        self._most = most
        self._calls: list[first_batch.Call] = []

    @property
    def _wanted(self) -> bool:
        """Whether the next one is: a row of them, from the very first on."""
        first, made = self._recording.first, self._recording.backwards
        if first is None:
            return made == 0 < self._most
        room = (made + 1) * first.bytes <= MOST_BYTES
        return room and len(first.later) + 1 == made < self._most

    def call(self, module: Any, inputs: Any, output: Any) -> None:
        """Take in a call of a model with a gradient to be computed."""
        import torch

        if not self._wanted or next(module.parameters(), None) is None:
            return
        half = torch.is_autocast_enabled() or torch.is_autocast_enabled("cpu")
        given = arguments.given(inputs)
        self._calls.append(first_batch.Call(module, given, output, half))

    def loss(self, losses: list[Any]) -> None:
        """Take in what is about to be differentiated, and is not counted yet."""
        recording, calls, wanted = self._recording, self._calls, self._wanted
        self._calls = []
        if not wanted:
            return
        try:
            if recording.first is None:
                recording.first = first_batch.kept(calls, losses)
            else:
                recording.first.later.append(first_batch.follows(recording.first, calls, losses))
        except Unavailable as reason:
            if recording.first is None:
                recording.no_first = str(reason)
