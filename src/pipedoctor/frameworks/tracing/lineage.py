"""
How values that are not finite descend, operation by operation, through one step.

Most of them are no fault: masks hold -inf on purpose, and what a formula makes of 0/0 is often
thrown away by the next operation. So nothing is judged when it comes up. Each birth gets a number,
the numbers of its ancestors go with whatever is computed from it, and only what has come through
to the loss, a gradient or a weight is looked at in the end.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pipedoctor.facts.trace import FORWARD, OPTIMIZER, Birth
from pipedoctor.frameworks.tracing.births import Call, Registrar, name_of
from pipedoctor.frameworks.tracing.births import key as key_of
from pipedoctor.frameworks.tracing.values import NAN, kind, looked_at

UNFILLED = frozenset({"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"})
"""What these make holds whatever was in memory; it is filled later."""

REPLACING = frozenset({"copy_", "fill_", "zero_", "normal_", "uniform_", "bernoulli_", "random_"})
"""What these change in place is not looked at before: nothing of it stays."""

KEPT = 1 << 22
"""An operand that is changed in place is copied up to so many elements, to be described."""

MOST = 1000
"""So many births are described; a step that has gone so far astray makes no new ones of interest."""


@dataclass(frozen=True)
class Traits:
    """What is to be known of an operation, found out once."""

    name: str
    ignored: bool
    written: tuple[tuple[int, str], ...]
    """The places and names of the arguments that it changes."""
    replaces: bool


@dataclass(frozen=True)
class Line:
    """One birth, and the numbers of those that it comes from."""

    birth: Birth
    what: int
    parents: frozenset[int]


class Lineage:
    """
    Watches operations while `watching` is entered.

    `size` is the number of rows of the batch. Tensors are known by their storage, as long as it
    lives; none is kept alive.
    """

    def __init__(self, model: Any, size: int) -> None:
        """Look at nothing yet."""
        self.lines: list[Line] = []
        self.phase = FORWARD
        self._registrar = Registrar(model, size)
        self._known: dict[int, frozenset[int]] = {}
        self._kinds: dict[int, tuple[int, object]] = {}
        self._traits: dict[Any, Traits] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is computed inside; autograd remembers the lines of what it will derive."""
        import warnings

        import torch

        with ExitStack() as inside, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Anomaly Detection has been enabled")
            warnings.filterwarnings("ignore", message="Error detected in")  # breaking off is none
            inside.enter_context(torch.autograd.set_detect_anomaly(True, check_nan=False))
            inside.enter_context(self._registrar.modules)
            inside.enter_context(_mode(self))
            yield

    def came_with(self, tensors: Mapping[str, Any], when: str) -> None:
        """Look at tensors that are there before anything is computed, and learn their names."""
        for name, tensor in tensors.items():
            if looked_at(tensor) and (what := kind(tensor)):
                self._learn(tensor, self._arrived(tensor, what, when, name), what)

    def also(self, model: Any) -> None:
        """Learn the names of another model's layers and parameters."""
        self._registrar.also(model)

    def ancestors(self, tensors: Iterable[Any]) -> list[int]:
        """Return the numbers of the births that these tensors' bad values come from."""
        found: set[int] = set()
        for tensor in tensors:
            if looked_at(tensor) and kind(tensor):
                found |= self._known.get(key_of(tensor), frozenset())
        return sorted(found)

    def holds_nan(self, tensor: Any) -> bool:
        """Whether a tensor is known to hold NaN; nothing is computed for it."""
        key = key_of(tensor)
        return key in self._known and bool(self._kinds[key][0] & NAN)

    def run(self, function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        """Run an operation, and look at what it gives."""
        traits = self._traits.get(function)
        if traits is None:
            traits = self._traits[function] = _traits(function)
        if traits.ignored:
            return function(*args, **kwargs)
        bad, parents = self._bad(traits, args, kwargs) if self._known else (0, frozenset[int]())
        written = [args[n] if n < len(args) else kwargs.get(name) for n, name in traits.written]
        before = self._kept(written)
        out = function(*args, **kwargs)
        met = set()
        for tensor in _tensors((out, *written)):
            key = key_of(tensor)
            if key in met or not looked_at(tensor):
                continue
            met.add(key)
            what = kind(tensor, sure=bool(bad & NAN))
            if not what:
                if written and key in self._known and _whole(tensor):
                    del self._known[key]
                continue
            ids = parents
            if not bad or (what & NAN and not bad & NAN):
                ids = self._born(function, traits, (args, kwargs, before), tensor, (what, parents))
            self._learn(tensor, ids, what)
        return out

    def _bad(
        self, traits: Traits, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, frozenset[int]]:
        """Return what is bad among the operands, and which births that comes from."""
        bad, parents = 0, frozenset[int]()
        operands_ = args[1:] if traits.replaces else args
        for tensor in _tensors((operands_, {n: v for n, v in kwargs.items() if n != "out"})):
            key = key_of(tensor)
            ids = self._known.get(key)
            if ids is None or not looked_at(tensor):
                continue
            seen, state = self._kinds.get(key, (0, None))
            if what := seen if state == _state(tensor) else kind(tensor, sure=bool(seen & NAN)):
                bad |= what
                parents |= ids
        return bad, parents

    def _kept(self, written: Sequence[Any]) -> dict[int, Any]:
        """Return copies of operands that are about to be changed, to be told of afterwards."""
        if not written or self.phase == OPTIMIZER:
            return {}
        return {
            id(tensor): tensor.clone()
            for tensor in _tensors(written)
            if looked_at(tensor) and tensor.numel() <= KEPT
        }

    def _learn(self, tensor: Any, ids: frozenset[int], what: int) -> None:
        key = key_of(tensor)
        if key not in self._known:
            holder = tensor if key == id(tensor) else tensor.untyped_storage()
            weakref.finalize(holder, self._known.pop, key, None).atexit = False
        self._known[key] = ids
        self._kinds[key] = what, _state(tensor)

    def _born(
        self,
        function: Any,
        traits: Traits,
        call: Call,
        out: Any,
        came: tuple[int, frozenset[int]],
    ) -> frozenset[int]:
        """Return the numbers that the result of an operation has, a new one among them."""
        what, parents = came
        strange, strangers = self._strangers(traits, call)
        parents |= strangers
        if strange and (strange & NAN or not what & NAN):
            return parents  # it came in with a tensor that nothing was known of
        if len(self.lines) >= MOST:
            return parents
        birth = self._registrar.birth(function, call, out, what, self.phase)
        self.lines.append(Line(birth, what, parents))
        return parents | {len(self.lines) - 1}

    def _arrived(self, tensor: Any, what: int, when: str, name: str = "") -> frozenset[int]:
        """Note that a tensor came with bad values; return the number of that."""
        self.lines.append(
            Line(self._registrar.arrival(tensor, what, when, name), what, frozenset())
        )
        return frozenset({len(self.lines) - 1})

    def _strangers(self, traits: Traits, call: Call) -> tuple[int, frozenset[int]]:
        """Look at operands that nothing is known of: a tensor that the code keeps somewhere."""
        args, kwargs, before = call
        written = [args[n] for n, _ in traits.written if n < len(args)]
        changed = {id(tensor) for tensor in _tensors(written)} - before.keys()
        found, ids = 0, frozenset[int]()
        operands_ = args[1:] if traits.replaces else args
        for tensor in _tensors((operands_, {n: v for n, v in kwargs.items() if n != "out"})):
            if key_of(tensor) in self._known or id(tensor) in changed or not looked_at(tensor):
                continue
            was = before.get(id(tensor), tensor)
            if what := kind(was):
                ids |= self._arrived(was, what, self.phase)
                self._learn(tensor, ids, what)
                found |= what
        return found, ids


def _mode(lineage: Lineage) -> Any:
    """Return the mode of torch through which all operations go to the lineage."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watching(TorchDispatchMode):  # type: ignore[misc]  # torch does not type it
        def __torch_dispatch__(
            self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            return lineage.run(func, args, kwargs or {})

    return Watching()


def _traits(function: Any) -> Traits:
    schema, name = function._schema, name_of(function)  # noqa: SLF001 - its only place
    written = tuple(
        (place, argument.name)
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )
    ignored = name in UNFILLED or function.is_view or name in {"detach", "alias"}
    return Traits(name, ignored, written, name in REPLACING)


def _tensors(values: Any) -> Iterator[Any]:
    """Yield the tensors among arguments; they stand in lists, but no deeper."""
    import torch

    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, (list, tuple)):
        for value in values:
            yield from _tensors(value)
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))


def _state(tensor: Any) -> object:
    """Return what is the same as long as nothing is written to a tensor; of a part, nothing is."""
    if tensor.is_inference() or not _whole(tensor):
        return object()
    return tensor._version  # noqa: SLF001 - its only place


def _whole(tensor: Any) -> bool:
    """Whether a tensor takes up all of its storage, so that nothing else is in there."""
    try:
        return bool(tensor.numel() * tensor.element_size() >= tensor.untyped_storage().nbytes())
    except (NotImplementedError, RuntimeError):  # some types of tensors can't be asked
        return True
