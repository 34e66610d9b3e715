"""Which Keras an object is of, and what computes behind it; nothing is imported that is not there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pipedoctor.fact import Unavailable

NAMES = ("keras", "tf_keras")


@dataclass(frozen=True)
class Library:
    """One of the packages that are Keras, by its name."""

    name: str

    def module(self, path: str) -> Any:
        """Return one of its modules: `models.model` is keras.src.models.model."""
        name = f"{self.name}.src.{path}"
        # Asked for within a traced step, import_module would be looked into, and warned of.
        return sys.modules.get(name) or import_module(name)

    @property
    def second(self) -> bool:
        """Whether it is Keras 2."""
        return self.name == "tf_keras"

    @property
    def top(self) -> Any:
        """The package itself."""
        return import_module(self.name)

    @property
    def version(self) -> str:
        """Its version."""
        return str(self.top.__version__)

    @property
    def backend(self) -> str:
        """What computes: "tensorflow", "torch" or "jax"."""
        return "tensorflow" if self.name == "tf_keras" else str(self.top.backend.backend())

    def flat(self, structure: Any) -> list[Any]:
        """Return the leaves of nested lists, tuples and mappings, without those that are None."""
        return [leaf for _, leaf in named(structure, "")]


def of(thing: Any) -> Library | None:
    """Return the Keras that a class or an object is of, by its nearest base class; else None."""
    kind = thing if isinstance(thing, type) else type(thing)
    for base in kind.__mro__:
        top = base.__module__.partition(".")[0]
        if top in NAMES:
            return Library(top)
    return None


def of_model(part: Any) -> Library:
    """
    Return the Keras of a model.

    Raises:
        Unavailable: It is of none.

    """
    library = of(part)
    if library is None:
        raise Unavailable(f"the model is a {type(part).__name__}, none of Keras")
    return library


def is_compiled(model: Any) -> bool:
    """Whether compile was called on a model."""
    return bool(getattr(model, "compiled", False) or getattr(model, "_is_compiled", False))


def path_of(variable: Any) -> str:
    """Return the name of a variable with the layers it lies in; Keras 2 has it in the name."""
    return str(getattr(variable, "path", None) or variable.name.removesuffix(":0"))


def value_of(variable: Any) -> Any:
    """Return what a variable holds, as its backend has it."""
    value = variable.value
    return value() if callable(value) else value


def dtype_of(variable: Any) -> str:
    """Return the name of the type of a variable's numbers."""
    return str(getattr(variable.dtype, "name", variable.dtype))


def stored(variable: Any) -> Any:
    """Return the object of the backend that a variable is; of Keras 2, itself."""
    return variable if callable(getattr(variable, "value", None)) else variable.value


def own(kind: type) -> bool:
    """Whether a class is the user's: of no package that Keras comes with or rests on, nor ours."""
    return kind.__module__.partition(".")[0] not in {
        *NAMES,
        "pipedoctor",
        "tensorflow",
        "keras_hub",
        "transformers",
        "builtins",
    }


def is_a(thing: Any, package: str, *names: str) -> bool:
    """Whether an object is of a class of a package, by its names; the package is not imported."""
    return package in sys.modules and any(
        base.__module__.partition(".")[0] == package and base.__name__ in names
        for base in type(thing).__mro__
    )


def named(structure: Any, name: str) -> list[tuple[str, Any]]:
    """
    Return the leaves of a structure with the names that lead to them: the keys of mappings.

    What lies at a place of a list is called after the place.
    """
    if structure is None:
        return []
    if isinstance(structure, dict):
        return [
            one
            for key in sorted(structure, key=str)
            for one in named(structure[key], f"{name}/{key}" if name else str(key))
        ]
    if isinstance(structure, (list, tuple)):
        return [
            one
            for place, item in enumerate(structure)
            for one in named(item, f"{name}_{place}" if name else str(place))
        ]
    return [(name, structure)]


def inputs_of(node: Any) -> list[Any]:
    """Return the symbols that went into a layer at a place of a graph."""
    found: Any = getattr(node, "keras_inputs", None) or getattr(node, "input_tensors", ())
    return list(found)


def maker(history: Any) -> Any:
    """Return the layer that made a symbol."""
    return history.layer if hasattr(history, "layer") else history.operation


def to_numpy(value: Any) -> Any:
    """Return an array of any framework as one of numpy; None for what is none (ragged, texts …)."""
    import numpy as np

    if value is None or type(value).__name__ in {"RaggedTensor", "SparseTensor"}:
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if str(value.dtype) == "torch.bfloat16" else value
    try:
        array = value.numpy() if hasattr(value, "numpy") else np.asarray(value)
    except Exception:  # noqa: BLE001 - whatever arrays of others raise where they can't be numpy's
        return None
    array = np.asarray(array)
    if array.dtype.kind == "V" or str(array.dtype) == "bfloat16":
        array = array.astype("float32")
    return array


def figure(value: Any) -> float | None:
    """Return a number as it was written: 0.001, where 32 bits hold 0.0010000000474974513."""
    import numpy as np

    found = plain(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        return None
    narrow = np.float32(found)
    return float(str(narrow)) if float(narrow) == found else float(found)


def plain(value: Any) -> Any:
    """Return a number, text or truth value as Python's own, and None for anything else."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    array = to_numpy(value)
    if array is not None and array.ndim == 0 and array.dtype.kind in "biuf":
        return array.item()
    if isinstance(value, (list, tuple)) and all(
        isinstance(v, (bool, int, float, str)) for v in value
    ):
        return list(value)
    return None


def config_of(thing: Any) -> dict[str, Any]:
    """Return the configuration of an object of Keras; what the user's own lacks is not told."""
    try:
        return dict(thing.get_config())
    except Exception:  # noqa: BLE001 - the user's own may raise anything, and nothing hangs on it
        return {}


def is_figure(value: Any) -> bool:
    """Whether it is what a config is written with: a number, a text, a truth value or nothing."""
    return value is None or isinstance(value, (bool, int, float, str))


def overridden(part: Any, name: str) -> bool:
    """Whether a method is not that of Keras itself."""
    method = getattr(type(part), name, None)
    module = getattr(method, "__module__", "") or ""
    return module.partition(".")[0] not in {"keras", "tf_keras", "transformers", "pipedoctor"}


def compiled_with(part: Any) -> Mapping[str, Any]:
    """Return what compile was given, as it was given."""
    held = getattr(part, "_compile_config", None)
    return getattr(held, "config", None) or {}
