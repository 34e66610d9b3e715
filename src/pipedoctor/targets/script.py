"""A training script as a target: its text is read, and it is run in a child process."""

from __future__ import annotations

from collections.abc import Sequence

from pipedoctor.parts import Parts
from pipedoctor.targets import Target, TargetError
from pipedoctor.targets.source import read_source, shown


class ScriptText(str):
    """The text of a script that knows the name of its file, and the words that it is started with."""

    __slots__ = ("file", "words")
    file: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, text: str, file: str, words: Sequence[str] = ()) -> ScriptText:
        """Return the text of a file."""
        made = cls(text)
        made.file = file
        made.words = tuple(words)
        return made


def read(name: str, arguments: Sequence[str]) -> Target:
    """
    Return the target of a script; it is not run, only seen to be a Python file.

    Raises:
        TargetError: It can't be read, or is no Python.

    """
    source = read_source(name)
    try:
        _compile(source.text, name)
    except SyntaxError as error:
        raise TargetError(
            f"{shown(name)}:{error.lineno}: {_explain(error, source.text)}"
        ) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise TargetError(f"{shown(name)} is no Python script: {error}") from None
    parts = Parts({"script": ScriptText.of(source.text, name, arguments)})
    return Target(name, parts, ("script",), kind="script", arguments=tuple(arguments))


def _compile(text: str, name: str) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is told when the script runs, if at all
        compile(text, name, "exec", dont_inherit=True)


def _explain(error: SyntaxError, text: str) -> str:
    lines = text.split("\n")
    number = error.lineno or 0
    line = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    if line.startswith(("%", "!")):
        return (
            f"{shown(line[:40])} is a command of a notebook, not Python; delete such lines, or "
            "export the notebook with: jupyter nbconvert --to script"
        )
    if error.msg.startswith("Missing parentheses in call to 'print'"):
        return "print without parentheses is Python 2; Python 3 can't read the script"
    return f"{error.msg}; Python can't read the script"
