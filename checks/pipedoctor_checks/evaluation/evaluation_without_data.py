from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Evaluation, Settings


@check(
    "EVA011",
    Severity.ERROR,
    stage=Stage.EVALUATION,
    symptoms={
        r"You have set `args.eval_strategy` to .* but you didn't pass an `eval_dataset`": (
            "pass eval_dataset to the Trainer, or set eval_strategy to no"
        ),
        r"--do_eval requires a validation dataset": "name a validation_file",
    },
)
def evaluation_without_data(settings: Settings, evaluation: Evaluation) -> Iterator[Finding]:
    """
    The run is to be evaluated while it trains, and there is no evaluation data.

    Trainer refuses to be built then; the example scripts stop even before, since `eval_strategy`
    sets `do_eval` as well.

    Fails:

        settings = {"eval_strategy": "epoch"}
        train_data = {"text": ["good", "bad"], "label": [1, 0]}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"eval_strategy": "epoch"}
        train_data = {"text": ["good", "bad"], "label": [1, 0]}
        eval_data = {"text": ["fine"], "label": [1]}
        environment = {"transformers": "5.23.0"}
    """
    strategy = settings.word(settings.eval_key)
    if strategy in {"steps", "epoch"} and not evaluation.has_data:
        yield Finding(
            message=f'{settings.eval_key} is "{strategy}", and there are 0 sets of evaluation data; '
            "Trainer raises ValueError before it starts",
            where=settings.where(settings.eval_key),
            evidence={"strategy": strategy, "evaluation_data": 0},
            remedy='name the evaluation data: "validation_file", or eval_dataset of the Trainer',
            alternatives=(f"set {settings.entry(settings.eval_key, 'no')}",),
        )
