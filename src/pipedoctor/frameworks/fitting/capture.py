"""Where a `fit` starts: its parts, and where the script made what takes part in it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from pipedoctor.capture.session import Proceed, Session
from pipedoctor.fact import Unavailable
from pipedoctor.facts.fit import ARRAYS, GENERATOR
from pipedoctor.frameworks.fitting import aside, borrowed
from pipedoctor.frameworks.fitting.fed import Fed, Replay
from pipedoctor.frameworks.fitting.library import Library, of_model

DATA = ("x", "y", "sample_weight", "validation_data")
"""The arguments of fit that hold the data itself."""


def fitted(
    model: Any, call: Mapping[str, Any], rest: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """
    Return the parts of a fit of a model with these arguments; nothing is read or built.

    `rest` are parts that stand beside it: data given as `train_data` or `eval_data` is what
    `x` or `validation_data` is; options given as `call` are arguments of fit.
    """
    library, rest = of_model(model), dict(rest or {})
    options = {**(rest.pop("call", None) or {}), **call}
    for name, argument in (("train_data", "x"), ("eval_data", "validation_data")):
        data = rest.pop(name, None)
        if isinstance(data, Fed):
            rest[name] = data
        elif data is not None and argument not in options:
            options[argument] = data
    x, y, weight, validation = (options.pop(name, None) for name in DATA)
    if isinstance(x, tuple) and y is None and len(x) in {2, 3} and "x" not in call:
        x, y, weight = (*x, None)[:3]
    parts: dict[str, Any] = {"model": model, "call": options}
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None:
        parts["optimizer"] = optimizer
    if x is not None:
        parts["train_data"] = fed = Fed(library, x, y, weight, options)
        parts["eval_data"] = _validation(library, fed, validation, options)
    elif validation is not None:
        parts["eval_data"] = _given(library, validation, options)
    labels = borrowed.label_names(model)
    for name in ("train_data", "eval_data"):
        if isinstance(parts.get(name), Fed):
            parts[name].labels = labels
    return {name: part for name, part in {**parts, **rest}.items() if part is not None}


def _validation(
    library: Library, fed: Fed, validation: Any, options: Mapping[str, Any]
) -> Fed | None:
    """Return the data of the evaluation: what is given, or the end of the training data."""
    if validation is not None:
        return _given(library, validation, options)
    share = options.get("validation_split") or 0.0
    if not share or fed.kind != ARRAYS or not isinstance(share, (int, float)):
        return None
    try:
        rows = fed.rows or 0
    except Unavailable:
        return None
    cut = int(rows * (1.0 - share))
    fed.stop = cut
    return Fed(
        library, fed.x, fed.y, fed.sample_weight, options, start=cut, stop=rows, validation=True
    )


def _given(library: Library, validation: Any, options: Mapping[str, Any]) -> Fed:
    if isinstance(validation, (tuple, list)) and len(validation) in {1, 2, 3}:
        x, y, weight = (*validation, None, None)[:3]
        return Fed(library, x, y, weight, options, validation=True)
    return Fed(library, validation, None, None, options, validation=True)


def watch_model(session: Session, module: ModuleType) -> None:
    """Have the session examine each model whose `fit` starts."""
    kind_ = module.Model
    original = kind_.fit
    signature = inspect.signature(original)

    @functools.wraps(original)
    def fit(self: Any, *words: Any, **keywords: Any) -> Any:
        try:
            bound = dict(signature.bind(self, *words, **keywords).arguments)
        except TypeError:  # Keras says itself what is wrong with such a call
            return original(self, *words, **keywords)
        bound.pop("self", None)
        session.sites.called(self, "fit", bound)
        parts = fitted(self, bound)
        if (
            "train_data" not in parts
        ):  # fit is called all the same, and says so in words of its own
            parts["train_data"] = Fed(of_model(self), None, options=parts["call"])
        replays = replayed(parts)
        parts = session.sites.located(parts)
        parts["sites"] |= _sites(session, self)
        proceed = session.training_starts(parts)
        bound |= replays
        if session.recording:
            _record(bound)
        if proceed is Proceed.UNDISTURBED:
            return original(self, **bound)
        return aside.fit(self, original, bound, session.scratch)

    vars(fit)["__signature__"] = signature
    kind_.fit = fit


def _record(bound: dict[str, Any]) -> None:
    """Put a flight recorder among the callbacks of a fit, unless there is one."""
    from pipedoctor.recorder.keras.flight import FitRecorder

    given = bound.get("callbacks") or []
    if isinstance(given, (list, tuple)) and not any(isinstance(c, FitRecorder) for c in given):
        bound["callbacks"] = [*given, FitRecorder()]


def replayed(parts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Let each generator be read ahead; return what gives all of it, for the arguments of fit.

    Where one generator is both the training and the validation data it is so afterwards. It is
    read ahead as training data only: which batches are left for the validation shows in fit.
    """
    found, instead = dict[str, Any](), dict[int, Any]()
    for name, argument in (("train_data", "x"), ("eval_data", "validation_data")):
        fed = parts.get(name)
        if not isinstance(fed, Fed) or fed.kind != GENERATOR:
            continue
        if id(fed.x) not in instead:
            fed.replay = Replay(fed.x)
            instead[id(fed.x)] = fed.replay.generator()
        found[argument] = instead[id(fed.x)]
    return found


