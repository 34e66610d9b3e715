"""
The settings of a script that was not run: those of the one call that makes its training arguments.

What is not a literal there stays unknown; nothing is taken for a default that the call, or what
the script does with the arguments afterwards, might state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable, unknown
from pipedoctor.facts.arguments import Argument, Arguments
from pipedoctor.facts.script import Call, Class, Script, Value
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.signatures import Signature, Signatures
from pipedoctor.facts.stated import Expression, Stated
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import settings_of_parser

ARGUMENTS = "transformers.TrainingArguments"
HANDED_ON = "resume_from_checkpoint"
"""An argument that Trainer does not read: a script may hand it on to `train()`, or not."""


@probe(Settings, Cost.STATIC, "script")
def settings_of_script(pipeline: Pipeline, _split: Split) -> Settings:
    """Take what the only call of `TrainingArguments`, or of a class derived from it, states."""
    script = pipeline.fact(Script)
    parsed = settings_of_parser.parsed(script)
    if parsed is not None and not any(script.called(ARGUMENTS)):
        return _of_parser(pipeline, script, parsed)
    call = _the_call(script)
    stated, locations = _keywords(call)
    own = [one for one in script.classes if call.name == f"__main__.{one.name}"]
    script_keys = _fields(script, own[0], stated, locations) if own else frozenset[str]()
    changed = _changed(script, call, stated, locations)
    arguments = pipeline.fact(Arguments)
    library = next(
        (n for n in call.names if not n.startswith("__main__.") and n != ARGUMENTS), None
    )
    if library is not None and not library.endswith(".TrainingArguments"):
        signature = _signature(pipeline, library)
        script_keys |= frozenset(stated) - set(arguments.history)
        arguments = _derived(arguments, signature, library)
    if call.open or changed:
        reason = f"line {call.line} states more than can be seen" if call.open else changed
        arguments = without_defaults(arguments, str(reason))
    if HANDED_ON in stated:
        stated[HANDED_ON] = Expression(HANDED_ON, "whether the script resumes is not known")
    return Settings(
        stated=Stated(stated),
        arguments=arguments,
        locations=locations,
        script_keys=script_keys,
        made=call.where,
        defaults_of=arguments.owner if arguments.of != ARGUMENTS else "",
        dialect="python",
    )


def _of_parser(pipeline: Pipeline, script: Script, parsed: settings_of_parser.Parsed) -> Settings:
    """Take the options that the script was started with, and the defaults of its own classes."""
    words = getattr(pipeline.part("script"), "words", ())
    arguments = pipeline.fact(Arguments)
    stated, locations, abbreviations = settings_of_parser.options(parsed, words, arguments)
    if parsed.own is not None:
        _fields(script, parsed.own, stated, locations)
    settings_of_parser.take_changes(script, stated, locations, arguments)
    if not words:
        arguments = without_defaults(arguments, "it may be an option of the script")
    stated.pop(HANDED_ON, None)
    return Settings(
        stated=Stated(stated),
        arguments=arguments,
        locations=locations,
        script_keys=parsed.names,
        made=replace(parsed.parse.where, source=None),
        dialect="command",
        abbreviations=abbreviations,
    )


def _the_call(script: Script) -> Call:
    calls = [call for call in script.called(ARGUMENTS) if call.place.runs != "never"]
    if not calls:
        raise Unavailable(
            "the script calls no TrainingArguments(…) that can be read before it runs"
        )
    if len(calls) > 1:
        lines = ", ".join(str(call.line) for call in calls)
        raise Unavailable(
            f"the script makes training arguments in lines {lines}; only a run tells which count"
        )
    return calls[0]


def _keywords(call: Call) -> tuple[dict[str, Any], dict[str, Location]]:
    given = {"output_dir" if key == 0 else key: value for key, value in call.arguments.items()}
    named: dict[str, Value] = {key: value for key, value in given.items() if isinstance(key, str)}
    return (
        {name: _held(value) for name, value in named.items()},
        {name: replace(value.where, key=name) for name, value in named.items()},
    )


def _held(value: Value) -> Any:
    return value.held if value.known else Expression(value.text)


def _fields(
    script: Script, own: Class, stated: dict[str, Any], locations: dict[str, Location]
) -> frozenset[str]:
    """Take over the defaults that a class of the script declares anew; return its fields."""
    for name, value in own.fields.items():
        if value is not None and name not in stated:
            made = script.makers(value)
            declared = made[0] if len(made) == 1 and made[0].is_a("dataclasses.field") else None
            given = declared.argument("default") if declared and not declared.open else None
            stated[name] = _held(given or value)
            locations[name] = replace(value.where, key=name)
    return frozenset(own.fields)


def _changed(
    script: Script, call: Call, stated: dict[str, Any], locations: dict[str, Location]
) -> str | None:
    """Take over what is assigned to the arguments later; return how else they may be changed."""
    for one in script.assigned(call):
        name = one.target.rpartition(".")[2]
        before = stated.get(name)
        sure = one.place.runs == "always" and not one.place.loops and before is None
        stated[name] = _held(one.value) if sure else Expression(one.value.text)
        locations[name] = replace(one.value.where, key=name)
    for other in script.calls:
        method = other.text.rpartition(".")[2]
        if call.number in other.receivers and method.startswith("set_"):
            return f"line {other.line} changes the training arguments by {method}()"
        passed = any(call.number in value.made_by for value in other.arguments.values())
        if passed and other.is_a("setattr", "dataclasses.replace", "vars"):
            return f"line {other.line} changes the training arguments by {method}()"
    return None


def _signature(pipeline: Pipeline, library: str) -> Signature | None:
    try:
        return pipeline.fact(Signatures).of(library)
    except Unavailable:
        return None


def _derived(arguments: Arguments, signature: Signature | None, library: str) -> Arguments:
    """Return the arguments of a class of a library, whose defaults may differ from Trainer's."""
    if signature is None:
        return without_defaults(arguments, f"the defaults of {library} are not known")
    return extended(arguments, signature)


def extended(arguments: Arguments, signature: Signature) -> Arguments:
    """Return the arguments of a class that is derived from `TrainingArguments`."""
    own: Mapping[str, Argument] = signature.own
    fields = {**arguments.fields, **own}
    for name in signature.parameters if not own else ():
        # Of this release only the names of what it declares are known.
        if name in fields:
            reason = f"{signature.name} has a default of its own"
            fields[name] = replace(fields[name], default=unknown(reason))
    return replace(arguments, fields=fields, of=signature.name, of_version=signature.version)


def without_defaults(arguments: Arguments, reason: str) -> Arguments:
    """Return arguments of which nothing but the names is known."""
    fields = {
        name: replace(argument, default=unknown(reason))
        for name, argument in arguments.fields.items()
    }
    return replace(arguments, fields=fields)
