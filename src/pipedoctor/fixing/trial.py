"""Which fixes can be made in a file as it stands: each is tried on its text, and nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipedoctor.fix import Fix
from pipedoctor.fixing import Refused, files
from pipedoctor.fixing.edits import edited
from pipedoctor.targets import TargetError


def refused(path: str, fixes: Iterable[Fix]) -> Mapping[int, str]:
    """Return why fixes can't be made, by the `id` of each; nothing of a file that can't be read."""
    try:
        raw = files.read(path).decode("utf-8-sig")
    except (TargetError, OSError, ValueError):
        return {}  # whoever wants it fixed is told
    found: dict[int, str] = {}
    for fix in fixes:
        try:
            edited(raw, path, fix)
        except Refused as reason:
            found[id(fix)] = str(reason)
        except (TargetError, SyntaxError):
            return {}
    return found
