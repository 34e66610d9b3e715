"""A large JSON object, read entry by entry: only one entry is ever in memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined] # typeshed leaves it out

from pipedoctor.checkpoints.opening import Source

CHUNK = 2**20
LONGEST = 4 * 2**20
"""Characters of one text: some trainers state the tags of all their pictures in one."""
LONGEST_VALUE = 2**18
"""Characters of one other value; what is made of them takes 20 times the memory."""

SPACE = re.compile(r"[ \t\n\r]*")
SURROGATE = re.compile("[\ud800-\udfff]")


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name stands twice in one entry")
    return dict(pairs)


def _whole(digits: str) -> float:
    return int(digits) if digits != "-0" else -0.0  # as JSON has it, and it counts nothing


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_whole, parse_constant=_refused)


class Broken(Exception):  # noqa: N818 - a state of the file, told as a flaw
    """The text is no JSON object; `offset` is the byte, or about the byte, where that shows."""

    def __init__(self, message: str, offset: int) -> None:
        """Remember the place."""
        super().__init__(message)
        self.offset = offset


class TooLong(Broken):
    """One name or value is longer than what is read at once."""


class Entries:
    """
    The entries of the JSON object that fills a source.

    `key()` returns the next name, then the caller takes its value by `match()` or `value()` or,
    if it is an object itself, by `strings()`.
    """

    def __init__(self, source: Source) -> None:
        """Begin before the object."""
        self._source = source
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._read = 0
        self._text = ""
        self._at = 0
        self._first = True
        self.leading_space = False
        """Whether something stands before the object, which the format's text forbids."""

    @property
    def offset(self) -> int:
        """The byte where reading stands, exact as long as the text is ASCII."""
        return max(0, self._read - (len(self._text) - self._at))

    def begin(self) -> None:
        """Step into the object."""
        self.leading_space = self._space() > 0
        self._expect("{")
        self._first = True

    def key(self) -> str | None:
        """Return the next name, None at the end of the object."""
        self._space()
        if self._peek() == "}":
            self._at += 1
            return None
        if not self._first:
            self._expect(",")
            self._space()
        self._first = False
        name = self._string()
        self._space()
        self._expect(":")
        self._space()
        return name

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return how a value that stands here is written, if it is written so."""
        found = pattern.match(self._text, self._at)
        if found is None and self._ends_soon() and self._more():
            found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def value(self) -> object:
        """Return the value that stands here, whatever it is."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise Broken("it is nested too deeply", self.offset) from None
            except ValueError as error:
                # The error is real only if the text that is here already holds it.
                if self._more(LONGEST_VALUE):
                    continue
                raise Broken(_reason(error), self.offset) from None
            if end == len(self._text) and self._more(LONGEST_VALUE):
                continue  # a number could go on
            self._at = end
            return value

    def strings(self) -> Iterator[tuple[str, str | None]]:
        """Yield the entries of the object that stands here; None for what is no string."""
        if self._peek() == "n" and self.value() is None:
            return
        self._expect("{")
        first = True
        while True:
            self._space()
            if self._peek() == "}":
                self._at += 1
                return
            if not first:
                self._expect(",")
                self._space()
            first = False
            name = self._string()
            self._space()
            self._expect(":")
            self._space()
            if self._peek() == '"':
                yield name, self._string()
            else:
                self.value()
                yield name, None

    def object_follows(self) -> bool:
        """Tell whether an object stands here."""
        return self._peek() == "{"

    def end(self) -> None:
        """Make sure that nothing but space follows."""
        self._space()
        if self._peek():
            raise Broken(f"something follows its end: {self._peek()!r}", self.offset)

    def _string(self) -> str:
        if self._peek() != '"':
            raise Broken(f"a name in quotes is expected, not {self._peek()!r}", self.offset)
        while True:
            try:
                text, end = scanstring(self._text, self._at + 1, True)
            except ValueError as error:
                if self._more():
                    continue
                raise Broken(_reason(error), self.offset) from None
            if not text.isascii() and SURROGATE.search(text):
                raise Broken("half a character is in a text", self.offset)
            self._at = end
            return str(text)

    def _space(self) -> int:
        """Skip space and return how much of it."""
        skipped = 0
        while True:
            found = SPACE.match(self._text, self._at)
            assert found is not None  # it matches nothing, too
            skipped += found.end() - self._at
            self._at = found.end()
            if self._at < len(self._text) or not self._more():
                return skipped

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            found = repr(self._peek()) if self._peek() else "its end"
            raise Broken(f"{character!r} is expected, not {found}", self.offset)
        self._at += 1

    def _peek(self) -> str:
        if self._at >= len(self._text):
            self._more()
        return self._text[self._at : self._at + 1]

    def _ends_soon(self) -> bool:
        """Tell whether a value of the usual length might not be here whole."""
        return len(self._text) - self._at < 4096

    def _more(self, longest: int = LONGEST) -> bool:
        """Read on, and drop what is behind; return whether there was more."""
        if self._read >= self._source.size:
            return False
        if len(self._text) - self._at > longest:
            raise TooLong(f"one entry is longer than {longest:,} characters", self.offset)
        # What couldn't be understood yet is read again from its start, so the pieces double.
        size = max(CHUNK, len(self._text) - self._at)
        data = self._source.read(self._read, size)
        if not data:
            return False
        try:
            text = self._decoder.decode(data, self._read + len(data) >= self._source.size)
        except UnicodeDecodeError as error:
            raise Broken("it is not UTF-8", self._read + error.start) from None
        self._read += len(data)
        self._text = self._text[self._at :] + text
        self._at = 0
        return True


def _reason(error: ValueError) -> str:
    text = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
    return text[:1].lower() + text[1:200]
