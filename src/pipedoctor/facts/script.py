"""What a training script says: one index of its calls, names and lines, so that no check walks trees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipedoctor.fact import UNKNOWN, Fact, Unavailable, Unknown
from pipedoctor.finding import Location


@dataclass(repr=False, eq=False)
class Value:
    """
    An expression of the script: its text, and what is known of it without running anything.

    `kind` names what is written there ("constant", "name", "call", "list", "listcomp", "binop"
    ...). `made_by` are the calls, by number, that may have made the object; `calls` those that
    stand anywhere in the expression. `elements` are those of a list or tuple that is written out.
    """

    text: str
    where: Location
    kind: str
    held: Any = UNKNOWN
    made_by: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()
    elements: tuple[Value, ...] = ()

    @property
    def known(self) -> bool:
        """Whether it is a literal, or can only be one."""
        return not isinstance(self.held, Unknown)

    @property
    def value(self) -> Any:
        """The literal; `Unavailable` if only a run of the script could tell."""
        if isinstance(self.held, Unknown):
            raise Unavailable(f"{self.text} is known only when the script runs")
        return self.held

    def get(self, default: Any = None) -> Any:
        """Return the literal, or `default`."""
        return self.held if self.known else default


@dataclass(repr=False, eq=False)
class Place:
    """
    Where something stands: what must happen for it to run, and how often it may.

    `scope` is the function it stands in ("" at the top, "main", "MyTrainer.compute_loss"), `owner`
    the class, if it stands in one. `loops` are the lines of the loops around it, `branches` line
    and arm of what decides whether it runs (`if`, `try`, `match`, `and`), both within its
    function; `if __name__ == "__main__"` decides nothing. `caught` are the exceptions that a `try`
    around it catches ("" for all). `runs` is "always", "maybe", or "never" for a function that
    nothing uses. `managers` are the calls, by number, of the `with` blocks around it.
    """

    scope: str = ""
    owner: str = ""
    loops: tuple[int, ...] = ()
    branches: tuple[tuple[int, str], ...] = ()
    caught: tuple[str, ...] = ()
    runs: str = "maybe"
    managers: tuple[int, ...] = ()

    def excludes(self, other: Place) -> bool:
        """Whether one pass through the function that both stand in runs one of them only."""
        arms = dict(other.branches)
        return self.scope == other.scope and any(
            # Of a `try`, several parts run.
            arms.get(line, arm) != arm
            for line, arm in self.branches
            if not arm.startswith("try")
        )


@dataclass(repr=False, eq=False)
class Call:
    """
    A call: what is called, with what, where.

    `names` are all that the called thing is for certain, nearest first, each with its package:
    of `MyTrainer(...)` these are "__main__.MyTrainer" and "transformers.Trainer", of a method of
    what it made "__main__.MyTrainer.train" and "transformers.Trainer.train". They are empty where
    that can't be told; `text` is what is written. `arguments` has positions and keywords; `open`
    says that there may be more of them, from `*args` or `**kwargs`.
    """

    number: int
    names: tuple[str, ...]
    text: str
    where: Location
    end_line: int
    arguments: Mapping[int | str, Value]
    open: bool
    place: Place
    receivers: tuple[int, ...] = ()
    """The calls, by number, that may have made the object whose method this is."""
    callees: tuple[int, ...] = ()
    """The calls, by number, that may have made the object that is called, as in `model(x)`."""

    @property
    def name(self) -> str:
        """The nearest name; empty where it can't be told."""
        return self.names[0] if self.names else ""

    @property
    def line(self) -> int:
        """The line that it begins on."""
        return self.where.line or 0

    def is_a(self, *wanted: str) -> bool:
        """Whether it calls one of these: "transformers.Trainer" is in `transformers.trainer` too."""
        return any(named(name, one) for name in self.names for one in wanted)

    def argument(self, keyword: str, position: int | None = None) -> Value | None:
        """Return an argument by its keyword, or the position that stands for it."""
        found = self.arguments.get(keyword)
        return self.arguments.get(position) if found is None and position is not None else found


