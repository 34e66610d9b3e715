"""Configs in YAML, as PyYAML reads them (YAML 1.1); nothing in them is ever executed."""

from __future__ import annotations

from typing import Any

import yaml

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import Parsed, mapping_expected
from pipedoctor.targets.source import MIB, Source, shown

MOST_BYTES = MIB
"""PyYAML reads about half a megabyte a second; a config has a few kilobytes."""

MOST_VALUES = 20_000
"""Keys and values, each as often as aliases repeat it; nine lines of aliases can make 10^9."""

MOST_DIGITS = 400
"""A float ends at 309 digits; longer numbers take time that grows with the square."""

_YAML = "tag:yaml.org,2002:"
_MAP = f"{_YAML}map"
_MERGE = f"{_YAML}merge"
_NUMBERS = (f"{_YAML}int", f"{_YAML}float")

# What the constructors of PyYAML's safe loader raise for a value that its tag does not fit.
_MISFITS = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

# PyYAML's words for a fault, and ours.
_FAULTS = (
    (
        "mapping values are not allowed here",
        "there is a second colon or a wrong indentation; put the value in quotes or align the key",
    ),
    ("could not find expected ':'", "this key has no colon; write it as key: value"),
    ("found unknown escape character", "a backslash in double quotes; use single quotes instead"),
    ("expected escape sequence", "a backslash in double quotes; use single quotes instead"),
    ("found unexpected end of stream", "the quote that opens here is not closed; close it"),
    ("expected a single document", "a second document begins here; a config is one, so remove it"),
    ("expected ',' or '}'", "the comma or the closing } is missing before this; add it"),
    ("expected ',' or ']'", "the comma or the closing ] is missing before this; add it"),
    (
        "expected '<document start>'",
        "this line is indented unlike its neighbours; align it with them",
    ),
    ("expected <block end>", "this line is indented unlike its neighbours; align it with them"),
    ("found character '%'", "a value can't begin with %; put it in quotes"),
    ("found character '@'", "a value can't begin with @; put it in quotes"),
    ("found character '`'", "a value can't begin with a backtick; put it in quotes"),
    ("found undefined alias", "the alias has no anchor of its name; write the value itself"),
)
# For these, the line where the faulty thing begins says more than the one where it was noticed.
_AT_START = ("could not find expected ':'", "found unexpected end of stream")


