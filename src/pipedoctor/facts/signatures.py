"""What the classes take that a training script makes, in the versions that are installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import Fact, Unavailable, Unknown
from pipedoctor.facts.arguments import Argument, version_key


@dataclass(repr=False, eq=False)
class Signature:
    """
    What the constructor of a class takes in one version of its package.

    `parameters` has the names that are sure to be taken, `unsure` those that the nearest known
    releases disagree on, where the source of this one could not be read. `own` are those of them
    that the class declares itself, with type and default, if it is a dataclass. `open` says that
    it takes more than its own: keywords that it hands on, or the fields of a base class.
    `history` maps every name that a known release had to those releases, oldest first.
    """

    name: str
    version: str
    parameters: frozenset[str]
    unsure: frozenset[str]
    own: Mapping[str, Argument]
    open: bool
    history: Mapping[str, tuple[str, ...]]

    @property
    def package(self) -> str:
        """The package, with its version."""
        return f"{self.name.partition('.')[0]} {self.version}"

    def takes(self, name: str) -> bool:
        """Whether it declares a parameter; `Unavailable` where releases around it differ."""
        if name in self.unsure:
            known = self.history.get(name, ())
            raise Unavailable(
                f"whether {self.name} takes {name} in {self.package} is not known; "
                f"{', '.join(known)} had it"
            )
        return name in self.parameters

    def removed_after(self, name: str) -> str | None:
        """Return the last known release that took a name, if this version is newer."""
        known = self.history.get(name, ())
        older = [r for r in known if version_key(r) < version_key(self.version)]
        return older[-1] if older else None


@dataclass(frozen=True, repr=False, eq=False)
class Signatures(Fact):
    """The signatures of the classes that are looked up, or the reason why there is none."""

    doing = "Reading the signatures of the installed libraries"

    classes: Mapping[str, Signature | Unknown]

    def of(self, name: str) -> Signature:
        """
        Return the signature of a class: "transformers.Trainer", wherever it is defined.

        Raises:
            Unavailable: Its package is not installed, or the class is none of those looked up.

        """
        package, _, rest = name.partition(".")
        found = self.classes.get(f"{package}.{rest.rpartition('.')[2]}")
        if isinstance(found, Signature):
            return found
        raise Unavailable(str(found.reason) if found else f"the signature of {name} is not known")
