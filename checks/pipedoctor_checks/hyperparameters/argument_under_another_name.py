from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor_checks.hyperparameters._synonyms import meant
from pipedoctor_checks.versions._fixes import replaced
from pipedoctor_checks.versions._keys import keys, place, whose


@check("HYP006", Severity.ERROR, stage=Stage.ARGUMENTS)
def argument_under_another_name(settings: Settings) -> Iterator[Finding]:
    """
    A hyper-parameter is stated under a name that Trainer does not know, so it has no effect.

    `batch_size`, `lr` and `epochs` are what other libraries call them. A script that reads its
    config with `HfArgumentParser` stops at such a key; one that picks out what it knows trains
    with the default of what was meant.

    Fails:

        settings = {"batch_size": 32, "lr": 2e-5, "output_dir": "out"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"per_device_train_batch_size": 32, "learning_rate": 2e-5, "output_dir": "out"}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/22171>.
    """
    ours = settings.script is not None  # then we know that nothing else reads the key
    if not ours and not any(key in settings.arguments.fields for key in settings.stated):
        return  # nothing here is said in the words of Trainer
    for key, value in keys(settings, "HYP006"):
        name = meant(settings, key)
        assert name is not None, "else the key is not of this check"
        stated = name in settings.stated
        if stated and not ours:
            continue  # the script's own, beside the one of Trainer
        evidence = {"key": key, "value": value, "argument": name}
        default = settings.get(name)
        if not stated and default is not None:
            evidence["default"] = default
        yield Finding(
            message=_message(settings, key, name, ours=ours),
            where=place(settings, key),
            evidence=evidence,
            remedy=f"delete the key: {settings.spelled(name)} is stated as well"
            if stated
            else _line(settings, name, value),
            severity=None if ours else Severity.WARNING,
            # A script that is not known may translate the name itself.
            fix=replaced(settings, key, name, _value(name, value), safe=ours),
        )


def _message(settings: Settings, key: str, name: str, *, ours: bool) -> str:
    default = settings.get(name)
    if settings.reading is not None and settings.reading.strict:
        own = settings.spelled(name)
        text = f"{key} is no key of {settings.reading.release}, which passes over it; {own} is"
        text += ", and it is stated as well" if name in settings.stated else ""
        if default is not None and name not in settings.stated:
            text += f", and it stays at its default, {_shown(default)}"
        return text
    if ours:
        stops = "HfArgumentParser" if settings.reading is None else settings.reading.tool
        text = f"{key} is no argument of {whose(settings)}, and {stops} stops at it; {name} is"
        if name in settings.stated:
            return f"{text}, and it is stated as well"
        return text if default is None else f"{text}, whose default is {_shown(default)}"
    text = f"{key} is no argument of {whose(settings)}; unless the script translates it, {name}"
    return (
        f"{text} is not stated"
        if default is None
        else f"{text} stays at its default, {_shown(default)}"
    )


def _shown(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _line(settings: Settings, name: str, value: Any) -> str:
    """Return the line to write instead; the optimizers have longer names there."""
    return f"replace it with {settings.entry(name, _value(name, value))}"


def _value(name: str, value: Any) -> Any:
    return "adamw_torch" if name == "optim" and str(value).lower() in {"adam", "adamw"} else value
