"""
Remembering where the user's code made the parts of a training.

Adapters tell a `Recorder` of each thing that is made; it keeps where the user's own code was at
that moment. The source is only read when the site of a thing is asked for.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from types import FrameType
from typing import Any

from pipedoctor import frames
from pipedoctor.capture.calls import spot
from pipedoctor.capture.marks import Mark, read, text_of
from pipedoctor.capture.sites import Site, Written

METHODS = frozenset({"from_pretrained", "from_config", "from_dict"})
"""What a call that makes a thing may be by besides its class."""

PARSER = "hf_argparser.py"
FILES = {"parse_json_file": "json_file", "parse_yaml_file": "yaml_file"}
"""The methods of HfArgumentParser that read a file, and their variables that name it."""

VARIABLE = 0x04
"""The flag of a function that takes *args."""


class Recorder:
    """
    Remembers where things were made; it keeps none of them alive.

    It runs amidst the user's code, so a fault of its own becomes a line in `problems`.
    """

    def __init__(self, problems: list[str] | None = None) -> None:
        """Remember the folder that paths are shown relative to."""
        self.folder = os.getcwd()
        self.paused = False
        self._problems = [] if problems is None else problems
        self._marks: dict[int, tuple[weakref.ref[Any], Mark]] = {}
        self._calls: dict[tuple[int, str], tuple[weakref.ref[Any], Mark]] = {}
        self._failure: tuple[Exception, Mark, frozenset[str]] | None = None

    def made(self, thing: Any, **details: Any) -> None:
        """Remember where a thing was made; told of it again, only add the details."""
        if self.paused:
            return
        with self._sparing_the_script():
            self._made(thing, details)

    def _made(self, thing: Any, details: Mapping[str, Any]) -> None:
        mark = self.mark(thing) or self._look(thing)
        if mark is None:
            return
        mark.details.update(details)
        number = id(thing)

        def forget(reference: weakref.ref[Any]) -> None:
            if number in self._marks and self._marks[number][0] is reference:
                del self._marks[number]

        try:
            self._marks.setdefault(number, (weakref.ref(thing, forget), mark))
        except TypeError:
            return  # of a kind that can't be referred to weakly

    def called(
        self,
        thing: Any,
        method: str,
        given: Mapping[str, Any],
        frame: FrameType | None = None,
    ) -> None:
        """
        Remember where a method of a thing was last called, and with which arguments.

        The method is running in this frame; it is about to start, if none is given.
        """
        with self._sparing_the_script():
            mark = self._look(thing, frame)
            if mark is not None:
                mark.names = frozenset({method})
                mark.details["given"] = dict.fromkeys(given)
                self._calls[id(thing), method] = (weakref.ref(thing), mark)

    def call(self, thing: Any, method: str) -> Site | None:
        """Return where a method of a thing was last called, if that was seen."""
        reference, mark = self._calls.get((id(thing), method), (None, None))
        if mark is None or reference is None or reference() is not thing:
            return None
        return read(mark, self.folder)

    def failed(self, thing: Any, error: Exception, given: Mapping[str, Any]) -> None:
        """Remember that arguments could not be made, and what they were to be made from."""
        with self._sparing_the_script():
            mark = self._look(thing)
            if mark is None:
                return
            mark.details["given"] = given
            self._failure = (error, mark, frozenset(field.name for field in fields(thing)))

    def refused(self, error: Exception | None) -> dict[str, Any]:
        """Return the parts that could not be made because of this error, as they were stated."""
        if error is None or self._failure is None or self._failure[0] is not error:
            return {}
        _, mark, known = self._failure
        return {"settings": Written(mark.details["given"], read(mark, self.folder), known)}

    def mark(self, thing: Any) -> Mark | None:
        """Return what was remembered of a thing."""
        reference, mark = self._marks.get(id(thing), (None, None))
        return mark if reference is not None and reference() is thing else None

    def site(self, thing: Any) -> Site | None:
        """Return where a thing was made, if that was seen."""
        mark = self.mark(thing) or self.mark(_inner(thing))
        return None if mark is None else read(mark, self.folder, thing)

    def located(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parts of a training, with where each was made, and the model's files."""
        with self._sparing_the_script():
            return self._located(parts)
        return dict(parts)

    @contextmanager
    def _sparing_the_script(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - ours, and not to be taken for the user's
            self._problems.append(
                f"where the script made its parts is not known: {type(error).__name__}: {error}"
            )

    def _located(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        trainer, model = parts.get("trainer"), parts.get("model")
        things = {
            name: parts.get(name) for name in ("model", "tokenizer", "settings", "optimizer")
        }
        things["trainer"] = trainer
        if things["optimizer"] is None:
            things["optimizer"] = getattr(trainer, "optimizer", None)
        sites = {name: self.site(thing) for name, thing in things.items() if thing is not None}
        found = {"sites": {name: site for name, site in sites.items() if site is not None}}
        loaded = self._loaded(model)
        files = {} if loaded is None else {"model": loaded}
        return {**parts, **found, "files": {**files, **parts.get("files", {})}}

    def _loaded(self, model: Any) -> str | None:
        """Return the name of the files that a model was loaded from, in a form that still holds."""
        mark = self.mark(model) or self.mark(_inner(model))
        name, folder = (mark.details.get("loaded") if mark is not None else None) or (None, None)
        # What the user wrote means another folder where the script has changed into one.
        return folder if folder is not None and os.path.abspath(name or "") != folder else name

    def _look(self, thing: Any, frame: FrameType | None = None) -> Mark | None:
        """Return a mark of where the user's code is now, on its way to a thing."""
        frame = frame or sys._getframe(1)  # noqa: SLF001 - the only way to one's callers
        direct = True
        details: dict[str, Any] = {}
        while frame is not None:
            code = frame.f_code
            theirs = frames.users(frame) and _first(frame) is not thing
            path = code.co_filename
            path = path if path.startswith("<") else os.path.join(self.folder, path)
            if theirs and text_of(path, code.co_filename):
                place = spot(code, frame.f_lasti, frame.f_lineno)
                names = METHODS | {base.__name__ for base in type(thing).__mro__}
                return Mark(path, code.co_filename, place, names, direct, details)
            direct = direct and not theirs and _passes_on(frame, thing)
            details |= _parsed(frame)
            frame = frame.f_back
        return None


def _passes_on(frame: FrameType, thing: Any) -> bool:
    """Whether a library's frame only hands on what it got: a constructor, or a decorator of one."""
    first = _first(frame)
    ours = str(frame.f_globals.get("__name__")).startswith("pipedoctor.")
    return ours or first is thing or isinstance(first, type)


def _first(frame: FrameType) -> Any:
    """Return the first argument of the function that a frame runs."""
    code = frame.f_code
    if code.co_argcount:
        return frame.f_locals.get(code.co_varnames[0])
    if code.co_flags & VARIABLE:
        rest = frame.f_locals.get(code.co_varnames[code.co_kwonlyargcount])
        return rest[0] if rest and isinstance(rest, tuple) else None
    return None


def _parsed(frame: FrameType) -> dict[str, Any]:
    """Return what HfArgumentParser reads, if this is a frame of it: a file, or the command line."""
    code = frame.f_code
    if not code.co_filename.endswith(PARSER):
        return {}
    file = frame.f_locals.get(FILES.get(code.co_name, ""))
    if isinstance(file, (str, os.PathLike)):
        return {"document": os.path.abspath(file)}
    words = frame.f_locals.get("args")
    own = words is None or words == sys.argv[1:]  # nobody handed it other words
    if code.co_name == "parse_args_into_dataclasses" and own:
        return {"words": tuple(sys.argv[1:])}
    return {}


def _inner(model: Any) -> Any:
    """Return the model inside of an adapter such as PEFT's."""
    inside = getattr(model, "get_base_model", None)
    return inside() if callable(inside) else None
