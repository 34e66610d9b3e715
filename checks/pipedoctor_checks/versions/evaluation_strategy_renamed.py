from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor_checks.versions._fixes import replaced
from pipedoctor_checks.versions._keys import EVALUATION, keys, release, severity

CURE = "call it eval_strategy"


@check(
    "VER001",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"unexpected keyword argument 'evaluation_strategy'": CURE,
        r"not used by the HfArgumentParser: \[.*\bevaluation_strategy\b": CURE,
    },
)
def evaluation_strategy_renamed(settings: Settings) -> Iterator[Finding]:
    """
    The settings say `evaluation_strategy`, which this version of transformers calls `eval_strategy`.

    Releases 4.41 to 4.46 knew both names, later ones know the new name only; tutorials, books
    and configs of before still have the old one. The run stops while it reads its arguments: with
    `TypeError: TrainingArguments.__init__() got an unexpected keyword argument
    'evaluation_strategy'`, or, from a config file, with `ValueError: Some keys are not used by the
    HfArgumentParser: ['evaluation_strategy']`.

    Fails:

        settings = {"evaluation_strategy": "epoch"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"eval_strategy": "epoch"}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/course/issues/987>.
    """
    arguments = settings.arguments
    for key, value in keys(settings, "VER001"):
        last = arguments.removed_after(EVALUATION)
        stated = "eval_strategy" in settings.stated
        yield Finding(
            message=f"{release(arguments)} has no argument evaluation_strategy; {last} still had it "
            "besides its new name, eval_strategy",
            where=settings.where(key),
            evidence={"key": key, "transformers": arguments.version, "last_release": last},
            remedy="delete the key: eval_strategy is stated as well"
            if stated
            else f"rename the key: {settings.entry('eval_strategy', value)}",
            severity=severity(arguments),
            fix=replaced(settings, key, "eval_strategy"),
        )
