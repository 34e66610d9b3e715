"""Models with a train_step of their own: fit runs that, and need not call the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.fitting import second
from pipedoctor.frameworks.fitting.library import Library, of_model, overridden
from pipedoctor.frameworks.fitting.strangers import strangers_stopped
from pipedoctor.frameworks.fitting.untouched import optimizers, untouched
from pipedoctor.frameworks.fitting.withholding import withheld

NO_CALL = "the model has no call(): only its train_step runs it"


def has_call(part: Any) -> bool:
    """Whether a model says what it makes of its inputs as a whole."""
    return type(part).call is not of_model(part).top.Model.call


def named_loss(logs: Any) -> Any:
    """Return the loss among what a train_step returned; None where no name says which it is."""
    if not isinstance(logs, Mapping):
        return logs
    for name in ("loss", "total_loss"):
        if name in logs:
            return logs[name]
    named = [name for name in logs if "loss" in str(name).lower()]
    return logs[named[0]] if len(named) == 1 else None


def steps_alone(part: Any, library: Library) -> bool:
    """
    Whether fit leaves it to a train_step of the user's to build the model.

    With torch and JAX, and under a strategy, Keras 3 calls the model on symbols before that.
    """
    if not overridden(part, "train_step") or library.backend != "tensorflow":
        return False
    return library.second or getattr(part, "_distribute_strategy", None) is None


@contextmanager
def uncalled(part: Any, method: str = "train_step") -> Iterator[None]:
    """Raise `Unavailable` where a call raises that a step of the user's need not make."""
    if not overridden(part, method):
        yield
        return
    if not has_call(part):
        raise Unavailable(NO_CALL if method == "train_step" else f"{NO_CALL}, and its test_step")
    try:
        yield
    except Unavailable:
        raise
    except Exception as error:  # what is wrong with the step itself is raised when that is run
        raise Unavailable(
            f"the model can't be called on the batch ({type(error).__name__}), which its own "
            f"{method} need not do"
        ) from error


def built_by_step(part: Any, library: Library, parts: tuple[Any, Any, Any]) -> None:
    """
    Build a model as fit does it: by tracing its train_step, which computes nothing.

    Raises:
        Unavailable: The step is not to be traced.
        Exception: What the step raises, as fit would.

    """
    if part.run_eagerly:
        raise Unavailable(
            "the model has no weights yet, and only its own train_step makes them, which is not "
            "traced (run_eagerly=True)"
        )
    import tensorflow as tf

    with ExitStack() as stack:
        stack.enter_context(untouched(part))
        if not library.second:
            stack.enter_context(strangers_stopped(library))
        for optimizer in optimizers(part):
            stack.enter_context(withheld(optimizer, {}))
        tf.function(part.train_step, autograph=False).get_concrete_function(
            _packed(library, parts)
        )


def _packed(library: Library, parts: tuple[Any, Any, Any]) -> Any:
    if library.second:
        return second.packed(library, (second.tensors(one) for one in parts))
    tree, ops = library.module("tree"), library.module("ops")
    pack = library.module("trainers.data_adapters.data_adapter_utils").pack_x_y_sample_weight
    given = (
        tree.map_structure(lambda leaf: leaf if leaf is None else ops.convert_to_tensor(leaf), one)
        for one in parts
    )
    return pack(*given)