@dataclass(repr=False, eq=False)
class Import:
    """A name that an import binds: `name` with its package, `bound` in the script ("*": all)."""

    name: str
    bound: str
    where: Location
    place: Place


@dataclass(repr=False, eq=False)
class Assignment:
    """
    A value under a name: "model", "self.layers".

    For an attribute of an object, `holders` are the calls that may have made the object.
    """

    target: str
    value: Value
    place: Place
    holders: tuple[int, ...] = ()


@dataclass(repr=False, eq=False)
class Function:
    """A function or method ("MyTrainer.compute_loss"): parameters, decorators, what it returns."""

    name: str
    parameters: tuple[str, ...]
    open: bool
    decorators: tuple[str, ...]
    returns: tuple[Value, ...]
    where: Location
    end_line: int
    place: Place


@dataclass(repr=False, eq=False)
class Class:
    """A class: all names that it answers to, itself first, and what its body assigns."""

    name: str
    names: tuple[str, ...]
    fields: Mapping[str, Value | None]
    methods: tuple[str, ...]
    where: Location
    place: Place

    def is_a(self, *wanted: str) -> bool:
        """Whether it is, or is derived from, one of these."""
        return any(named(name, one) for name in self.names for one in wanted)


@dataclass(frozen=True, repr=False, eq=False)
class Script(Fact):
    """
    The text of a training script, resolved: which name stands for what, which call makes what.

    Nothing is run. Names are followed through imports and their aliases, assignments, attributes
    of `self`, functions that return what they make, and the parameters of functions whose calls
    are all in the script. Where several things are possible and differ, nothing is claimed.

    `trainings` are the calls that start one: `train()` of a Trainer, `fit()` of a Keras model or
    a Lightning trainer.
    """

    doing = "Reading the script"

    file: str | None
    lines: tuple[str, ...]
    calls: tuple[Call, ...]
    imports: tuple[Import, ...]
    assignments: tuple[Assignment, ...]
    functions: tuple[Function, ...]
    classes: tuple[Class, ...]
    trainings: tuple[Call, ...]
    followed: frozenset[int] = field(default_factory=frozenset)
    """The numbers of the trainings after which another one may start."""
    additions: tuple[Assignment, ...] = ()
    """What is added to a name, by `total += value` or `total = total + value`."""

    def called(self, *names: str) -> Iterator[Call]:
        """Yield the calls of these classes, functions or methods, and of what is derived from them."""
        return (call for call in self.calls if call.is_a(*names))

    def makers(self, value: Value | None) -> tuple[Call, ...]:
        """Return the calls that may have made a value."""
        return tuple(self.calls[number] for number in value.made_by) if value else ()

    def receivers(self, call: Call) -> tuple[Call, ...]:
        """Return the calls that may have made the object whose method is called."""
        return tuple(self.calls[number] for number in call.receivers)

    def callees(self, call: Call) -> tuple[Call, ...]:
        """Return the calls that may have made the object that is called."""
        return tuple(self.calls[number] for number in call.callees)

    def function(self, name: str) -> Function | None:
        """Return the only function or method of this name ("Net.forward"), if there is one."""
        found = [one for one in self.functions if one.name == name]
        return found[0] if len(found) == 1 else None

    def assigned(self, maker: Call) -> Iterator[Assignment]:
        """Yield the assignments to attributes of what a call made."""
        return (one for one in self.assignments if maker.number in one.holders)

    def further_than(self, line: int) -> bool:
        """Whether another training may start after the one that started at this line."""
        here = [call for call in self.trainings if call.line <= line <= call.end_line]
        if not here:  # one that was not recognised: any that was may follow
            return bool(self.trainings)
        return any(call.number in self.followed for call in here)

    def summary(self) -> Mapping[str, object]:
        """Tell how much was read."""
        return {
            "lines": len(self.lines),
            "calls": len(self.calls),
            "trainings": [call.line for call in self.trainings],
        }


def named(name: str, wanted: str) -> bool:
    """Whether a name is the wanted one, wherever in its package that is defined."""
    if name == wanted:
        return True
    package, _, rest = wanted.partition(".")
    return name.startswith(f"{package}.") and name.endswith(f".{rest}")
