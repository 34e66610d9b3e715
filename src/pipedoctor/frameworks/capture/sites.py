"""
Which calls of a script are recorded: what makes models, configs, tokenizers, arguments, trainers.

A few constructors that everything passes through are wrapped, right after their modules were
executed. The wrappers do nothing but call the original and tell the session's recorder.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping
from dataclasses import fields
from types import ModuleType
from typing import Any

from pipedoctor.capture.recorder import Recorder
from pipedoctor.capture.session import Session
from pipedoctor.fact import Unavailable
from pipedoctor.probes import hub_cache

ELSEWHERE = ("cache_dir", "gguf_file", "state_dict", "subfolder", "variant")
"""Arguments of from_pretrained with which other files may be read than the name stands for."""


def watch_models(session: Session, module: ModuleType) -> None:
    """Record each model where it is made, and which files one was loaded from."""
    kind, recorder = module.PreTrainedModel, session.sites
    _wrap(kind, "__init__", lambda model: recorder.made(model, **_config(recorder, model.config)))
    load = vars(kind)["from_pretrained"].__func__

    @functools.wraps(load)
    def from_pretrained(cls: Any, *words: Any, **keywords: Any) -> Any:
        folder = os.getcwd()
        loaded = load(cls, *words, **keywords)
        name = words[0] if words else keywords.get("pretrained_model_name_or_path")
        recorder.made(
            loaded[0] if isinstance(loaded, tuple) else loaded,
            loaded=_files(name, keywords, folder),
            **_config(recorder, keywords.get("config")),  # the model itself has a copy of it
        )
        return loaded

    kind.from_pretrained = classmethod(from_pretrained)


def watch_configs(session: Session, module: ModuleType) -> None:
    """Record each config where it is made; in version 5 they are dataclasses."""
    kind = getattr(module, "PreTrainedConfig", None) or module.PretrainedConfig
    name = "__post_init__" if "__post_init__" in vars(kind) else "__init__"
    _wrap(kind, name, session.sites.made)


def watch_tokenizers(session: Session, module: ModuleType) -> None:
    """Record each tokenizer where it is made."""
    _wrap(module.PreTrainedTokenizerBase, "__init__", session.sites.made)


def watch_processors(session: Session, module: ModuleType) -> None:
    """Record each processor where it is made."""
    _wrap(module.ProcessorMixin, "__init__", session.sites.made)


def watch_arguments(session: Session, module: ModuleType) -> None:
    """Record arguments where they are made, or fail to be, with what they are made from."""
    for kind in list(vars(module).values()):
        own = isinstance(kind, type) and kind.__module__ == module.__name__
        if not own or all(base.__name__ != "TrainingArguments" for base in kind.__mro__):
            continue
        if "__init__" in vars(kind):
            _wrap_arguments(kind, session.sites)
        if kind.__name__ == "TrainingArguments":  # a subclass of the script's own calls only this
            _wrap(kind, "__post_init__", session.sites.made)


def watch_trainers(session: Session, module: ModuleType) -> None:
    """Record each trainer where it is made."""
    _wrap(module.Trainer, "__init__", session.sites.made)


def watch_optimizers(session: Session, module: ModuleType) -> None:
    """Record each optimizer where it is made."""
    _wrap(module.Optimizer, "__init__", session.sites.made)


def _wrap(kind: Any, name: str, made: Callable[[Any], None]) -> None:
    original = vars(kind)[name]

    @functools.wraps(original)
    def constructor(self: Any, *words: Any, **keywords: Any) -> None:
        original(self, *words, **keywords)
        made(self)

    setattr(kind, name, constructor)


def _wrap_arguments(kind: Any, recorder: Recorder) -> None:
    original = vars(kind)["__init__"]
    names = [field.name for field in fields(kind) if field.init]

    @functools.wraps(original)
    def constructor(self: Any, *words: Any, **keywords: Any) -> None:
        given = {**dict(zip(names, words, strict=False)), **keywords}
        try:
            original(self, *words, **keywords)
        except Exception as error:
            recorder.failed(self, error, given)
            raise
        recorder.made(self, given=given, left=dict(vars(self)))

    kind.__init__ = constructor


def _config(recorder: Recorder, config: Any) -> dict[str, Any]:
    mark = recorder.mark(config)
    return {} if mark is None else {"config": mark}


def _files(name: Any, keywords: Mapping[str, Any], folder: str) -> tuple[str, str | None] | None:
    """Return the name of a model's files, and their folder if it is one; None if not sure."""
    elsewhere = any(keywords.get(key) is not None for key in ELSEWHERE)
    if elsewhere or not isinstance(name, (str, os.PathLike)):
        return None
    word = str(os.fspath(name))
    path = os.path.normpath(os.path.join(folder, word))
    if os.path.isdir(path):
        return word, path
    try:  # the auto classes look up which commit is meant, and pass it on
        cached = os.path.basename(hub_cache.folder(word))
    except Unavailable:
        return None
    return (word, None) if keywords.get("revision") in {None, "main", cached} else None


watched: Mapping[str, Callable[[Session, ModuleType], None]] = {
    "transformers.modeling_utils": watch_models,
    "transformers.configuration_utils": watch_configs,
    "transformers.tokenization_utils_base": watch_tokenizers,
    "transformers.processing_utils": watch_processors,
    "transformers.training_args": watch_arguments,
    "transformers.training_args_seq2seq": watch_arguments,
    "transformers.trainer": watch_trainers,
    "torch.optim.optimizer": watch_optimizers,
    **{
        f"trl.trainer.{name}_config": watch_arguments
        for name in ("dpo", "grpo", "kto", "reward", "rloo", "sft")
    },
}
"""The modules whose calls are recorded, and what to do with them once they are executed."""
