"""Which training arguments a version of transformers knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Argument:
    """
    One field of `TrainingArguments`: its declared type, and its default.

    `default` is `UNKNOWN` where an expression computes it.
    """

    type: str
    default: object = UNKNOWN


@dataclass(frozen=True, repr=False, eq=False)
class Arguments(Fact):
    """
    The fields of `TrainingArguments` in one version, and what became of those of other versions.

    `installed` is false where the package isn't there and the newest release known is assumed.
    `releases` are the releases whose fields are known, oldest first; `history` maps every name
    that any of them had to the releases that had it. `release` is the one whose fields these
    are: another than `version` where the fields of that one are not known. The history is that
    of `TrainingArguments` also where `of` is a class that is derived from it.
    """

    version: str
    installed: bool
    fields: Mapping[str, Argument]
    releases: tuple[str, ...] = ()
    history: Mapping[str, tuple[str, ...]] = UNKNOWN
    release: str = UNKNOWN
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The values of the enums that arguments are made of, by the name of the enum."""
    of: str = "transformers.TrainingArguments"
    """The class whose fields these are: that one, or one that is derived from it."""
    of_version: str = ""
    """The version of the package that this class is from, where it is another one."""

    bound_by: str = ""
    """The tool that works with nothing newer than this version, where that is not the one here."""

    @property
    def owner(self) -> str:
        """The class and its package in words: "SFTConfig of trl 1.16.0"."""
        package, _, last = self.of.partition(".")
        return f"{last.rpartition('.')[2]} of {package} {self.of_version or self.version}"

    def choice(self, name: str) -> tuple[str, ...]:
        """Return the words that an argument takes; empty where it is no choice, or not known."""
        declared = self.fields[name].type if name in self.fields else ""
        return next((self.words[enum] for enum in self.words if enum in declared), ())

    def removed_after(self, name: str) -> str | None:
        """Return the last known release that had this argument, if this version lacks it."""
        had = self.history.get(name, ())
        return had[-1] if had and name not in self.fields and self._older(had[-1]) else None

    def added_in(self, name: str) -> str | None:
        """Return the first known release with this argument, if this version is older."""
        had = self.history.get(name, ())
        return had[0] if had and name not in self.fields and not self._older(had[0]) else None

    def _older(self, release: str) -> bool:
        return version_key(release) <= version_key(self.version)


def version_key(version: str) -> tuple[int, ...]:
    """Return the numbers of a version, to compare: "5.23.0rc1" is (5, 23, 0)."""
    numbers = []
    for part in version.split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
