from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import put

STRATEGIES = (
    "eval_strategy",
    "evaluation_strategy",
    "save_strategy",
    "logging_strategy",
    "hub_strategy",
)

NOT_VALID = r"(True|False) is not a valid (IntervalStrategy|SaveStrategy|HubStrategy)"


@check(
    "HYP012",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={NOT_VALID: 'put the word in quotes: "no"'},
)
def word_read_as_truth_value(settings: Settings) -> Iterator[Finding]:
    """
    A strategy is the truth value false, since YAML reads a bare `no` as one.

    In YAML 1.1, which PyYAML reads, `no`, `off`, `yes` and `on` without quotes are truth values.
    `eval_strategy: no` therefore is `False`, and `TrainingArguments` stops with
    `ValueError: False is not a valid IntervalStrategy`. For `report_to` it is the Trainer that
    stops.

    Fails:

        import yaml
        settings = yaml.safe_load("save_strategy: no")
        environment = {"transformers": "5.23.0"}

    Passes:

        import yaml
        settings = yaml.safe_load('save_strategy: "no"')
        environment = {"transformers": "5.23.0"}

    See also: <https://yaml.org/type/bool.html>.
    """
    for key in (*STRATEGIES, "report_to"):
        value = settings.stated.get(key)
        if not isinstance(value, bool) or key not in settings.arguments.fields:
            continue
        word = "none" if key == "report_to" else "no"
        stops = "Trainer" if key == "report_to" else settings.refuses
        yield Finding(
            message=f"{key} is {value}, a truth value, where a word is due; {stops} stops at it",
            where=settings.where(key),
            evidence={"key": key, "value": value},
            remedy=f"write {settings.entry(key, word)}, with the quotes"
            if not value
            else f"write the word that is meant in quotes, such as {settings.entry(key, _usual(key))}",
            fix=settings.fix(put(key, word), safe=True) if not value else None,
        )


def _usual(key: str) -> str:
    usual = {"report_to": "all", "hub_strategy": "every_save"}
    return usual.get(key, "epoch")
