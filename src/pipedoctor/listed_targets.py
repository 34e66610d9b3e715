"""The targets that `[tool.pipedoctor]` lists, for `pytest --pipedoctor`."""

from __future__ import annotations

from typing import Any

from pipedoctor.options import UsageError


def targets(listed: Any, place: str) -> tuple[str, ...]:
    """Return the targets, each once; each must be words of a command line."""
    if not isinstance(listed, list):
        raise UsageError(f'{place} takes a list such as ["train.py"], not {listed!r}')
    for target in listed:
        if not isinstance(target, str) or not target.strip():
            raise UsageError(
                f'{place} takes texts such as "train.py -- --epochs 1", not {target!r}'
            )
        try:
            split_target(target)
        except ValueError as error:
            raise UsageError(f"{place}: {target!r}: {error}") from None
    return tuple(dict.fromkeys(listed))


def split_target(text: str) -> tuple[str, list[str]]:
    """
    Return the name of a target and the arguments after `--`, as a shell would split them.

    Raises:
        ValueError: It has no name, or more than a name before `--`, or a quotation is not closed.

    """
    import shlex

    words = shlex.split(text)
    if not words or not words[0] or words[0] == "--":
        raise ValueError("it has no name")
    if len(words) > 1 and words[1] != "--":
        raise ValueError("write the script's own arguments after --, and quote a name with spaces")
    return words[0], words[2:]
