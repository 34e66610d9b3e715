"""
Models that were pickled whole, `torch.save(model)`: the classes that such a file may name.

A pickler makes each module bare, by `__new__` without arguments, and sets its state by one BUILD.
Loading imports the modules of the classes and runs what they do on `__new__`, `__setstate__` and
`__del__`. The file chooses these classes and their state; it is held to those of the libraries of
models and to the user's own, which no package that is installed here brings. Whatever else a file
does with a class, such as calling it, is none of this.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from pipedoctor.checkpoints.pickles.limits import Budget
from pipedoctor.checkpoints.pickles.nodes import CONTAINERS, Call, Global

Pair = tuple[str, str]

_ROUND = 1024  # nodes between two looks at the clock

_FUNCTIONS = ("torch.nn.functional", "torch._C._nn")
"""The modules of the functions that modules hold, as their activation."""

_GONE = frozenset(
    [
        "asynchat",
        "asyncore",
        "cgi",
        "commands",
        "crypt",
        "distutils",
        "imp",
        "lib2to3",
        "msilib",
        "nis",
        "nturl2path",
        "pipes",
        "popen2",
        "smtpd",
        "smtplib",
        "telnetlib",
        "__builtin__",
    ]
)
"""Modules of other releases of Python."""

_BESIDE = frozenset(["idlelib", "test"])
"""Packages that come with Python and are no part of its library's names."""

_NEVER = frozenset(
    [
        "IPython",
        "_distutils_hack",
        "cffi",
        "cloudpickle",
        "dask",
        "dill",
        "fabric",
        "fsspec",
        "git",
        "invoke",
        "ipykernel",
        "jinja2",
        "joblib",
        "llvmlite",
        "numba",
        "numexpr",
        "numpy",
        "pandas",
        "paramiko",
        "pexpect",
        "pip",
        "pkg_resources",
        "psutil",
        "py",
        "pydoc",
        "pytest",
        "ray",
        "scipy",
        "setuptools",
        "sh",
        "sklearn",
        "sqlalchemy",
        "sympy",
        "tensorflow",
        "keras",
        "timm",
        "torch",
        "torchvision",
        "tqdm",
        "twisted",
        "werkzeug",
        "win32com",
        "yaml",
        "_pytest",
    ]
)
"""Packages with classes that run what their state says, or that are no home of a model."""

_LIBRARIES = frozenset(
    [
        ("torch", "nn"),
        ("torchvision", "models"),
        ("torchvision", "ops"),
        ("timm", "models"),
        ("timm", "layers"),
    ]
)
"""Parts of libraries that hold layers and models, which are often saved whole."""

_SITES = frozenset(["site-packages", "dist-packages"])
"""The folders that packages are installed into."""

_PARTS = ("modeling_", "configuration_", "modular_")
_OTHERS = frozenset(
    [
        "activations",
        "cache_utils",
        "configuration_utils",
        "modeling_layers",
        "modeling_outputs",
        "modeling_utils",
        "pytorch_utils",
    ]
)


def classes(names: Iterable[Pair], ran: set[Pair], modules: set[Pair], made: set[Pair]) -> bool:
    """
    Tell whether all these globals are classes of a model that was pickled whole.

    Of them, `made` are those of which objects are made bare, `modules` those whose objects were
    given the state of a module of PyTorch, and `ran` those with which anything else was done.
    """
    homes = {module.partition(".")[0] for module, _ in modules if not _library(module)}
    return bool(modules) and all(
        pair not in ran and pair[1].isidentifier() and _fits(pair, homes, made) for pair in names
    )


def handed_over(roots: Iterable[object], budget: Budget) -> set[Pair]:
    """Return the globals that stand among the arguments of a call, which may call them in turn."""
    found: set[Pair] = set()
    todo: list[tuple[object, bool]] = [(root, False) for root in roots]
    seen: set[tuple[int, bool]] = set()
    while todo:
        node, inside = todo.pop()
        if type(node) is Global and inside:
            found.add(node.pair)
        if type(node) not in CONTAINERS or (id(node), inside) in seen:
            continue
        seen.add((id(node), inside))
        if len(seen) % _ROUND == 0:
            budget.charge(_ROUND * 100)
            budget.tick()
        if type(node) is Call:
            todo += [(node.arguments, True), (node.function, False)]
            todo += [(node.state, False), (node.items, False)]
        else:
            assert isinstance(node, list | tuple)
            todo += [(child, inside) for child in node]
    return found


def _fits(pair: Pair, homes: set[str], made: set[Pair]) -> bool:
    module = pair[0]
    if pair not in made:
        return module in _FUNCTIONS
    return _library(module) or (_own(module) and module.partition(".")[0] in homes)


def _library(module: str) -> bool:
    """Whether it is a module of one of the libraries of models, with their classes."""
    parts = module.split(".")
    if tuple(parts[:2]) in _LIBRARIES:
        return True
    if parts[0] == "transformers":
        return parts[-1].startswith(_PARTS) or parts[-1] in _OTHERS
    return parts[0] == "peft" and len(parts) > 1


def _own(module: str) -> bool:
    """Whether it can be a module of the user's: one of no package that is known or installed."""
    if not all(part.isidentifier() for part in module.split(".")):
        return False
    first = module.partition(".")[0]
    if first == "__main__":
        return True
    known = sys.stdlib_module_names | _BESIDE | _GONE | _NEVER | {"transformers", "peft"}
    return first not in known and not _installed(first)


@cache
def _installed(package: str) -> bool:
    """
    Whether a package stands among those that pip installs, or with Python, on this machine.

    It is looked for and not imported. What was installed to be edited stands elsewhere: that is
    the user's own.
    """
    from importlib.util import find_spec

    try:
        spec = find_spec(package)
    except (ImportError, ValueError):  # ValueError: a module that was made, not found, has none
        return False
    if spec is None:
        return False
    places = [*(spec.submodule_search_locations or ()), spec.origin]
    return any(_of_others(place) for place in places if place)


def _of_others(place: str) -> bool:
    if place in {"built-in", "frozen"} or not _SITES.isdisjoint(Path(place).parts):
        return True
    return Path(place).is_relative_to(Path(os.__file__).parent)
