"""A step of Keras on torch, looked at by the lineage of torch's operations."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.facts.trace import BACKWARD, OPTIMIZER, WEIGHTS
from pipedoctor.frameworks.fitting.library import Library
from pipedoctor.frameworks.fitting.nan.calls import Calls
from pipedoctor.frameworks.tracing.lineage import Lineage


class Modules:
    """The layers of Keras, whose calls torch's own hooks do not see."""

    def __init__(self, library: Library) -> None:
        """Know of no call yet."""
        self._calls = Calls(library)
        self._watched: Any = None
        self._spans: list[tuple[int, str]] = []

    def __enter__(self) -> None:
        """Watch the calls."""
        self._watched = self._calls.watched(self._note)
        self._watched.__enter__()

    def __exit__(self, *error: object) -> None:
        """Watch no longer."""
        self._watched.__exit__(*error)

    @property
    def current(self) -> str:
        """The path of the innermost layer that is being called."""
        return self._calls.current

    @property
    def inside(self) -> bool:
        """Whether one is being called."""
        return bool(self._calls.current)

    def of_node(self, node: Any) -> str:
        """Return the layer in which the operation of a backward node was called."""
        number = node._sequence_nr()  # noqa: SLF001 - torch tells it nowhere else
        before = [name for begin, name in self._spans if begin <= number]
        return before[-1] if before else ""

    def _note(self) -> None:
        import torch

        number = int(torch._C._autograd._get_sequence_nr())  # noqa: SLF001 - likewise
        self._spans.append((number, self._calls.current))


class Lines:
    """What `tensorflow.Operations` is, for torch."""

    def __init__(self, library: Library, model: Any, size: int) -> None:
        """Look at nothing yet."""
        self.journal = Lineage(model, size)
        layers: Any = Modules(library)
        self.journal._registrar.modules = layers  # noqa: SLF001 - those of Keras for those of torch
        self._updating = False
        held = {one.path: one.value.detach() for one in model.variables}
        self.journal.came_with(held, WEIGHTS)

    @property
    def updating(self) -> bool:
        """Whether the optimizer is at work."""
        return self._updating

    @updating.setter
    def updating(self, value: bool) -> None:
        self._updating = value
        self.journal.phase = OPTIMIZER

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is run inside."""
        import torch

        original = torch.autograd.backward

        def backward(*words: Any, **keywords: Any) -> Any:
            self.journal.phase = BACKWARD
            return original(*words, **keywords)

        torch.autograd.backward = backward
        try:
            with self.journal.watching(), torch.enable_grad():
                yield
        finally:
            torch.autograd.backward = original
