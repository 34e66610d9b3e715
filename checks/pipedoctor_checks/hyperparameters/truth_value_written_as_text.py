from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import put

SWITCHES = frozenset({"bool", "bool | None", "Optional[bool]"})
MEANS_NO = frozenset({"false", "no", "off", "0", "none", "null", "f", "n"})


@check("HYP013", Severity.ERROR, stage=Stage.ARGUMENTS)
def truth_value_written_as_text(settings: Settings) -> Iterator[Finding]:
    """
    A switch is the text "false", which counts as true.

    `HfArgumentParser` takes the values of a config file as they are, and every text that isn't
    empty is true to Python. `"fp16": "false"` switches mixed precision on, and nothing says so.
    Only on the command line are such words understood.

    Fails:

        settings = {"fp16": "false"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"fp16": False}
        environment = {"transformers": "5.23.0"}

    See also: <https://docs.python.org/3/library/stdtypes.html#truth-value-testing>.
    """
    for key, value in settings.stated.items():
        argument = settings.arguments.fields.get(key)
        if argument is None or argument.type not in SWITCHES or not isinstance(value, str):
            continue
        if value.strip().lower() not in MEANS_NO:
            continue  # "true" does what it says, however it is written
        yield Finding(
            message=f'{key} is the text "{value}", which counts as true',
            where=settings.where(key),
            evidence={"key": key, "value": value, "type": argument.type},
            remedy=f"write {settings.entry(key, value=False)}, without quotes",
            fix=settings.fix(put(key, value=False), safe=True),
        )