def _sites(session: Session, model: Any) -> dict[str, Any]:
    """Return where the calls were that are no constructors, and who knows of all the others."""
    calls = {name: session.sites.call(model, name) for name in ("fit", "compile")}
    return {
        "recorder": session.sites,
        **{name: site for name, site in calls.items() if site is not None},
    }


def watch_trainer(session: Session, module: ModuleType) -> None:
    """Record each `compile` where it is called."""
    kind_ = module.Trainer if hasattr(module, "Trainer") else module.Model
    original = kind_.compile
    signature = inspect.signature(original)

    @functools.wraps(original)
    def compile_(self: Any, *words: Any, **keywords: Any) -> Any:
        try:
            given = dict(signature.bind(self, *words, **keywords).arguments)
        except TypeError:
            given = {}
        session.sites.called(self, "compile", given)
        return original(self, *words, **keywords)

    vars(compile_)["__signature__"] = signature
    kind_.compile = compile_


def watch_second(session: Session, module: ModuleType) -> None:
    """Do both for Keras 2, where one class has both methods."""
    watch_trainer(session, module)
    watch_model(session, module)


def watch_class(name: str) -> Callable[[Session, ModuleType], None]:
    """Return what records each object of a class, or of one derived from it, where it is made."""

    def watch(session: Session, module: ModuleType) -> None:
        kind_ = getattr(module, name)
        original = vars(kind_)["__init__"]

        @functools.wraps(original)
        def constructor(self: Any, *words: Any, **keywords: Any) -> None:
            original(self, *words, **keywords)
            session.sites.made(self)

        # Keras reads the arguments of constructors, and looks through no wrapper for them.
        vars(constructor)["__signature__"] = inspect.signature(original)
        kind_.__init__ = constructor

    return watch


watched: Mapping[str, Callable[[Session, ModuleType], None]] = {
    "keras.src.models.model": watch_model,
    "keras.src.trainers.trainer": watch_trainer,
    "keras.src.layers.layer": watch_class("Layer"),
    "keras.src.losses.loss": watch_class("Loss"),
    "keras.src.optimizers.base_optimizer": watch_class("BaseOptimizer"),
    "keras.src.callbacks.callback": watch_class("Callback"),
    "tf_keras.src.callbacks": watch_class("Callback"),
    "tf_keras.src.engine.base_layer": watch_class("Layer"),
    "tf_keras.src.engine.training": watch_second,
    "tf_keras.src.losses": watch_class("Loss"),
    "tf_keras.src.optimizers.legacy.optimizer_v2": watch_class("OptimizerV2"),
    "tf_keras.src.optimizers.optimizer": watch_class("_BaseOptimizer"),
}
"""The modules that capture a run, and what to do with them once they are executed."""
