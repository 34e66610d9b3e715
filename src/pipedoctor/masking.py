"""Keeping secrets out of reports: a token in a config must not end in the log of a CI run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.finding import Finding
from pipedoctor.fix import Fix
from pipedoctor.report import Outcome

SECRET = re.compile(r"token$|tokn$|password|passwd|secret|api_?key|credential", re.IGNORECASE)
"""Names of arguments whose values nobody else may see; `eos_token` and its like are none."""

HARMLESS = re.compile(r"^(bos|eos|pad|unk|sep|cls|mask|image|additional_special)_token$")


def is_secret(name: object) -> bool:
    """Whether the value of an argument of this name is to be kept out."""
    return isinstance(name, str) and bool(SECRET.search(name)) and not HARMLESS.match(name)


def secrets(settings: Mapping[str, Any]) -> set[str]:
    """Return the values to be kept out, as texts."""
    return {
        value
        for name, value in settings.items()
        if is_secret(name)
        if isinstance(value, str) and len(value) >= 4
    }


def masked(outcomes: Iterable[Outcome], hidden: set[str]) -> tuple[Outcome, ...]:
    """Return the outcomes with an ellipsis wherever one of these texts stands."""
    if not hidden:
        return tuple(outcomes)
    pattern = re.compile("|".join(map(re.escape, sorted(hidden, key=len, reverse=True))))

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub("…", value)
        if isinstance(value, Mapping):
            return {key: clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(map(clean, value))
        return value

    def harmless(fix: Fix | None) -> Fix | None:
        # One that holds such a text is dropped: it would write the ellipsis.
        return fix if fix is None or clean(fix.plain()) == fix.plain() else None

    def finding(found: Finding) -> Finding:
        return replace(
            found,
            message=clean(found.message),
            remedy=clean(found.remedy),
            alternatives=clean(found.alternatives),
            shows=clean(found.shows),
            evidence=clean(found.evidence),
            where=replace(found.where, source=clean(found.where.source)),
            fix=harmless(found.fix),
        )

    return tuple(
        replace(o, findings=tuple(map(finding, o.findings)), reason=clean(o.reason))
        for o in outcomes
    )