class _Loader(yaml.SafeLoader):
    """The safe loader, which stops counting values at a bound."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.text)
        self._source = source
        self._left = MOST_VALUES

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._left -= 1
        if self._left < 0:
            raise _too_many(self._source)
        return super().compose_node(parent, index)


def parse(source: Source) -> Parsed:
    """
    Return the top-level keys and values.

    Raises:
        TargetError: The text is no YAML, or no mapping of texts to values.

    """
    if len(source.text) > MOST_BYTES:
        raise TargetError(
            f"{shown(source.file)} has {len(source.text) / 1e6:.1f} MB, too much for a YAML "
            "config; name the file that holds the arguments"
        )
    try:
        loader = _Loader(source)
        root = loader.get_single_node()
        if root is None:
            raise TargetError(
                f"{shown(source.file)} is empty; write the arguments of the training into it"
            )
        _require_harmless(root, source, {})
        if not isinstance(root, yaml.MappingNode) or root.tag != _MAP:
            raise mapping_expected(source, _construct(loader, root, source))
        return _top_level(loader, root, source)
    except yaml.reader.ReaderError as error:
        fault = f"YAML can't hold the character {chr(error.character)!r}; remove it"
        raise source.error(error.position, fault) from None
    except yaml.MarkedYAMLError as error:
        raise _explain(error, source) from None
    except _MISFITS as error:
        raise TargetError(
            f"{shown(source.file)} is no YAML ({shown(str(error))}); put texts in single quotes"
        ) from None


def _top_level(loader: _Loader, root: yaml.MappingNode, source: Source) -> Parsed:
    own = [(key, value) for key, value in root.value if key.tag != _MERGE]
    loader.flatten_mapping(root)  # puts what "<<" brings in before what is stated here
    inherited = root.value[: len(root.value) - len(own)]
    values: dict[str, Any] = {}
    keys: list[tuple[str, int]] = []
    for key_node, value_node in (*inherited, *own):
        at = key_node.start_mark.index
        key = _construct(loader, key_node, source)
        if not isinstance(key, str):
            fault = f"this key is read as {shown(repr(key)[:60])}, not as text; put it in quotes"
            raise source.error(at, fault)
        values[key] = _construct(loader, value_node, source)
        keys.append((key, at))
    stated = {key for key, _ in keys[len(inherited) :]}
    seen = [place for place in keys[: len(inherited)] if place[0] not in stated]
    return Parsed(values, seen + keys[len(inherited) :])


def _construct(loader: _Loader, node: yaml.Node, source: Source) -> Any:
    try:
        return loader.construct_document(node)
    except _MISFITS as error:
        tag = node.tag.replace(_YAML, "!!")
        fault = f"this is no value of type {shown(tag)} ({shown(str(error))}); put it in quotes"
        raise source.error(node.start_mark.index, fault) from None


def _require_harmless(node: yaml.Node, source: Source, sizes: dict[int, int]) -> int:
    """Count the values under a node as its aliases expand, before any of them is made."""
    if id(node) in sizes:
        if sizes[id(node)] == 0:  # we are still inside it
            raise source.error(node.start_mark.index, "this value contains itself; write it out")
        return sizes[id(node)]
    sizes[id(node)] = 0
    size = 1
    if isinstance(node, yaml.ScalarNode):
        _require_plain(node, source)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_require_harmless(child, source, sizes) for child in node.value)
    elif isinstance(node, yaml.MappingNode):
        for pair in node.value:
            size += sum(_require_harmless(child, source, sizes) for child in pair)
    if size > MOST_VALUES:
        raise _too_many(source)
    sizes[id(node)] = size
    return size


def _require_plain(node: yaml.ScalarNode, source: Source) -> None:
    if len(node.value) > MOST_DIGITS and node.tag in _NUMBERS:
        fault = f"the number {node.value[:8]}… has {len(node.value):,} characters; shorten it"
        raise source.error(node.start_mark.index, fault)
    if not node.value.isascii() and any("\ud800" <= char <= "\udfff" for char in node.value):
        fault = "half of a surrogate pair (\\ud800 to \\udfff); write the character itself"
        raise source.error(node.start_mark.index, fault)


def _too_many(source: Source) -> TargetError:
    return TargetError(
        f"{shown(source.file)} holds more than {MOST_VALUES:,} values, aliases expanded; "
        "a config has a few dozen, so write them out"
    )


def _explain(error: yaml.MarkedYAMLError, source: Source) -> TargetError:
    """Return the error in plain words, with the cure, at the line to change."""
    problem = f"{error.context or ''}, {error.problem or ''}".strip(", ")
    mark = error.problem_mark or error.context_mark
    if any(words in problem for words in _AT_START):
        mark = error.context_mark or mark
    at = mark.index if mark is not None else 0
    begin = source.text.rfind("\n", 0, at) + 1
    line = source.text[begin:].partition("\n")[0]
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return source.error(at, "this line is indented with a tab; use spaces")
    if "expected <block end>" in problem and source.text[begin:at].strip():
        return source.error(at, "something follows the value here; put the whole value in quotes")
    if "constructor for the tag" in problem:
        tag = problem.partition("'")[2].rpartition("'")[0].replace(_YAML, "!!")
        if tag.startswith("!!python"):
            what = "would make Python objects, of which nothing was executed"
        else:
            what = "is none that YAML knows"
        return source.error(at, f"the tag {shown(tag)} {what}; remove it")
    for words, fault in _FAULTS:
        if words in problem:
            return source.error(at, fault)
    return source.error(at, f"this is no YAML ({shown(problem)}); correct the line")
