"""What the symbolic machine builds in place of objects: names, calls, and containers of them."""

from __future__ import annotations

from dataclasses import dataclass


class Global:
    """A global that a pickle names; nothing is looked up."""

    __slots__ = ("module", "name", "offset")

    def __init__(self, module: str, name: str, offset: int) -> None:
        """Remember where it stands."""
        self.module = module
        self.name = name
        self.offset = offset

    @property
    def pair(self) -> tuple[str, str]:
        """The module and the name, the way in which lists of globals are kept."""
        return (self.module, self.name)


class Call:
    """A call that loading the pickle would make, with what is done to its result afterwards."""

    __slots__ = ("arguments", "function", "items", "state")

    def __init__(self, function: object, arguments: object) -> None:
        """Remember the function and its arguments."""
        self.function = function
        self.arguments = arguments
        self.state: object = None
        self.items: list[object] | None = None

    def named(self, module: str, *names: str) -> bool:
        """Whether it is a call of one of these globals."""
        function = self.function
        return type(function) is Global and function.module == module and function.name in names


class Pairs(list[object]):
    """A dict: key, value, key, value, in the order of writing."""

    __slots__ = ()


class Members(list[object]):
    """A set or frozenset."""

    __slots__ = ()


class Long:
    """A string or bytes too long to keep."""

    __slots__ = ("length", "offset")

    def __init__(self, length: int, offset: int) -> None:
        """Remember where the content begins."""
        self.length = length
        self.offset = offset


class Unknown:
    """An object that nobody can know from the file: of the extension registry, or out of band."""

    __slots__ = ()


class Storage:
    """The memory behind tensors: a record of the archive, told by its key."""

    __slots__ = ("key", "kind", "location", "numel", "view")

    def __init__(
        self, kind: Global, key: str, location: object, numel: int, view: tuple[int, int] | None
    ) -> None:
        """Remember the record; a `view` is a stretch of it, as offset and length in elements."""
        self.kind = kind
        self.key = key
        self.location = location
        self.numel = numel
        self.view = view


@dataclass(slots=True)
class Rebuilt:
    """A tensor, as the call that would rebuild it tells."""

    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    storage: Storage | None


CONTAINERS = frozenset({list, tuple, Pairs, Members, Call})
"""The types of node that hold others."""
