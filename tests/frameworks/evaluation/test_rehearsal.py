"""The evaluation, rehearsed: as the real Trainer makes it, and without a trace."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameworks.evaluation import evaluated
from frameworks.evaluation.evaluated import KINDS, TAGS
from resources import minilm, reuters

import pipedoctor
from pipedoctor import frameworks, registry
from pipedoctor.fact import Unavailable
from pipedoctor.facts import Evaluation, Rehearsal
from pipedoctor.failures import attribute
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.report import Status
from pipedoctor.runner import run_one

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

RUN_TIMES = ("_runtime", "_per_second", "_time", "epoch")


def pipeline(trainer: Any, **call: Any) -> Pipeline:
    parts = Parts(frameworks.unpack(trainer, call))
    return Pipeline(parts, frameworks.probes(parts))


def real(trainer: Any) -> set[str]:
    """Return the names that the real evaluation gives, but for run times and losses."""
    return {n for n in trainer.evaluate() if not n.endswith((*RUN_TIMES, "_loss"))}


def found(trainer: Any) -> dict[str, str]:
    """Return the codes of what the checks of this chapter find, and the messages."""
    return found_in(pipeline(trainer))


def found_in(subject: Pipeline) -> dict[str, str]:
    rows = [r for r in registry.load().rows if r.code.startswith(("EVA", "LOS009", "RUN001"))]
    outcomes = [run_one(row.load(), subject, {}) for row in rows]
    told = attribute(outcomes, subject, rows)
    assert not any(outcome.status is Status.CRASHED for outcome in told), told
    return {outcome.rule.code: f.message for outcome in told for f in outcome.findings}


@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_evaluation_is_quiet_and_gives_what_the_real_one_gives(kind: str) -> None:
    trainer = KINDS[kind]()
    subject = pipeline(trainer)
    told = subject.fact(Rehearsal)
    assert told.called
    assert told.raised is None
    assert told.rows >= 2
    assert found_in(subject) == {}
    assert set(subject.fact(Evaluation).metrics) == real(trainer)


def test_a_real_model_on_real_texts_is_quiet(tmp_path: Path) -> None:
    from datasets import Dataset

    rows = sorted(reuters()[:120])
    names = sorted({label for label, _ in rows})
    words = transformers.AutoTokenizer.from_pretrained(str(minilm()))
    made = {
        **words([text for _, text in rows], truncation=True, max_length=32),
        "label": [names.index(label) for label, _ in rows],
    }
    data = Dataset.from_dict(dict(made))

    def metrics(told: Any) -> dict[str, float]:
        classes, labels = told.predictions.argmax(axis=-1), told.label_ids
        if len(set(labels)) != len(names):
            raise ValueError("Number of classes does not match size of target_names")
        hits = [np.mean(classes[labels == n] == n) for n in range(len(names))]
        return {"accuracy": float((classes == labels).mean()), "recall": float(np.mean(hits))}

    trainer = transformers.Trainer(
        transformers.AutoModelForSequenceClassification.from_pretrained(
            str(minilm()), num_labels=len(names)
        ),
        evaluated.arguments(load_best_model_at_end=True, metric_for_best_model="recall"),
        train_dataset=data,
        eval_dataset=data,
        processing_class=words,
        compute_metrics=metrics,
    )
    subject = pipeline(trainer)
    assert found_in(subject) == {}
    assert subject.fact(Evaluation).metrics == ("eval_accuracy", "eval_recall")


def test_everything_is_left_as_it_was() -> None:
    words: list[str] = []

    class Talks(transformers.TrainerCallback):
        def on_evaluate(self, *_: Any, **__: Any) -> None:
            words.append("evaluated")

        def on_prediction_step(self, *_: Any, **__: Any) -> None:
            words.append("predicted")

        def on_log(self, *_: Any, **__: Any) -> None:
            words.append("logged")

    trainer = evaluated.translation()
    trainer.add_callback(Talks())
    part = trainer.model
    part.train()

    def state() -> list[Any]:
        generation = {k: repr(v) for k, v in vars(part.generation_config).items()}
        return [
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002 - what users' code draws from
            torch.get_rng_state().tolist(),
            {name: value.clone().tolist() for name, value in part.state_dict().items()},
            [module.training for module in part.modules()],
            sorted(vars(part)),
            generation,
            part.config.to_dict(),
            {name: id(value) for name, value in vars(trainer).items()},
            trainer.state.log_history.copy(),
            vars(trainer.control).copy(),
            len(trainer.accelerator._models),
            Path(trainer.args.output_dir).exists(),
        ]

    before = state()
    assert pipeline(trainer).fact(Rehearsal).generated
    assert state() == before
    assert words == []


def test_a_function_that_keeps_records_keeps_none_of_ours() -> None:
    seen: list[int] = []

    def metrics(told: Any, compute_result: bool) -> dict[str, float]:
        seen.append(len(told.label_ids))
        return {"rows": float(sum(seen))} if compute_result else {}

    trainer = evaluated.classification(metrics, batch_eval_metrics=True)
    assert pipeline(trainer).fact(Evaluation).metrics == ("eval_rows",)
    assert seen == []


@pytest.mark.parametrize("joined", [True, False])
def test_the_function_gets_inputs_and_losses_where_they_are_asked_for(joined: bool) -> None:
    got: list[tuple[type, ...]] = []

    def metrics(told: Any) -> dict[str, float]:
        kinds = (type(told.inputs), type(told.losses), type(told.predictions))
        got.append(kinds)
        assert len(told.inputs) == len(told.predictions) == len(told.losses)
        return {str(kinds): 1.0}

    trainer = evaluated.classification(
        metrics, include_for_metrics=["inputs", "loss"], eval_do_concat_batches=joined
    )
    told = pipeline(trainer).fact(Rehearsal)
    trainer.evaluate()
    assert told.names == (str(got[-1]),)
    assert set(got[-1]) == ({np.ndarray} if joined else {list})


def test_keys_that_training_leaves_out_of_evaluations() -> None:
    trainer = evaluated.classification(config={"output_hidden_states": True})
    assert pipeline(trainer).fact(Rehearsal).cure == "first"
    left_out = pipeline(trainer, ignore_keys_for_eval=["hidden_states"]).fact(Rehearsal)
    assert (left_out.parts, left_out.names) == (1, ("accuracy",))


def test_several_sets_are_evaluated_each_by_its_name() -> None:
    trainer = evaluated.classification(load_best_model_at_end=True)
    trainer.eval_dataset = {"news": trainer.eval_dataset, "mail": trainer.eval_dataset}
    told = pipeline(trainer).fact(Evaluation)
    assert set(told.metrics) == real(trainer) == {"eval_news_accuracy", "eval_mail_accuracy"}
    assert told.losses == ("eval_news_loss", "eval_mail_loss")
    assert list(found(trainer)) == ["EVA006"]
    trainer.args.metric_for_best_model = "mail_loss"
    assert found(trainer) == {}


def decode(told: Any) -> dict[str, float]:
    return {"texts": float(len(evaluated.tokenizer().batch_decode(told.label_ids)))}


def decode_answers(told: Any) -> dict[str, float]:
    return {"texts": float(len(evaluated.tokenizer().batch_decode(told.predictions)))}


def label_names(told: Any) -> dict[str, float]:
    return {"o": float(sum(TAGS[label] == "O" for row in told.label_ids for label in row))}


def of_one(told: Any) -> dict[str, float]:
    return {"mean": float(told.predictions.argmax(axis=-1).mean())}


def single(told: Any) -> dict[str, float]:
    return {"sum": float(sum(int(answer) for answer in told.predictions))}


@pytest.mark.parametrize(
    ("make", "metrics", "stated", "code"),
    [
        ("classification", single, {}, "EVA002"),
        (
            "classification",
            evaluated.accuracy,
            {"config": {"output_hidden_states": True}},
            "EVA003",
        ),
        ("questions", of_one, {}, "EVA003"),
        ("token_classification", label_names, {}, "EVA004"),
        ("causal", decode, {}, "EVA004"),
        ("translation", decode, {}, "EVA004"),
        ("translation", decode_answers, {"per_device_eval_batch_size": 4}, "EVA004"),
    ],
)
def test_what_the_function_minds_is_found_by_changing_it(
    make: str, metrics: Callable[..., Any], stated: Mapping[str, Any], code: str
) -> None:
    trainer = KINDS[make](metrics, **stated)
    subject = pipeline(trainer)
    told = found_in(subject)
    assert list(told) == [code]
    with pytest.raises(
        (TypeError, ValueError, IndexError, OverflowError, AttributeError)
    ) as caught:
        trainer.evaluate()
    rehearsal = subject.fact(Rehearsal)
    assert type(rehearsal.raised) is type(caught.value)
    assert rehearsal.error.split()[0] in told[code]


def test_generated_texts_that_all_fit_are_of_one_length() -> None:
    trainer = evaluated.translation(decode_answers, generation_max_length=16)
    assert found(trainer) == {}
    trainer.evaluate()


def test_a_tuple_that_the_function_takes_apart_is_not_to_blame() -> None:
    def metrics(told: Any) -> dict[str, float]:
        return single(type(told)(told.predictions[0], told.label_ids))

    trainer = evaluated.classification(metrics, config={"output_hidden_states": True})
    assert pipeline(trainer).fact(Rehearsal).cure == "classes"


def whole(told: Any) -> dict[str, float]:
    if len(told.label_ids) != 24:
        raise ValueError(f"{len(told.label_ids)} answers to 24 rows")
    return {"accuracy": 1.0}


def test_a_function_that_wants_all_rows_gets_as_many() -> None:
    assert found(evaluated.classification(whole)) == {}
    subject = pipeline(evaluated.classification(whole))
    assert subject.fact(Evaluation).metrics == ("eval_accuracy",)


def test_a_function_that_wants_other_rows_than_ours_is_left_alone() -> None:
    def metrics(told: Any) -> dict[str, float]:
        if len(told.label_ids) < 24 or told.label_ids[5] != 0 or told.label_ids[20] != 2:
            raise ValueError("Found input variables with inconsistent numbers of samples: [24, 9]")
        return {"x": 1.0}

    subject = pipeline(evaluated.classification(metrics))
    assert "wants more rows" in subject.fact(Rehearsal).reason
    with pytest.raises(Unavailable, match="wants more rows"):
        subject.fact(Evaluation)


@pytest.mark.parametrize(
    ("result", "text"), [(None, "returned NoneType"), (0.5, "returned float")]
)
def test_what_a_function_must_return(result: Any, text: str) -> None:
    trainer = evaluated.classification(lambda told: result)
    with pytest.raises(ProbeFailed, match=text):
        pipeline(trainer).fact(Evaluation)
    with pytest.raises(TypeError):
        trainer.evaluate()


def test_a_fault_that_nothing_cures_is_told_at_its_line() -> None:
    def metrics(told: Any) -> dict[str, float]:
        return {"x": told.no_such_thing}

    report = pipedoctor.examine(evaluated.classification(metrics))
    first = report.entries[0]
    assert (first.rule.code, first.finding.where.file) == ("RUN001", __file__)


class Compares(transformers.Trainer):  # type: ignore[misc, name-defined]  # no types without it
    def evaluate(self, *words: Any, **keywords: Any) -> Any:
        raise AssertionError("not to be called")


@pytest.mark.parametrize(
    ("trainer", "stated", "reason"),
    [
        (Compares, {}, r"Compares has its own evaluate\(\)"),
        (None, {"prediction_loss_only": True}, "prediction_loss_only is set"),
    ],
)
def test_a_function_that_is_not_called_in_the_usual_way_is_not_tried(
    trainer: Any, stated: Mapping[str, Any], reason: str
) -> None:
    called: list[int] = []
    made = evaluated.classification(lambda _: called.append(1), trainer=trainer, **stated)
    told = pipeline(made).fact(Rehearsal)
    assert not told.called
    assert told.has_labels
    assert len(told.losses) > 0
    assert re.match(reason, told.reason)
    assert called == []


def test_a_run_without_a_metrics_function_has_no_metric() -> None:
    trainer = evaluated.classification(metric_for_best_model="f1", load_best_model_at_end=True)
    trainer.compute_metrics = None
    assert list(found(trainer)) == ["EVA006"]
    with pytest.raises(KeyError, match="eval_f1"):
        trainer.train()


def test_labels_behind_keyword_arguments_are_not_seen() -> None:
    class Wrapped(torch.nn.Module):  # type: ignore[misc, name-defined]  # no types without it
        def __init__(self) -> None:
            super().__init__()
            self.inner = evaluated.model("BertForSequenceClassification", num_labels=3)

        def forward(self, **inputs: Any) -> Any:
            return self.inner(**inputs)

    data = evaluated.classification().eval_dataset

    def trainer(**stated: Any) -> Any:
        return transformers.Trainer(
            Wrapped(),
            evaluated.arguments(
                load_best_model_at_end=True, remove_unused_columns=False, **stated
            ),
            train_dataset=data,
            eval_dataset=data,
        )

    message = found(trainer())["EVA005"]
    assert message.startswith("The batch has labels, but no argument of the model's forward")
    assert found(trainer(label_names=["labels"])) == {}


@pytest.mark.parametrize(
    ("labels", "stated", "codes"),
    [
        ([-100] * 16, {}, ["EVA009"]),
        ([-100] * 8 + [0, 1] * 4, {}, []),
        ([-100] * 8 + [0, 1] * 4, {"logging_nan_inf_filter": False}, ["EVA009"]),
        ([-100, 1] * 8, {"logging_nan_inf_filter": False}, []),
    ],
)
def test_a_loss_over_no_labels(
    labels: list[int], stated: Mapping[str, Any], codes: list[str]
) -> None:
    trainer = evaluated.classification(labels=labels, **stated)
    trainer.compute_metrics = None
    assert list(found(trainer)) == codes
    assert bool(np.isnan(trainer.evaluate()["eval_loss"])) is bool(codes)


@pytest.mark.parametrize(
    ("length", "stated", "codes"),
    [(40, {}, ["EVA008"]), (12, {}, []), (40, {"generation_max_length": 24}, [])],
)
def test_answers_longer_than_what_is_generated(
    length: int, stated: Mapping[str, Any], codes: list[str]
) -> None:
    assert list(found(evaluated.translation(length=length, **stated))) == codes


@pytest.mark.parametrize(("patience", "stops"), [(1, True), (2, False), (3, False)])
def test_early_stopping_that_can_only_stop_at_the_end(patience: int, stops: bool) -> None:
    trainer = evaluated.classification(
        lambda _: {"score": 0.5},
        metric_for_best_model="score",
        save_strategy="no",
        num_train_epochs=3,
    )
    trainer.add_callback(transformers.EarlyStoppingCallback(patience))
    assert list(found(trainer)) == ([] if stops else ["LOS009"])
    trainer.train()
    assert (trainer.state.epoch < 3) is stops
