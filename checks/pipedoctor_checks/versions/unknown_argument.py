from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor_checks.versions._fixes import replaced
from pipedoctor_checks.versions._keys import keys, place, whose

CLOSE = 0.85
"""How like a known name a key must be to count as a slip of the pen: one letter in seven."""


@check(
    "VER012",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"Some keys are not used by the HfArgumentParser": "delete the keys it lists, or write the names that it knows",
        r"Some specified arguments are not used by the HfArgumentParser": "delete the arguments it lists, or write the names that it knows",
        r"TrainingArguments.*unexpected keyword argument": "delete the argument, or write the name that this version knows",
    },
)
def unknown_argument(settings: Settings) -> Iterator[Finding]:
    """
    A key of the settings is no argument of this run, in no release of transformers.

    `HfArgumentParser` stops at such a key: `ValueError: Some keys are not used by the
    HfArgumentParser`. A script that reads its config otherwise may ignore it, and train with the
    default of what was meant. A key that is nearly the name of an argument is an error; another
    one is only noted, since a script may define arguments of its own.

    Fails:

        settings = {"learning_rte": 2e-5}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"learning_rate": 2e-5}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/hiyouga/LLaMA-Factory/issues/7412>.
    """
    tool = settings.reading
    silent = tool is not None and tool.strict
    for key, value in keys(settings, "VER012"):
        close = _close(settings, key)
        if close is not None:
            stated = close in settings.stated
            yield Finding(
                message=f"{key} is no argument of {whose(settings)}; {close} is"
                + (f"; {tool.tool} passes over it in silence" if silent and tool else ""),
                where=place(settings, key),
                evidence={"key": key, "close": close},
                remedy=f"delete the key: {close} is stated as well"
                if stated
                else f"rename the keyword: {close}=…"
                if settings.dialect == "python"
                else f"write {settings.entry(close, value)}",
                # A call refuses the name, and so does HfArgumentParser in a script that is known.
                fix=replaced(
                    settings,
                    key,
                    close,
                    safe=settings.script is not None or settings.dialect == "python",
                ),
            )
        elif tool is not None:
            yield Finding(
                message=f"{key} is no argument of {whose(settings)}"
                + (
                    ", which passes over it in silence" if silent else f"; {tool.tool} stops at it"
                ),
                where=place(settings, key),
                evidence={"key": key, tool.tool: tool.version},
                remedy="delete the key, or write the name that is meant",
                severity=Severity.NOTE if silent or not tool.installed else None,
            )
        elif settings.script is not None:
            yield Finding(
                message=f"{key} is no argument of {whose(settings)}, nor of any release since "
                f"{settings.arguments.releases[0]}; HfArgumentParser stops at it, unless the script is your "
                "own and defines it",
                where=place(settings, key),
                evidence={"key": key},
                remedy="delete the key, if the script does not define it",
                severity=Severity.NOTE,
            )


def _close(settings: Settings, key: str) -> str | None:
    """Return the argument that a key nearly spells."""
    from difflib import get_close_matches

    names = {*settings.arguments.fields, *settings.script_keys}
    if settings.reading is not None and settings.reading.strict:
        names = set(settings.reading.keys)
    for name in get_close_matches(key.lower().replace("-", "_"), sorted(names), 1, CLOSE):
        # Where nothing is known of the script, a plural beside its singular may be the user's own.
        if name not in settings.stated or settings.script is not None:
            return name
    return None
