"""A training script as a target: it is run in a child process, up to where training starts."""

from __future__ import annotations

from collections.abc import Sequence

from pipedoctor.parts import Parts
from pipedoctor.targets import Target, TargetError
from pipedoctor.targets.source import read_source, shown


def read(name: str, arguments: Sequence[str]) -> Target:
    """
    Return the target of a script; it is not run, only seen to be a Python file.

    Raises:
        TargetError: It can't be read, or is no Python.

    """
    source = read_source(name)
    try:
        compile(source.text, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        text = f"{shown(name)}:{error.lineno}: {error.msg}; Python can't read the script"
        raise TargetError(text) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise TargetError(f"{shown(name)} is no Python script: {error}") from None
    return Target(name, Parts({}), ("script",), kind="script", arguments=tuple(arguments))
