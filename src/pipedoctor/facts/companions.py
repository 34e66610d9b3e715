"""What the configs beside a training config state: those of accelerate and of DeepSpeed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Fact
from pipedoctor.finding import Location


@dataclass(frozen=True)
class Statement:
    """One value in one of these files; `key` is its whole path, such as `optimizer.params.lr`."""

    tool: str
    key: str
    value: Any
    where: Location


@dataclass(frozen=True, repr=False, eq=False)
class Companions(Fact):
    """The values that these files state, in their order; "auto" is none."""

    statements: tuple[Statement, ...]
    unknown: tuple[Statement, ...] = ()
    """What stands in accelerate's config under keys that it does not know."""
    known_keys: frozenset[str] = frozenset()
    """The keys that it knows at the top of its config, in the version `accelerate`."""
    accelerate: str = ""
    installed: bool = False

    def find(self, tool: str, key: str) -> Statement | None:
        """Return what a tool's config states under a key, if it does."""
        return next((s for s in self.statements if (s.tool, s.key) == (tool, key)), None)

    def summary(self) -> Mapping[str, object]:
        """Tell how many values they state."""
        return {"statements": len(self.statements)}
