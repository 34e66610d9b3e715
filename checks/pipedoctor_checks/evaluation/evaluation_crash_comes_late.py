from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Rehearsal, Schedule, Settings
from pipedoctor.units import count


@check("EVA007", Severity.NOTE, stage=Stage.EVALUATION)
def evaluation_crash_comes_late(
    rehearsal: Rehearsal, settings: Settings, schedule: Schedule, *, steps: int = 500
) -> Iterator[Finding]:
    """
    Nothing has proved that the evaluation works, and the run comes to it late.

    The metrics function is called before training, with a few real rows. Where that can't be
    done, as with a trainer that evaluates in a way of its own, a fault in it shows at the first
    evaluation. `eval_on_start` runs one before the first step.

    The option `steps` is what counts as late; its default is that of `logging_steps`, at which
    a run that evaluates by steps does so unless it says otherwise.

    Fails:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

        class WithAnswers(Trainer):
            def evaluate(self, *words, **keywords):
                return super().evaluate(*words, **keywords) | {"eval_exact": self.compare()}

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [0, 1] * 8})
        settings = TrainingArguments(
            "out", use_cpu=True, report_to="none", max_steps=4000, eval_strategy="steps", eval_steps=1000
        )
        trainer = WithAnswers(
            BertForSequenceClassification(config),
            settings,
            train_dataset=data,
            eval_dataset=data,
            compute_metrics=lambda prediction: {},
        )
        model, metrics = trainer.model, trainer.compute_metrics
        train_data = eval_data = data

    Passes:

        from datasets import Dataset
        from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

        config = BertConfig(
            vocab_size=100,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
        )
        data = Dataset.from_dict({"input_ids": [[2, 5, 3]] * 16, "labels": [0, 1] * 8})
        settings = TrainingArguments(
            "out", use_cpu=True, report_to="none", max_steps=4000, eval_strategy="steps", eval_steps=1000
        )
        trainer = Trainer(
            BertForSequenceClassification(config),
            settings,
            train_dataset=data,
            eval_dataset=data,
            compute_metrics=lambda prediction: {},
        )
        model, metrics = trainer.model, trainer.compute_metrics
        train_data = eval_data = data

    See also: <https://github.com/huggingface/transformers/issues/31047>.
    """
    if rehearsal.called or not rehearsal.unproven or settings.get("eval_on_start"):
        return
    if "eval_on_start" not in settings.arguments.fields:
        raise Unavailable("this release of transformers can't evaluate at the start")
    first, total = schedule.evaluations.first, schedule.total_steps
    if first is None or first <= steps:
        return
    yield Finding(
        message=f"The evaluation could not be tried ({rehearsal.reason}); its first real run is at "
        f"step {count(first)} of {count(total)}",
        where=settings.where(settings.eval_key),
        evidence={"reason": rehearsal.reason, "first_evaluation": first, "total_steps": total},
        remedy=f"set {settings.entry('eval_on_start', True)}",
    )
