"""An import hook that calls a function right after a module was executed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

Seen = Callable[[ModuleType], None]


class _Watched(Loader):
    """The loader of a module, and what to do when it is through."""

    def __init__(self, inner: Loader, seen: Seen) -> None:
        self._inner = inner
        self._seen = seen

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._inner.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._inner.exec_module(module)
        self._seen(module)

    def __getattr__(self, name: str) -> object:
        """Answer for the loader, whose other methods readers of resources may want."""
        return getattr(self._inner, name)


class _Finder(MetaPathFinder):
    """Finds the watched modules as the other finders do, and puts our loader around theirs."""

    def __init__(self, watched: Mapping[str, Seen]) -> None:
        self._watched = watched
        self._busy: set[str] = set()

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._watched or fullname in self._busy:
            return None
        self._busy.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._busy.discard(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Watched(spec.loader, self._watched[fullname])
        return spec


@contextmanager
def watching(watched: Mapping[str, Seen]) -> Iterator[None]:
    """Call a function with each of these modules: at once, or when it will be imported."""
    for name, seen in watched.items():
        if name in sys.modules:
            seen(sys.modules[name])
    finder = _Finder({name: seen for name, seen in watched.items() if name not in sys.modules})
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
