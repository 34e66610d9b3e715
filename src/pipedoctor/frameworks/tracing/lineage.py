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

from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth
from pipedoctor.frameworks.tracing import families, operands, places
from pipedoctor.frameworks.tracing.modules import ModulePath
from pipedoctor.frameworks.tracing.values import (
    NAN,
    bad_places,
    kind,
    looked_at,
    plain,
    rows,
)

UNFILLED = frozenset({"empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"})
"""What these make holds whatever was in memory; it is filled later."""

REPLACING = frozenset({"copy_", "fill_", "zero_", "normal_", "uniform_", "bernoulli_", "random_"})
"""What these change in place is not looked at before: nothing of it stays."""

MASKING = frozenset({"masked_fill", "masked_fill_", "full", "full_like", "new_full", "where",
                     "scalar_tensor", "fill_", "lift_fresh", "lift_fresh_copy", "masked_scatter"})
"""Infinities that these write are meant to be there."""

MASK_ARITHMETIC = frozenset({"_to_copy", "add", "add_", "sub", "mul", "mul_", "rsub"})
"""The lowest number of a dtype becomes -inf when it is added to, or cast to a smaller dtype."""

KEPT = 1 << 22
"""An operand that is changed in place is copied up to so many elements, to be described."""

MOST = 1000
"""So many births are described; a step that has gone so far astray makes no new ones of interest."""


