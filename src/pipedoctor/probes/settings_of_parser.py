"""
The settings of a script that takes them from its command line, by transformers' HfArgumentParser.

They are the options that the script was given, and what its own dataclasses state. Without any
options it is not known what a run will be given, so that no default is taken for granted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.arguments import Arguments
from pipedoctor.facts.script import Call, Class, Script, Value, named
from pipedoctor.facts.stated import Expression
from pipedoctor.finding import Location

PARSER = "transformers.HfArgumentParser"
ARGUMENTS = "transformers.TrainingArguments"
CHANGERS = ("dataclasses.replace", "setattr", "vars")
METHODS = (
    *("set_training", "set_evaluate", "set_testing", "set_save", "set_logging"),
    *("set_optimizer", "set_lr_scheduler", "set_dataloader", "set_push_to_hub"),
)


@dataclass(frozen=True)
class Parsed:
    """
    The dataclasses of a parser, and the call that reads the command line.

    `own` is the class of the training arguments, where that is one of the script's; `names` are
    the fields of all of its classes, and `complete` says that no other options are taken.
    """

    parse: Call
    own: Class | None
    names: frozenset[str]
    complete: bool


def parsed(script: Script) -> Parsed | None:
    """Return the parser of a script, if it has one that makes training arguments."""
    calls = [
        call
        for call in script.calls
        if call.text.endswith(".parse_args_into_dataclasses") and call.place.runs != "never"
    ]
    parsers = {call.number: call for one in calls for call in script.receivers(one)}
    if len(parsers) != 1:
        return None
    (parser,) = parsers.values()
    given = parser.argument("dataclass_types", 0)
    if given is None or parser.name.startswith("__main__.") or not parser.is_a(PARSER):
        return None
    kinds = given.elements or (given,)
    classes = {one.name: one for one in script.classes}
    others = [classes[kind.text] for kind in kinds if kind.text in classes]
    own = next((one for one in others if one.is_a(ARGUMENTS)), None)
    if not (_plain_base(own) if own is not None else _library(script, kinds)):
        return None
    adds = any(call.text.endswith(".add_argument") for call in script.calls)
    names = frozenset(name for one in others for name in one.fields)
    whole = len(others) + (own is None) == len(kinds) and all(map(_plain, others))
    return Parsed(calls[0], own, names, whole and not adds and not calls[0].arguments)


def _library(script: Script, kinds: Sequence[Value]) -> bool:
    """Whether `TrainingArguments` of transformers is among the classes of a parser."""
    for kind in kinds:
        for one in script.imports:
            full = one.name if kind.text == one.bound else ""
            if kind.text == f"{one.bound}.{kind.text.rpartition('.')[2]}":
                full = f"{one.name}.{kind.text.rpartition('.')[2]}"
            if named(full, ARGUMENTS):
                return True
    return False


def _plain_base(own: Class) -> bool:
    """Whether the script's own class is derived from that one, and no library's between them."""
    bases = [name for name in own.names if not name.startswith("__main__.")]
    return bool(bases) and named(bases[0], ARGUMENTS)


def _plain(one: Class) -> bool:
    """Whether all fields of a class are its own, or those of `TrainingArguments`."""
    bases = [name for name in one.names[1:] if name not in {"object", "builtins.object"}]
    return not bases or one.is_a(ARGUMENTS)


def options(
    found: Parsed, words: Sequence[str], arguments: Arguments
) -> tuple[dict[str, Any], dict[str, Location], Mapping[str, tuple[str, ...]]]:
    """
    Return what the words of a command line state, where, and which of them are abbreviations.

    Raises:
        Unavailable: They name a file, and only a run tells what the script does with it.

    """
    from pipedoctor.targets.command import of_options

    if words and not words[0].startswith("--"):
        raise Unavailable("the script is given a file, and only a run tells how it is read")
    types = dict.fromkeys(found.names, "")
    types |= {name: one.type for name, one in arguments.fields.items()}
    document = of_options(words, (types, found.complete))
    known = dict(document.arguments)
    if not found.complete:  # the rest may be options of which nothing is seen
        known = {name: value for name, value in known.items() if name in types}
    places = {name: place for name, place in document.locations.items() if name in known}
    return known, places, document.abbreviations


def take_changes(
    script: Script, stated: dict[str, Any], locations: dict[str, Location], arguments: Arguments
) -> None:
    """
    Make unknown what the script may assign to its arguments after it has read them.

    Raises:
        Unavailable: It changes them in a way that can't be followed.

    """
    for call in script.calls:
        if call.is_a(*CHANGERS) or call.text.rpartition(".")[2] in METHODS:
            raise Unavailable(f"line {call.line} may change the training arguments")
    for one in script.assignments:
        name = one.target.rpartition(".")[2]
        if "." in one.target and name in arguments.fields:
            stated[name] = Expression(one.value.text)
            locations[name] = replace(one.value.where, key=name)
