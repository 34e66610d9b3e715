"""What the checks of calls in a script share: how sure a call is to run, and what catches its error."""

from __future__ import annotations

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Environment
from pipedoctor.facts.script import Place
from pipedoctor.finding import Severity

CATCH_ALL = frozenset({"", "Exception", "BaseException"})


def severity(place: Place) -> Severity | None:
    """Return how grave an error is in a place that may never be reached."""
    return None if place.runs == "always" else Severity.WARNING


def caught(place: Place, *errors: str) -> bool:
    """Whether the script is prepared for one of these errors."""
    return bool(set(place.caught) & {*errors, *CATCH_ALL})


def transformers(environment: Environment) -> str:
    """Return the version of transformers, or raise `Unavailable`."""
    version = environment.versions.get("transformers")
    if version is None:
        raise Unavailable("transformers is not installed")
    return version
