"""The Trainer of transformers, and all trainers made after it: its parts, and when it starts."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from pipedoctor.capture.session import Proceed, Session
from pipedoctor.frameworks.capture import aside, sites


def unpack(trainer: Any, call: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the parts that a Trainer holds; nothing in it is changed or built.

    Of several sets of evaluation data, the first is taken.
    """
    arguments = trainer.args
    evaluation = getattr(trainer, "eval_dataset", None)
    if isinstance(evaluation, Mapping):
        evaluation = next(iter(evaluation.values()), None)
    return {
        "trainer": trainer,
        "model": trainer.model,
        "train_data": trainer.train_dataset,
        "eval_data": evaluation,
        "collator": trainer.data_collator,
        "tokenizer": getattr(trainer, "processing_class", None),
        "metrics": trainer.compute_metrics,
        "settings": arguments,
        "files": {"output_dir": arguments.output_dir, **_files(trainer.model)},
        "call": dict(call or {}),
    }


def _files(model: Any) -> dict[str, str]:
    """Return the folder that the model was loaded from, if that can be told."""
    from pipedoctor.frameworks.capture import loaded

    folder = loaded.folder(model)
    return {} if folder is None else {"model": folder}


def watch_trainer(session: Session, module: ModuleType) -> None:
    """Have the session examine each Trainer whose training starts."""
    original = module.Trainer.train

    @functools.wraps(original)
    def train(self: Any, *words: Any, **keywords: Any) -> Any:
        call = dict(zip(("resume_from_checkpoint", "trial"), words, strict=False)) | keywords
        call |= aside.resumed(call, self.args.output_dir, session.scratch)
        parts = session.sites.located(unpack(self, call))
        if session.training_starts(parts) is Proceed.UNDISTURBED:
            return original(self, *words, **keywords)
        return aside.train(self, original, call, session.scratch)

    module.Trainer.train = train


def watch_metrics(session: Session, module: ModuleType) -> None:
    """
    Let a metric that can't be had here be replaced by one that computes nothing.

    Scripts load their metric before they build the Trainer; a hub that is out of reach must not
    keep us from examining the rest.
    """
    load = module.load

    @functools.wraps(load)
    def load_or_stand_in(path: str, *words: Any, **keywords: Any) -> Any:
        try:
            return load(path, *words, **keywords)
        except (OSError, ValueError) as error:
            if session.undisturbed:
                raise
            session.stand_ins = True
            session.problems.append(
                f"the metric {path!r} can't be loaded here ({type(error).__name__}); a stand-in "
                "takes its place, so what the evaluation gives is not known"
            )
            return _NoMetric()

    vars(module)["load"] = load_or_stand_in


class _NoMetric:
    """Stands in for a metric that can't be had."""

    def compute(self, *_words: Any, **_keywords: Any) -> dict[str, float]:
        return {}

    def add(self, *_words: Any, **_keywords: Any) -> None:
        return

    add_batch = add


def watch_trainer_module(session: Session, module: ModuleType) -> None:
    """Do both: have each training examined, and record where each Trainer is made."""
    sites.watch_trainers(session, module)
    watch_trainer(session, module)


watched = {
    **sites.watched,
    "transformers.trainer": watch_trainer_module,
    "evaluate.loading": watch_metrics,
}
"""The modules that capture a run, and what to do with them once they are executed."""
