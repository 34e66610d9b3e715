"""The installed packages: what they ask of each other, and how they lie on the path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Conflict:
    """
    A package that others cannot work with: which version is there (None: none), who asks for what.

    `needed_by` maps the packages, with their versions, to what they declare. `together` is what
    would satisfy all of them, "" where nothing would. `stops` says that one of them refuses to be
    imported.
    """

    package: str
    version: str | None
    needed_by: Mapping[str, str]
    together: str
    stops: bool = False


@dataclass(frozen=True)
class Copies:
    """A package that is there more than once: (version, folder), the one that is used first."""

    package: str
    copies: tuple[tuple[str, str], ...]
    user_site: bool = False
    """Whether the one that is used lies in the user's own folder, besides the environment's."""

    @property
    def together(self) -> bool:
        """Whether two of them lie in one folder, so that their files may be mixed."""
        folders = [folder for _, folder in self.copies]
        return len(set(folders)) < len(folders)


@dataclass(frozen=True, repr=False, eq=False)
class Packages(Fact):
    """
    The packages of training as they are installed.

    `versions` are all of them; `editable` maps those that are installed from a working copy to
    its folder. `damaged` maps the folders of metadata that can't be read to the reason. `hidden`
    maps files of the working directory to the packages that they hide. `conflicts` is unknown
    where requirements can't be compared.
    """

    doing = "Comparing what packages ask of each other"

    python: str
    prefix: str
    versions: Mapping[str, str]
    conflicts: tuple[Conflict, ...] = UNKNOWN
    copies: tuple[Copies, ...] = ()
    editable: Mapping[str, str] = UNKNOWN
    damaged: Mapping[str, str] = UNKNOWN
    hidden: Mapping[str, str] = UNKNOWN
    reporters: tuple[str, ...] = UNKNOWN
    """The tools that `report_to="all"` would report to."""

    def figures(self) -> Mapping[str, object]:
        """Return what is known."""
        told: dict[str, object] = {
            "python": self.python,
            "prefix": self.prefix,
            "versions": dict(self.versions),
            "copies": [asdict(one) for one in self.copies],
        }
        if self.known("conflicts"):
            told["conflicts"] = [asdict(one) for one in self.conflicts]
        for name in ("editable", "damaged", "hidden", "reporters"):
            if self.known(name):
                told[name] = getattr(self, name)
        return told
