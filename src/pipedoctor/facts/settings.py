"""The hyper-parameters and other arguments of a run, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import Fact, Unavailable, Unknown
from pipedoctor.facts.arguments import Arguments
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.fix import Edit, Fix

if TYPE_CHECKING:
    from pipedoctor.facts.reading import Reading


@dataclass(frozen=True, repr=False, eq=False)
class Settings(Fact):
    """
    The arguments of a run under the names that Hugging Face gave them.

    `settings.learning_rate` is the value that the run will use: the one stated, else the default
    of this version of transformers. It raises `Unavailable` where neither is known, or where
    what is stated is not of the declared type; `stated` holds what was written, as it was.
    """

    stated: Mapping[str, Any]
    arguments: Arguments
    locations: Mapping[str, Location] = field(default_factory=dict)
    script_keys: frozenset[str] = frozenset()
    """Names that the training script defines besides the training arguments, if it is known."""
    script: str | None = None
    """Which script's arguments these are taken for, such as "run_glue"."""
    made: Location = NOWHERE
    """The line of a script that made them, where one can be added that is not stated there."""
    defaults_of: str = ""
    """The class whose defaults fill the rest, where that is not the one of transformers."""
    unused: Mapping[str, str] = field(default_factory=dict)
    """Names whose values this run does not use, and why."""
    dialect: str = "json"
    """How a value is stated where these are: "json" (and YAML), "toml", "python" or "command"."""
    abbreviations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Options of a command that are none, and those that they are the beginning of."""
    reading: Reading | None = None
    """The tool whose config this is, where it is another than Trainer's own arguments."""

    def __getattr__(self, name: str) -> Any:
        """Return the value that the run will use."""
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self.unused:
            raise Unavailable(f"{name} of the settings is not used: {self.unused[name]}")
        argument = self.arguments.fields.get(name)
        if name in self.stated:
            value = self.stated[name]
            if argument is not None and not fits(value, argument.type):
                raise Unavailable(f"{name} is {value!r}, which is not of type {argument.type}")
            return value
        if argument is None:
            raise Unavailable(f"{name} is not stated")
        if isinstance(argument.default, Unknown):
            reason = argument.default.reason
            raise Unavailable(str(reason) or f"the default of {name} is computed at run time")
        return argument.default

    def known(self, name: str) -> bool:
        """Whether the value that the run will use is known."""
        try:
            getattr(self, name)
        except Unavailable:
            return False
        return True

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value as the attribute would, or `default` where it is not known."""
        try:
            return getattr(self, name)
        except Unavailable:
            return default

    def written(self, name: str) -> Any:
        """Return what is stated, as it is written where only a run would tell its value."""
        if name not in self.stated and self.reading is not None:
            return self.reading.strangers[name]
        written = getattr(self.stated, "written", self.stated.__getitem__)
        return written(name)

    def entry(self, name: str, value: object) -> str:
        """Return the line that states a value there, to copy."""
        stated = self.locations.get(name)
        on_command_line = stated is not None and stated.origin == _COMMAND
        return entry(self.spelled(name), value, "command" if on_command_line else self.dialect)

    def spelled(self, name: str) -> str:
        """Return the name that the user's tool has for an argument."""
        return name if self.reading is None else self.reading.spelled(name)

    @property
    def refuses(self) -> str:
        """Who stops at a value of the wrong kind: the words to begin a sentence with."""
        if self.reading is None or not self.reading.strict:
            return "TrainingArguments"
        return self.reading.tool

    def fix(self, *edits: Edit, safe: bool) -> Fix:
        """
        Return the fix that makes these changes where the settings are stated.

        It names no file where one of the keys was stated elsewhere, on the command line for
        instance, or was changed after the call that states it; nor where the user's tool has no
        key of the same meaning.
        """
        known, done = set(self.stated), []
        for edit in edits:
            there = edit.key in known
            done.append(edit if there or edit.action != "set" else replace(edit, action="add"))
            if edit.action == "set":
                known.add(edit.key)
            elif edit.name:
                known.add(edit.name)
        python = self.dialect == "python"
        config = next((place.file for place in self.locations.values() if place.file), None)
        file = self.made.file if python else config
        obstacle = next(filter(None, (self._obstacle(edit, file) for edit in done)), "")
        done = [
            replace(edit, key=self._own(edit), name=edit.name and self.spelled(edit.name))
            for edit in done
        ]
        told = [_told(edit, self.dialect) for edit in done]
        line = self.made.line if python and not obstacle else None
        file = None if obstacle else file
        return Fix(", ".join(told), tuple(done), safe, file, line, obstacle=obstacle)

    def _strange(self, edit: Edit) -> bool:
        """Whether an edit is of a usual name that the user's tool passes over."""
        named = self.reading is not None and edit.key in self.reading.strangers
        return named and edit.action in {"rename", "delete"}

    def _own(self, edit: Edit) -> str:
        return edit.key if self._strange(edit) else self.spelled(edit.key)

    def _obstacle(self, edit: Edit, file: str | None) -> str:
        """Return why an edit can't be made in the file that states the arguments, if it can't."""
        places = self.locations
        if self.reading is not None and self._strange(edit):
            places = self.reading.places
        place, own = places.get(edit.key, NOWHERE), self._own(edit)
        if self.dialect == "command" and edit.key not in self.stated:
            return "the arguments are stated on the command line"
        if edit.key in self.stated or edit.key in places:
            if place.origin is not None:
                command = place.origin == _COMMAND
                return f"{own} {'is stated on the' if command else 'is'} {place.origin}"
            if self.dialect == "command":
                return f"{own} is stated at {place}, and not in a call or a config"
            if place.file != file or file is None:
                return f"{own} is stated at {place}" if place.file else "no file states it"
            if self.reading is not None and place.key not in {None, own}:
                return f"{own} follows from {place.key}, which counts otherwise"
        return self._refused_by_tool(edit, own)

    def _refused_by_tool(self, edit: Edit, own: str) -> str:
        """Return why the user's tool would not take an edit."""
        tool = self.reading
        if tool is None:
            return ""
        wanted = self.spelled(edit.name) if edit.action == "rename" else own
        takes = tool.keys if tool.strict else tool.keys | self.arguments.fields.keys()
        if edit.action != "delete" and wanted not in takes:
            return f"{tool.release} has no key {wanted}"
        declared = tool.defaults[edit.key].type if edit.key in tool.defaults else ""
        whole = "int" in declared and "float" not in declared
        right = fits(edit.value, declared) and not (whole and isinstance(edit.value, float))
        if edit.action in {"set", "add"} and not right:
            return f"{own} of {tool.release} is no {type(edit.value).__name__}"
        return ""

    def word(self, name: str) -> str:
        """
        Return a value that is a word, such as a strategy, whether it is stated as text or enum.

        Raises:
            Unavailable: It is not known, or is something else: YAML reads a bare `no` as false.

        """
        value = getattr(self, name)
        value = getattr(value, "value", value)
        if not isinstance(value, str):
            raise Unavailable(f"{name} is {value!r}, which is no word")
        return value

    @property
    def eval_key(self) -> str:
        """The key that says when to evaluate, by whichever of its two names this run has it."""
        if "eval_strategy" in self.stated:
            return "eval_strategy"
        old = "evaluation_strategy"
        known = "eval_strategy" in self.arguments.fields
        return old if old in self.stated or not known else "eval_strategy"

    @property
    def eval_name(self) -> str:
        """The name that this version has for it: the one to write in a remedy."""
        known = "eval_strategy" in self.arguments.fields
        return "eval_strategy" if known else "evaluation_strategy"

    def where(self, name: str) -> Location:
        """Return the place where a value is stated, or which default it is."""
        if name in self.locations:
            return self.locations[name]
        if name in self.stated:
            return replace(self.made, key=self.spelled(name))
        whose = self.defaults_of or f"transformers {self.arguments.version}"
        if self.reading is not None and name in self.reading.defaults:
            whose = self.reading.release
        return replace(self.made, key=self.spelled(name), origin=f"default of {whose}")

    def summary(self) -> Mapping[str, object]:
        """Tell how much was stated, and which version's defaults fill the rest."""
        told = {"stated": len(self.stated), "transformers": self.arguments.version}
        return told if self.arguments.installed else told | {"assumed": True}


