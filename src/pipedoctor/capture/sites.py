"""Where the user's code made the parts: the calls in a script that a finding can point at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipedoctor.finding import NOWHERE, Location

if TYPE_CHECKING:
    from pipedoctor.parts import Parts


@dataclass(frozen=True)
class Site:
    """
    A call in the user's code: its first line, and the places of the keywords written in it.

    An argument that was read from a config or the command line has its place there. `given` are
    the names of all arguments that the call got, written there or not. `config` is the call that
    made the config which a model was built from, if that is another one.
    """

    place: Location
    keywords: Mapping[str, Location] = field(default_factory=dict)
    given: frozenset[str] = frozenset()
    config: Site | None = None

    def where(self, *names: str) -> Location:
        """Return the place of the first of these keywords that is stated, else that of the call."""
        return next((self.keywords[name] for name in names if name in self.keywords), self.place)


class Written(dict[str, Any]):
    """
    Settings as a call stated them that could not make them, with the place of each.

    Passwords and tokens are left out: a finding may repeat a value, to be copied.
    """

    def __init__(self, given: Mapping[str, Any], site: Site, known: frozenset[str]) -> None:
        """Take what was given, where, and the names that the class of the arguments knows."""
        from pipedoctor.masking import secrets
        from pipedoctor.serial import plain

        hidden = secrets(given)
        super().__init__(
            (name, "…" if isinstance(value, str) and value in hidden else plain(value))
            for name, value in given.items()
        )
        self.locations = site.keywords
        self.made = site.place
        self.script_keys = known
        self.dialect = "python"


def of(parts: Parts, name: str) -> Site | None:
    """Return where a part was made, if that was seen."""
    site = parts["sites"].get(name) if "sites" in parts else None
    return site if isinstance(site, Site) else None


def data(parts: Parts, split: str) -> Location:
    """Return where a trainer was given the data of a split: the line of the keyword."""
    site = of(parts, "trainer")
    return NOWHERE if site is None else replace(site.where(f"{split}_dataset"), key=None)
