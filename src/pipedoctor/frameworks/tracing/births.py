"""What there is to say of a value that is not finite: when, where, how many, of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipedoctor.facts.trace import BACKWARD, DATA, FORWARD, OPTIMIZER, WEIGHTS, Birth
from pipedoctor.finding import NOWHERE
from pipedoctor.frameworks.tracing import families, operands, places
from pipedoctor.frameworks.tracing.modules import ModulePath
from pipedoctor.frameworks.tracing.values import NAN, bad_places, plain, rows

MASKING = frozenset(
    {
        "masked_fill",
        "masked_fill_",
        "full",
        "full_like",
        "new_full",
        "where",
        "scalar_tensor",
        "fill_",
        "lift_fresh",
        "lift_fresh_copy",
        "masked_scatter",
    }
)
"""Infinities that these write are meant to be there."""

MASK_ARITHMETIC = frozenset({"_to_copy", "add", "add_", "sub", "mul", "mul_", "rsub"})
"""The lowest number of a dtype becomes -inf when it is added to, or cast to a smaller dtype."""

OWN = "a tensor of the code's own"

Call = tuple[Sequence[Any], Mapping[str, Any], Mapping[int, Any]]
"""The arguments of an operation, and what those were that it changed in place."""


class Registrar:
    """Describes births; knows the model's layers, its parameters and the size of the batch."""

    def __init__(self, model: Any, size: int) -> None:
        """Learn the names of modules and parameters."""
        self.modules = ModulePath(model)
        self._size = size
        self._names: dict[int, str] = {}
        self._shapes: frozenset[tuple[int, ...]] = frozenset()
        self._learn(model)

    def also(self, model: Any) -> None:
        """Learn the names of another model."""
        self.modules.also(model)
        self._learn(model)

    def _learn(self, model: Any) -> None:
        self._names |= {key(held): name for name, held in model.named_parameters()}
        self._shapes |= {tuple(p.shape) for p in model.parameters()}

    def arrival(self, tensor: Any, what: int, when: str, name: str) -> Birth:
        """Describe bad values that came with a tensor."""
        why, cure = families.CAME_WITH_TENSOR
        user = library = NOWHERE
        if when == DATA:
            why, cure = families.CAME_WITH_DATA
        elif when == WEIGHTS:
            why, cure = families.CAME_WITH_WEIGHTS
        else:
            (user, library), _ = places.here()
            variable = places.variable(key(tensor), key)
            name = f"{variable}, a tensor of the code's own" if variable else OWN
        bad = bad_places(tensor, what)
        word = _word(tensor, what)
        return Birth(
            when=when,
            what=word,
            name=name,
            module=name.rpartition(".")[0] if when == WEIGHTS else self.modules.current,
            where=user,
            library=library,
            count=int(bad.sum()),
            size=bad.numel(),
            shape=tuple(bad.shape),
            dtype=_dtype(tensor),
            rows=rows(bad, self._size, frozenset()) if when == DATA else None,
            operands=_lines(bad) if when == WEIGHTS else (),
            family=f"not-finite-in-the-{when}" if when in {DATA, WEIGHTS} else "",
            why=why,
            cure=cure,
            intended=_intended(word, when, name),
        )

    def birth(self, function: Any, call: Call, out: Any, what: int, phase: str) -> Birth:
        """Describe bad values that an operation has made of its operands."""
        args, kwargs, before = call
        bad = bad_places(out, what)
        as_they_were = [before.get(id(value), value) for value in args]
        told, labels = operands.describe(function, as_they_were, kwargs, bad)
        labels |= {
            f"dtype={_dtype(out)}"
        }  # a cast overflows in what it makes, not in what it gets
        when, node, module, (user, library) = self._place(phase)
        word = _word(out, what)
        short = name_of(function)
        operation = f"aten.{short}"
        kin = families.family(operation, node, when, word, labels)
        name = ""
        if when == OPTIMIZER:
            name = self._names.get(key(out), "")
        low = word == "-inf" and any(label.endswith("=lowest") for label in labels)
        intended = not what & NAN and (short in MASKING or (low and short in MASK_ARITHMETIC))
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
            dtype=_dtype(out),
            rows=None if when == OPTIMIZER else rows(bad, self._size, self._shapes),
            operands=told,
            family=kin.name if kin is not None else "",
            why=why,
            cure=cure,
            intended=intended,
        )

    def _place(self, phase: str) -> tuple[str, str, str, places.Places]:
        """Return when and where the operation that is running belongs."""
        import torch

        node = torch._C._current_autograd_node()  # noqa: SLF001 - torch tells it nowhere else
        found, any_ = places.here()
        if node is None:
            return phase, "", self.modules.current, found
        if self.modules.inside:  # a segment that is computed anew for its derivative
            return FORWARD, "", self.modules.current, found
        if not any_:
            found = places.of_node(node)
        return BACKWARD, node.name(), self.modules.of_node(node), found


def key(tensor: Any) -> int:
    """Return the identity of a tensor's storage; of one without a storage, its own."""
    try:
        return int(tensor.untyped_storage()._cdata)  # noqa: SLF001 - the identity of a storage
    except (NotImplementedError, RuntimeError):  # some types of tensors can't be asked
        return id(tensor)


def name_of(function: Any) -> str:
    """Return the name of an operation without its namespace and overload."""
    return str(function._schema.name.partition("::")[2])  # noqa: SLF001 - its only place


def _lines(bad: Any) -> tuple[str, ...]:
    """Say in which rows of a table of weights the bad values stand, if those are few."""
    if bad.ndim != 2:
        return ()
    hit = bad.any(1).nonzero().flatten().tolist()
    if len(hit) * 2 > len(bad):
        return ()
    few = ", ".join(f"{row:,}" for row in hit[:8]) + (" …" if len(hit) > 8 else "")
    return (f"in row{'s' if len(hit) > 1 else ''} {few} of {len(bad):,}",)


def _intended(word: str, when: str, name: str) -> bool:
    """Whether an infinity is meant to be in a tensor; of what data bring along, in masks only."""
    if when == DATA:
        return word == "-inf" and any(part in name for part in ("mask", "bias"))
    return word != "NaN" and when != WEIGHTS


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _word(tensor: Any, what: int) -> str:
    if what & NAN:
        return "NaN"
    values = plain(tensor)
    return "inf" if bool((values == float("inf")).any()) else "-inf"
