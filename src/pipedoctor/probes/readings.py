"""Settings as a tool with defaults of its own takes them, before it hands them to Trainer."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.arguments import Argument, Arguments, version_key
from pipedoctor.facts.reading import Reading
from pipedoctor.facts.settings import Settings, fits
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import releases

TRUE = frozenset({"yes", "true", "t", "y", "1", "on"})
FALSE = frozenset({"no", "false", "f", "n", "0", "off"})
"""The words that argparse, with the types of HfArgumentParser, and pydantic understand."""


@probe(Reading, Cost.STATIC, "tool")
def reading_of_tool(pipeline: Pipeline, _split: Split) -> Reading:
    """Take over what the target knows of the tool."""
    reading = pipeline.part("tool")
    if not isinstance(reading, Reading):
        raise Unavailable(f"{reading!r} is no reading of a tool")
    return reading


def apply(settings: Settings, reading: Reading) -> Settings:
    """Return the settings with the tool's own defaults, and its texts converted."""
    arguments = _with_defaults(_of_its_time(settings.arguments, reading), reading)
    stated = dict(settings.stated)
    if reading.converts:
        for name, value in stated.items():
            argument = arguments.fields.get(name)
            if argument is not None and isinstance(value, str):
                stated[name] = converted(value, argument.type)
    return replace(
        settings, stated=stated, arguments=arguments, reading=reading, unused=reading.unused
    )


def _of_its_time(arguments: Arguments, reading: Reading) -> Arguments:
    """
    Return the arguments of the newest transformers that the tool works with, if that is older.

    Where the tool is not installed here, it will run in another environment.
    """
    bound = reading.newest
    if reading.installed or bound is None or version_key(bound) >= version_key(arguments.version):
        return arguments
    history = releases.load()
    release = history.nearest(bound)
    return replace(
        arguments,
        version=bound,
        installed=False,
        fields=history.fields(release),
        release=release,
        bound_by=reading.release,
    )


def _with_defaults(arguments: Arguments, reading: Reading) -> Arguments:
    fields = dict(arguments.fields)
    for name, own in reading.defaults.items():
        known = fields.get(name)
        if known is None:
            fields[name] = own
        elif own.default is not None:  # else nothing is handed on, and Trainer's own counts
            fields[name] = Argument(known.type, own.default)
    return replace(arguments, fields=fields)


def converted(text: str, declared: str) -> Any:
    """Return the number or truth value that a text spells out, where one is due."""
    if fits(text, declared):
        return text
    word = text.strip().lower()
    if "bool" in declared:
        return True if word in TRUE else False if word in FALSE else text
    try:
        if "float" in declared:
            number = float(text)
            return number if isfinite(number) else text
        return int(text)
    except ValueError:
        return text