Call = tuple[Sequence[Any], Mapping[str, Any], Mapping[int, Any]]
"""The arguments of an operation, and what those were that it changed in place."""


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
        self._size = size
        self._model = model
        self._modules = ModulePath(model)
        self._shapes = frozenset(tuple(p.shape) for p in model.parameters())
        self._known: dict[int, frozenset[int]] = {}
        self._traits: dict[Any, Traits] = {}
        self._names: dict[int, str] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch what is computed inside; autograd remembers the lines of what it will derive."""
        import warnings

        import torch

        with ExitStack() as inside, warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Anomaly Detection has been enabled")
            inside.enter_context(torch.autograd.set_detect_anomaly(True, check_nan=False))
            inside.enter_context(self._modules)
            inside.enter_context(_mode(self))
            yield

    def came_with(self, tensors: Mapping[str, Any], when: str) -> None:
        """Look at tensors that are there before anything is computed, and learn their names."""
        for name, tensor in tensors.items():
            if when == WEIGHTS:
                self._names[_key(tensor)] = name
            if looked_at(tensor) and (what := kind(tensor)):
                self._learn(tensor, frozenset({self._arrival(tensor, what, when, name)}))

    def ancestors(self, tensors: Iterable[Any]) -> list[int]:
        """Return the numbers of the births that these tensors' bad values come from."""
        found: set[int] = set()
        for tensor in tensors:
            if looked_at(tensor) and kind(tensor):
                found |= self._known.get(_key(tensor), frozenset())
        return sorted(found)

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
            key = _key(tensor)
            if key in met or not looked_at(tensor):
                continue
            met.add(key)
            what = kind(tensor)
            if not what:
                if written and key in self._known and _whole(tensor):
                    del self._known[key]
                continue
            ids = parents
            if not bad or (what & NAN and not bad & NAN):
                ids = self._born(function, traits, (args, kwargs, before), tensor, (what, parents))
            self._learn(tensor, ids)
        return out

    def _bad(
        self, traits: Traits, args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> tuple[int, frozenset[int]]:
        """Return what is bad among the operands, and which births that comes from."""
        bad, parents = 0, frozenset[int]()
        operands_ = args[1:] if traits.replaces else args
        for tensor in _tensors((operands_, {n: v for n, v in kwargs.items() if n != "out"})):
            ids = self._known.get(_key(tensor))
            if ids is not None and looked_at(tensor) and (what := kind(tensor)):
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

    def _learn(self, tensor: Any, ids: frozenset[int]) -> None:
        key = _key(tensor)
        if key not in self._known:
            holder = tensor if key == id(tensor) else tensor.untyped_storage()
            weakref.finalize(holder, self._known.pop, key, None).atexit = False
        self._known[key] = ids

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
        args, kwargs, before = call
        strange, strangers = self._strangers(traits, call)
        parents |= strangers
        if strange and (strange & NAN or not what & NAN):
            return parents  # it came in with a tensor that nothing was known of
        if len(self.lines) >= MOST:
            return parents
        bad = bad_places(out, what)
        as_they_were = [before.get(id(value), value) for value in args]
        told, labels = operands.describe(function, as_they_were, kwargs, bad)
        birth = self._described(traits, out, what, bad, (told, labels))
        self.lines.append(Line(birth, what, parents))
        return parents | {len(self.lines) - 1}

    def _strangers(self, traits: Traits, call: Call) -> tuple[int, frozenset[int]]:
        """Look at operands that nothing is known of: a tensor that the code keeps somewhere."""
        args, kwargs, before = call
        written = [args[n] for n, _ in traits.written if n < len(args)]
        changed = {id(tensor) for tensor in _tensors(written)} - before.keys()
        found, ids = 0, frozenset[int]()
        operands_ = args[1:] if traits.replaces else args
        for tensor in _tensors((operands_, {n: v for n, v in kwargs.items() if n != "out"})):
            if _key(tensor) in self._known or id(tensor) in changed or not looked_at(tensor):
                continue
            was = before.get(id(tensor), tensor)
            if what := kind(was):
                number = self._arrival(was, what, self.phase, "")
                self._learn(tensor, frozenset({number}))
                found |= what
                ids |= {number}
        return found, ids

    def _arrival(self, tensor: Any, what: int, when: str, name: str) -> int:
        """Note that a tensor came with bad values; return its number."""
        why, cure = families.CAME_WITH_TENSOR
        user = library = places.NOWHERE
        if when == DATA:
            why, cure = families.CAME_WITH_DATA
        elif when == WEIGHTS:
            why, cure = families.CAME_WITH_WEIGHTS
        else:
            (user, library), _ = places.here()
        bad = bad_places(tensor, what)
        birth = Birth(
            when=when,
            what=_word(tensor, what),
            name=name or "a tensor of the code's own",
            module=name.rpartition(".")[0] if when == WEIGHTS else self._modules.current,
            where=user,
            library=library,
            count=int(bad.sum()),
            size=bad.numel(),
            shape=tuple(bad.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
            rows=rows(bad, self._size, frozenset()) if when == DATA else None,
            family=f"not-finite-in-the-{when}" if when in {DATA, WEIGHTS} else "",
            why=why,
            cure=cure,
            intended=not what & NAN and when not in {WEIGHTS},
        )
        self.lines.append(Line(birth, what, frozenset()))
        return len(self.lines) - 1

    def _described(
        self, traits: Traits, out: Any, what: int, bad: Any, operands_: tuple[Any, frozenset[str]]
    ) -> Birth:
        told, labels = operands_
        when, node, module, (user, library) = self._place()
        word = _word(out, what)
        operation = f"aten.{traits.name}"
        kin = families.family(operation, node, when, word, labels)
        name = ""
        if when == OPTIMIZER:
            name = self._names.get(_key(out), "")
        low = word == "-inf" and any(label.endswith("=lowest") for label in labels)
        intended = not what & NAN and (
            traits.name in MASKING or (low and traits.name in MASK_ARITHMETIC)
        )
        why, cure = (kin.why, kin.cure) if kin is not None else families.UNKNOWN_FAMILY
        if intended:
            told, kin, why, cure = (), None, "", ""
        return Birth(
            when=when,
            what=word,
            operation=operation,
            node=node,
            module=name.rpartition(".")[0] if name else module,
            name=name,
            where=user,
            library=library,
            count=int(bad.sum()),
            size=bad.numel(),
            shape=tuple(bad.shape),
            dtype=str(out.dtype).removeprefix("torch."),
            rows=None if when == OPTIMIZER else rows(bad, self._size, self._shapes),
            operands=told,
            family=kin.name if kin is not None else "",
            why=why,
            cure=cure,
            intended=intended,
        )

    def _place(self) -> tuple[str, str, str, places.Places]:
        """Return when and where the operation that is running belongs."""
        import torch

        node = torch._C._current_autograd_node()  # noqa: SLF001 - torch tells it nowhere else
        found, any_ = places.here()
        if node is None:
            return self.phase, "", self._modules.current, found
        if self._modules.inside:  # a segment that is computed anew for its derivative
            return FORWARD, "", self._modules.current, found
        if not any_:
            found = places.of_node(node)
        return BACKWARD, node.name(), self._modules.of_node(node), found


def _mode(lineage: Lineage) -> Any:
    """Return the mode of torch through which all operations go to the lineage."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Watching(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            return lineage.run(func, args, kwargs or {})

    return Watching()


def _traits(function: Any) -> Traits:
    schema = function._schema  # noqa: SLF001 - what an operation changes is told nowhere else
    name = schema.name.partition("::")[2]
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


def _key(tensor: Any) -> int:
    """Return the identity of a tensor's storage; of one without a storage, its own."""
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - the identity of a storage
    except (NotImplementedError, RuntimeError):
        return id(tensor)


def _whole(tensor: Any) -> bool:
    """Whether a tensor takes up all of its storage, so that nothing else is in there."""
    try:
        return bool(tensor.numel() * tensor.element_size() >= tensor.untyped_storage().nbytes())
    except (NotImplementedError, RuntimeError):
        return True


def _word(tensor: Any, what: int) -> str:
    if what & NAN:
        return "NaN"
    values = plain(tensor)
    return "inf" if bool((values == float("inf")).any()) else "-inf"

