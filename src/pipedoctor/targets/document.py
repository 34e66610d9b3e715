"""A config file as a mapping that knows on which line each of its keys stands."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipedoctor.finding import Location
from pipedoctor.targets import TargetError
from pipedoctor.targets.source import Source, read_source, shown

if TYPE_CHECKING:
    from pipedoctor.facts.reading import Reading


@dataclass(frozen=True, repr=False, eq=False)
class Parsed:
    """What a parser made of a text: the values, and where each key begins, repeated ones too."""

    values: dict[str, Any]
    keys: list[tuple[str, int]]


@dataclass(frozen=True, repr=False, eq=False)
class Document(Mapping[str, Any]):
    """
    The arguments of a config file, under their names, with the place of each.

    `script` and `script_keys` say whose arguments they are taken for, once that was recognised.
    `problems` are sentences on what is odd about the file, such as a key that is stated twice.
    """

    arguments: Mapping[str, Any]
    locations: Mapping[str, Location]
    problems: tuple[str, ...] = ()
    script: str | None = None
    script_keys: frozenset[str] = frozenset()
    arguments_class: str = ""
    """The class that the script makes of them, where it is not `TrainingArguments` itself."""
    dialect: str = "json"
    """How a value is stated in it: "json" (and YAML), "toml" or "command"."""
    abbreviations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options of a command that are none, and those that they are the beginning of."""
    reading: Reading | None = None
    """What a tool with names of its own makes of it; the arguments are in the usual names then."""

    def __getitem__(self, key: str) -> Any:
        """Return the value as it was written."""
        return self.arguments[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys in the order of the file."""
        return iter(self.arguments)

    def __len__(self) -> int:
        """Count the keys."""
        return len(self.arguments)


def read_document(path: str | os.PathLike[str]) -> Document:
    """
    Return the arguments that a JSON, YAML or TOML file states.

    The suffix decides on the format, the content where the suffix is another.

    Raises:
        TargetError: The file is not there, or it does not hold a mapping of names to values.

    """
    source = read_source(path)
    parse = parser(source)
    try:
        parsed = parse(source)
    except RecursionError:
        raise TargetError(
            f"{shown(source.file)} is nested too deeply; a config maps names to plain values"
        ) from None
    locations: dict[str, Location] = {}
    problems = []
    for key, offset in parsed.keys:
        here = source.location(key, offset)
        if key in locations:
            problems.append(
                f'{shown(str(locations[key]))}: "{shown(key)}" is stated again on line '
                f"{here.line}, and that one counts; remove one of them"
            )
        locations[key] = here
    if source.had_mark and parse.__module__.endswith("json_document"):
        problems.append(
            f"{shown(source.file)} begins with a byte-order mark, at which HfArgumentParser "
            "stops; save it as UTF-8 without one"
        )
    toml = parse.__module__.endswith("toml_document")
    return Document(parsed.values, locations, tuple(problems), dialect="toml" if toml else "json")


def mapping_expected(source: Source, value: object) -> TargetError:
    """Return the error of a file that holds something else than names and values."""
    kinds = {list: "a list", str: "a text", bool: "a truth value", type(None): "nothing"}
    kind = kinds.get(type(value), "something else")
    cure = "a config maps names of arguments to values"
    if isinstance(value, str) and re.search(r"\w:\S", value):
        cure = "put a space after the colon behind each name"
    return TargetError(f"{shown(source.file)} holds {kind}; {cure}")


def parser(source: Source) -> Callable[[Source], Parsed]:
    """
    Return the function that reads a text of this format.

    Raises:
        TargetError: It is the name of a script.

    """
    suffix = os.path.splitext(source.file)[1].lower()
    if suffix == ".py":
        raise TargetError(
            f"{shown(source.file)} is a Python script; name the JSON, YAML or TOML file "
            "that holds its arguments"
        )
    if suffix == ".json" or (suffix not in _KNOWN and re.match(r"\s*\{", source.text)):
        from pipedoctor.targets.json_document import parse
    elif suffix == ".toml" or (suffix not in _KNOWN and _TOML.match(source.text)):
        from pipedoctor.targets.toml_document import parse
    else:
        from pipedoctor.targets.yaml_document import parse
    return parse


_KNOWN = (".json", ".toml", ".yaml", ".yml")
# After comments, the first line is a table's header or a name with an equals sign.
_TOML = re.compile(r"(?:\s*#[^\n]*\n|\s*\n)*\s*(?:\[[^\n,]+\]\s*(?:\n|$)|[\w.\"'-]+[ \t]*=)")