def fits(value: object, declared: str) -> bool:
    """
    Whether a value can stand where a type is declared, as Trainer's code would use it.

    Only numbers and truth values are judged; a text or a mapping may be parsed later on.
    """
    names = {part.strip() for part in declared.replace("|", ",").split(",")}
    if not names <= {
        "int",
        "float",
        "bool",
        "None",
        "Optional[int]",
        "Optional[float]",
        "Optional[bool]",
    }:
        return True
    if value is None:
        return "None" in names or declared.startswith("Optional")
    if isinstance(value, bool):
        return "bool" in declared
    if isinstance(value, (int, float)):
        return "bool" not in declared or "float" in declared or "int" in declared
    return False


def entry(name: str, value: object, dialect: str = "json") -> str:
    """
    Return the line that states a value, to copy: `"learning_rate": 5.0e-5`.

    That of JSON reads the same in YAML. YAML 1.1, which PyYAML implements, takes `5e-5` for a
    text, so a number with an exponent gets its decimal point. That of Python is a keyword of a
    call: `learning_rate=5.0e-5`.
    """
    import json

    before, after = _DIALECTS[dialect]
    if isinstance(value, Unknown):
        told = repr(value)  # as it is written in a script
    elif isinstance(value, float):
        told = number(value)
    elif dialect == "python":
        told = json.dumps(value) if isinstance(value, str) else repr(value)
    else:
        told = json.dumps(value)
    return f"{before}{name}{after}{told}"


def _told(edit: Edit, dialect: str) -> str:
    if edit.action == "rename":
        return f"rename {edit.key} to {edit.name}"
    if edit.action == "delete":
        return f"delete {edit.key}"
    return f"{edit.action} {entry(edit.key, edit.value, dialect)}"


_COMMAND = "command line"

_DIALECTS = {
    "json": ('"', '": '),
    "toml": ("", " = "),
    "python": ("", "="),
    "command": ("--", " "),
}
"""What stands before and after a name where it is given a value."""


def number(value: float) -> str:
    """Return a number as every format of configs reads it: 5.0e-5, 0.01, 3."""
    text = f"{value:.6g}"
    if "e" not in text:
        return text
    digits, _, exponent = text.partition("e")
    return f"{digits if '.' in digits else digits + '.0'}e{int(exponent):+d}"
