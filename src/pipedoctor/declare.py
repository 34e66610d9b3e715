"""
How a check is declared.

    @check("HYP003", Severity.WARNING, stage=Stage.ARGUMENTS)
    def warmup_outlasts_training(schedule: Schedule, *, share: float = 1.0) -> Iterator[Finding]:

The signature is the whole declaration: positional parameters are the facts that the check needs
(`Train[Labels]` for one split, `ModelFiles | None` for one it can do without), keyword-only
parameters are its options, the docstring is its page in the manual.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pipedoctor.fact import Fact, Split
from pipedoctor.finding import Finding, Severity, Stage

if TYPE_CHECKING:
    from pipedoctor.facts.script import Script

P = ParamSpec("P")
F = TypeVar("F", bound=Fact)
InText = Callable[["Script"], Iterator[Finding]]

_CODE = re.compile(r"[A-Z]{3}\d{3}")
_EXAMPLE = re.compile(r"^(Fails|Passes):\n\n((?:(?: {4}.*)?\n?)+)", re.MULTILINE)


@dataclass(frozen=True)
class Need:
    """A fact that a check asks for: of which split, and whether it can do without."""

    fact: type[Fact]
    split: Split | None = None
    optional: bool = False

    @property
    def every_split(self) -> bool:
        """Whether the check runs once for each split that there is."""
        return self.fact.per_split and self.split is None


@dataclass(frozen=True, repr=False, eq=False)
class Example:
    """A snippet of the user's code in which the check must, or must not, find its fault."""

    source: str
    fails: bool


@dataclass(frozen=True, repr=False, eq=False)
class Check(Generic[P]):
    """
    One rule: which facts it needs, and what it finds in them.

    `symptoms` maps the error texts (regular expressions) in which users meet this fault to the
    cure; `explains` holds the codes of findings that are consequences of this one. `in_text` finds
    the fault in the text of a script, for where the facts that prove it can't be measured; what it
    does not see there may still be wrong.
    """

    code: str
    severity: Severity
    stage: Stage
    diagnose: Callable[P, Iterator[Finding]]
    needs: tuple[Need, ...]
    options: Mapping[str, object]
    symptoms: Mapping[str, str] = field(default_factory=dict)
    explains: frozenset[str] = frozenset()
    in_text: InText | None = None

    @property
    def name(self) -> str:
        """The fault in words, as in "allow warmup-outlasts-training"."""
        return self.diagnose.__name__.replace("_", "-")

    @cached_property
    def doc(self) -> str:
        """The page of the manual."""
        return inspect.cleandoc(self.diagnose.__doc__ or "")

    @property
    def summary(self) -> str:
        """The fault in one sentence."""
        return self.doc.partition("\n")[0]

    @property
    def examples(self) -> list[Example]:
        """The snippets of the page."""
        return [
            Example(inspect.cleandoc("\n" + match[2]), match[1] == "Fails")
            for match in _EXAMPLE.finditer(self.doc)
        ]

    def __call__(self, *facts: P.args, **options: P.kwargs) -> Iterator[Finding]:
        """Yield what is wrong."""
        return iter(self.diagnose(*facts, **options))


AnyCheck = Check[...]


def check(  # noqa: PLR0913 - one keyword for each thing that a check may declare
    code: str,
    severity: Severity,
    *,
    stage: Stage,
    symptoms: Mapping[str, str] | None = None,
    explains: tuple[str, ...] = (),
    in_text: InText | None = None,
) -> Callable[[Callable[P, Iterator[Finding]]], Check[P]]:
    """
    Turn a function into a check.

    Raises:
        TypeError: The function is not one; the text names its file and line.

    """

    def declare(diagnose: Callable[P, Iterator[Finding]]) -> Check[P]:
        try:
            needs, options = _read_signature(code, diagnose)
        except TypeError as error:
            place = f"{diagnose.__code__.co_filename}:{diagnose.__code__.co_firstlineno}"
            raise TypeError(f"{place}: {code} {diagnose.__name__}: {error}") from None
        return Check(
            code,
            severity,
            stage,
            diagnose,
            needs,
            options,
            dict(symptoms or {}),
            frozenset(explains),
            in_text,
        )

    return declare


def _read_signature(
    code: str, diagnose: Callable[..., Any]
) -> tuple[tuple[Need, ...], dict[str, object]]:
    if not _CODE.fullmatch(code):
        raise TypeError("a code is three capitals and three digits")
    if not diagnose.__doc__:
        raise TypeError("the docstring is the user's manual; write it")
    diagnose = inspect.unwrap(diagnose)
    # `inspect.signature` would tell the same; for forty checks it takes as long as json does.
    body = diagnose.__code__
    positional = body.co_varnames[: body.co_argcount]
    keywords = body.co_varnames[body.co_argcount :][: body.co_kwonlyargcount]
    if body.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS):
        raise TypeError("each fact and each option needs a parameter of its own")
    needs: list[Need] = []
    for name, hint in zip(positional, _hints(diagnose, positional), strict=True):
        need = _need(hint)
        if need is None:
            raise TypeError(
                f"parameter {name!r} is no fact; make it keyword-only if it is an option"
            )
        needs.append(need)
    options: dict[str, object] = dict(diagnose.__kwdefaults__ or {})
    for name in keywords:
        if name not in options:
            raise TypeError(f"option {name!r} needs a default")
    if not any(not need.optional for need in needs):
        raise TypeError("a check needs at least one fact that is not optional")
    return tuple(needs), options


def _hints(diagnose: Callable[..., Any], names: tuple[str, ...]) -> list[Any]:
    """Return what parameters are annotated with; most are the plain name of a fact."""
    stated = [str(diagnose.__annotations__.get(name)) for name in names]
    plain = [diagnose.__globals__.get(name) for name in stated]
    if all(isinstance(hint, type) for hint in plain):
        return plain
    hints = get_type_hints(diagnose, include_extras=True)
    return [hints.get(name) for name in names]


def _need(annotation: Any, split: Split | None = None, *, optional: bool = False) -> Need | None:
    if get_origin(annotation) is Annotated:
        inner, mark = get_args(annotation)[:2]
        return _need(inner, mark if isinstance(mark, Split) else split, optional=optional)
    if get_origin(annotation) in {Union, types.UnionType}:
        inner = [part for part in get_args(annotation) if part is not type(None)]
        return _need(inner[0], split, optional=True) if len(inner) == 1 else None
    if isinstance(annotation, type) and issubclass(annotation, Fact):
        return Need(annotation, split, optional)
    return None
