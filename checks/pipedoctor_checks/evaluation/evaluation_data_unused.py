from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Evaluation, Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import count


@check("EVA010", Severity.NOTE, stage=Stage.EVALUATION)
def evaluation_data_unused(
    settings: Settings, evaluation: Evaluation, schedule: Schedule | None
) -> Iterator[Finding]:
    """
    There are evaluation data, but nothing is evaluated while the model trains.

    `eval_strategy` is "no" by default. Whether the model overfits, or learned nothing, is then
    seen when all steps are paid for; `do_eval` of the example scripts evaluates once, at the end.

    Fails:

        settings = {"num_train_epochs": 3}
        train_data = range(3200)
        eval_data = range(320)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"num_train_epochs": 3, "eval_strategy": "epoch"}
        train_data = range(3200)
        eval_data = range(320)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://huggingface.co/docs/transformers/main_classes/trainer>.
    """
    key = settings.eval_key
    if settings.word(key) != "no" or not evaluation.has_data:
        return
    once = settings.script is not None and bool(settings.get("do_eval"))
    steps = f" of {count(schedule.total_steps)} steps" if schedule is not None else ""
    used = (
        f"used only once, after the last{steps or ' step'}"
        if once
        else "never used while training"
    )
    yield Finding(
        message=f'{key} is "no"{"" if key in settings.stated else " by default"}: the evaluation data '
        f"are {used}",
        where=settings.where(key),
        evidence={"eval_strategy": "no", "do_eval": settings.get("do_eval")},
        remedy=f"set {settings.entry(settings.eval_name, 'epoch')}",
        fix=settings.fix(put(settings.eval_name, "epoch"), safe=False),
    )
