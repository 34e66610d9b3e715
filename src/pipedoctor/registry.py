"""Finding the installed checks. The engine imports none of them by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType

from pipedoctor import plugins
from pipedoctor.declare import AnyCheck, Check


@dataclass(frozen=True)
class Registry:
    """The checks that loaded, in the order of their codes, and a line for each that did not."""

    checks: tuple[AnyCheck, ...]
    problems: tuple[str, ...] = ()

    def __getitem__(self, code: str) -> AnyCheck:
        """Return the check of a code; `KeyError` if there is none."""
        for check in self.checks:
            if check.code == code:
                return check
        raise KeyError(code)


@cache
def load() -> Registry:
    """Import all installed checks."""
    return collect(plugins.entries(plugins.CHECKS))


def collect(entries: Iterable[plugins.Plugin]) -> Registry:
    """Import the checks of these plugins; one that fails hides no other."""
    found: dict[str, AnyCheck] = {}
    problems: list[str] = []
    for plugin in entries:
        try:
            for check in checks_in(plugin.load()):
                if found.setdefault(check.code, check) is not check:
                    problems.append(
                        f"{plugin.name}: {check.code} is taken by {found[check.code].name}"
                    )
        except Exception as error:  # one broken plugin must not hide the others
            problems.append(f"{plugin.name}: {type(error).__name__}: {error}")
    return Registry(tuple(sorted(found.values(), key=lambda c: c.code)), tuple(problems))


def checks_in(module: ModuleType) -> Iterator[AnyCheck]:
    """Yield the checks of a module, and of all modules below it if it is a package."""
    yield from (
        value
        for value in vars(module).values()
        if isinstance(value, Check) and value.diagnose.__module__ == module.__name__
    )
    for info in pkgutil.iter_modules(getattr(module, "__path__", ())):
        yield from checks_in(import_module(f"{module.__name__}.{info.name}"))
