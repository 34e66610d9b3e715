"""Where the keywords of one call in a Python script stand: the call that states the arguments."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterator

from pipedoctor.facts.script import Call
from pipedoctor.fix import Edit, Part
from pipedoctor.fixing import Refused
from pipedoctor.fixing.layout import Brackets, Change, Item, Layout
from pipedoctor.fixing.values import written
from pipedoctor.probes.script import reader

ARGUMENTS = "transformers.TrainingArguments"
WHAT = {"settings": "TrainingArguments(…)", "model": "from_pretrained(…) of transformers"}


class CallLayout(Layout):
    """The arguments of a call; positional ones are in the way of nothing and are never changed."""

    def __init__(self, text: str, line: int, part: Part) -> None:
        """
        Find the call that stands on a line.

        Raises:
            Refused: There is none, or it is not certain which.

        """
        self.call = the_call(text, line, part)
        self._tree = ast.parse(text)
        self.node = _node(self._tree, self.call)
        offset = _Offsets(text)
        spans, commas, begin, end = _arguments(text, offset, self.node)
        items: list[Item] = []
        for keyword in self.node.keywords:
            if keyword.arg is not None:
                at = offset.of(keyword.lineno, keyword.col_offset)
                whole = next(span for span in spans if span[0] == at)
                value = offset.span(keyword.value)
                items.append(Item(keyword.arg, (at, at + len(keyword.arg)), value, whole[1]))
        super().__init__(text, items)
        self._brackets = Brackets(text, begin, end, spans, commas, "#")
        self._literal = {
            keyword.arg for keyword in self.node.keywords if _is_literal(keyword.value)
        }

    def changes(self, edit: Edit) -> list[Change]:
        """Refuse what is not stated by this very call, or is worked out elsewhere."""
        there = any(item.name == edit.key for item in self.items)
        if edit.action == "add" and self.call.open:
            raise Refused("the call states more than can be seen, by * or **")
        if edit.action != "add" and not there:
            raise Refused(f"{edit.key} is not a keyword of the call on line {self.call.line}")
        if edit.action == "set" and edit.key not in self._literal:
            raise Refused(f"{edit.key} is worked out; change it where it comes from")
        return super().changes(edit)

    def rest(self) -> str:
        """Return all that the script says, but for the keywords of the call."""
        keywords = self.node.keywords
        self.node.keywords = [word for word in keywords if word.arg is None]
        told = ast.dump(self._tree)
        self.node.keywords = keywords
        return told

    def without(self, item: Item) -> list[Change]:
        """Take the keyword away with its comma."""
        begins = [begin for begin, _ in self._brackets.items]
        return self._brackets.without(begins.index(item.key[0]))

    def with_more(self, name: str, value: object) -> list[Change]:
        """Add a keyword behind the last argument, as that is laid out."""
        return self._brackets.with_more(f"{name}={self.value(value)}")

    def name(self, name: str, written: str) -> str:  # noqa: ARG002 - a keyword has no quotes
        """Keywords have no quotes."""
        if not name.isidentifier():
            raise Refused(f"{name} can't be the name of a keyword")
        return name

    def value(self, value: object) -> str:
        """Write a literal."""
        return written(
            value,
            ("True", "False", "None"),
            lambda key, text: f"{json.dumps(key, ensure_ascii=False)}: {text}",
        )


def the_call(text: str, line: int, part: Part) -> Call:
    """
    Return the call on a line that makes the settings, or loads the model.

    Raises:
        Refused: There is none, or there are several.

    """
    found = [
        call
        for call in reader.read(text).calls
        if call.line <= line <= call.end_line and _wanted(call, part)
    ]
    if len(found) != 1:
        number = "no call" if not found else "more than one call"
        raise Refused(f"on line {line} there is {number} that is certainly {WHAT[part]}")
    return found[0]


def _wanted(call: Call, part: Part) -> bool:
    if part == "settings":
        return call.is_a(ARGUMENTS)
    return any(
        name.startswith("transformers.") and name.endswith(".from_pretrained")
        for name in call.names
    )


def _node(tree: ast.Module, call: Call) -> ast.Call:
    """Return the node of a call: that with its lines and its arguments."""
    names = {key for key in call.arguments if isinstance(key, str)}
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (node.lineno, node.end_lineno) == (call.line, call.end_line)
        and {keyword.arg for keyword in node.keywords} - {None} <= names
        and ast.unparse(node.func).rpartition(".")[2] == call.text.rpartition(".")[2]
    ]
    if len(found) != 1:
        raise Refused(f"the call on line {call.line} can't be told from others there")
    return found[0]


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError):
        return False
    return True


class _Offsets:
    """Where a line and column are in a text; Python's trees count columns in bytes."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._begins = [0]
        for line in self._lines:
            self._begins.append(self._begins[-1] + len(line) + 1)

    def of(self, line: int, column: int) -> int:
        """Return the place of a column in bytes."""
        characters = self._lines[line - 1].encode()[:column].decode()
        return self._begins[line - 1] + len(characters)

    def at(self, place: tuple[int, int]) -> int:
        """Return the place of a column in characters."""
        return self._begins[place[0] - 1] + place[1]

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node begins and ends."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.of(node.lineno, node.col_offset), self.of(node.end_lineno, node.end_col_offset)


def _arguments(
    text: str, offset: _Offsets, node: ast.Call
) -> tuple[list[tuple[int, int]], list[int | None], int, int]:
    """Return the arguments of a call, the commas behind them, and where its brackets are."""
    function, whole = offset.span(node.func)[1], offset.span(node)[1]
    spans: list[tuple[int, int]] = []
    commas: list[int | None] = []
    begin, depth, first, last = 0, 0, -1, 0
    for word, start, end in _tokens(text, offset, function):
        if start >= whole:
            break
        if word == "(" and not begin:
            begin = end
            continue
        if not begin:
            continue  # the bracket that closes around the called name itself
        depth += (word in {"(", "[", "{"}) - (word in {")", "]", "}"})
        if (word == "," and depth == 0) or depth < 0:
            if first >= 0:
                spans.append((first, last))
                commas.append(start if word == "," else None)
            first = -1
        else:
            first = start if first < 0 else first
            last = end
    return spans, commas, begin, whole - 1


def _tokens(text: str, offset: _Offsets, behind: int) -> Iterator[tuple[str, int, int]]:
    """Yield the words of a text from a place on, without comments and line ends."""
    left_out = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start = offset.at(token.start)
        if start >= behind and token.type not in left_out:
            yield token.string, start, offset.at(token.end)
