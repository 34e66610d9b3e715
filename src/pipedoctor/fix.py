"""What a finding's remedy changes, said so that it can be done: edits on the keys of arguments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["set", "add", "rename", "delete"]
Part = Literal["settings", "model"]


@dataclass(frozen=True)
class Edit:
    """
    One change of the arguments that a config or a call states.

    `set` gives the key another value where it stands, `add` states one that is not there yet;
    `rename` gives it the name `name`, with the value that it has; `delete` takes it away.
    """

    action: Action
    key: str
    value: Any = None
    name: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that it touches."""
        return (self.key, self.name) if self.name else (self.key,)


@dataclass(frozen=True)
class Fix:
    """
    A remedy that can be carried out.

    `safe` says that it keeps what the user meant: an argument under its new name, a number
    without its quotes. What changes how or when is trained, evaluated or saved is not safe, and
    is only done when it is asked for. `file` is the file to edit, None where there is none, and
    `line` one of the call that states the arguments, where those are keywords of a script.
    `part` says of which call: the one that makes the settings, or the one that loads the model.
    `obstacle` says why there is no file to edit.
    """

    title: str
    edits: tuple[Edit, ...]
    safe: bool
    file: str | None = None
    line: int | None = None
    part: Part = "settings"
    obstacle: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "title": self.title,
            "safe": self.safe,
            "file": self.file,
            "line": self.line,
            "part": self.part,
            "obstacle": self.obstacle,
            "edits": [dict(_plain(edit)) for edit in self.edits],
        }


def put(key: str, value: Any) -> Edit:
    """Return the edit that gives a key a value, wherever it stands, if it does."""
    return Edit("set", key, value)


def rename(key: str, name: str) -> Edit:
    """Return the edit that gives a value another key."""
    return Edit("rename", key, name=name)


def delete(key: str) -> Edit:
    """Return the edit that takes a key away."""
    return Edit("delete", key)


def read(data: Mapping[str, Any] | None) -> Fix | None:
    """Undo `Fix.plain`."""
    if data is None:
        return None
    edits = tuple(
        Edit(edit["action"], edit["key"], edit.get("value"), edit.get("name", ""))
        for edit in data["edits"]
    )
    return Fix(
        data["title"],
        edits,
        data["safe"],
        data["file"],
        data["line"],
        data["part"],
        data.get("obstacle", ""),
    )


def _plain(edit: Edit) -> Iterator[tuple[str, Any]]:
    yield "action", edit.action
    yield "key", edit.key
    if edit.action in {"set", "add"}:
        yield "value", edit.value
    if edit.name:
        yield "name", edit.name
