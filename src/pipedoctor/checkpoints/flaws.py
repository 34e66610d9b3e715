"""The flaws of one file, collected: each kind is told a few times and then counted."""

from __future__ import annotations

from dataclasses import replace

from pipedoctor.checkpoints.contents import Flaw, FlawKind

MOST = 8
"""As many of one kind show what is wrong; a damaged header can have 100,000."""


class Flaws:
    """What was found wrong so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._found: dict[FlawKind, list[Flaw]] = {}
        self._more: dict[FlawKind, int] = {}

    def add(
        self, kind: FlawKind, message: str, *, tensor: str = "", offset: int | None = None
    ) -> None:
        """Note one."""
        found = self._found.setdefault(kind, [])
        if len(found) < MOST:
            found.append(Flaw(kind, message, tensor, offset))
        else:
            self._more[kind] = self._more.get(kind, 0) + 1

    def take(self, flaws: tuple[Flaw, ...]) -> None:
        """Note those of a part."""
        for flaw in flaws:
            self.add(flaw.kind, flaw.message, tensor=flaw.tensor, offset=flaw.offset)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._found)

    def __contains__(self, kind: object) -> bool:
        """Tell whether there is one of this kind."""
        return kind in self._found

    @property
    def first(self) -> str:
        """What the first one says, "" where there is none."""
        return next((flaws[0].message for flaws in self._found.values()), "")

    def told(self) -> tuple[Flaw, ...]:
        """Return them; the last of a kind says how many more there are."""
        for kind, more in self._more.items():
            last = self._found[kind][-1]
            self._found[kind][-1] = replace(last, message=f"{last.message} (and {more:,} more)")
        self._more.clear()
        return tuple(flaw for flaws in self._found.values() for flaw in flaws)
