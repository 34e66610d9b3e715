"""What holds for any input: an answer, soon; no crash; and a fix changes what it says, no more."""

from __future__ import annotations

import ast
import contextlib
import io
import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fuzz.inputs import Input

from pipedoctor import cli
from pipedoctor.cli import CLEAN, FOUND, USAGE
from pipedoctor.probes.script.reader import read
from pipedoctor.targets import TargetError, resolve
from pipedoctor.targets.document import read_document

LONGEST = 30
"""Seconds: a thousand times what such a file takes, so that a busy machine decides nothing."""
FORMATS = ("json", "json", "json", "text", "concise", "github", "sarif", "junit")


class TookTooLong(BaseException):
    """No `Exception`, so that nobody takes it for a fault of the input."""


@contextlib.contextmanager
def soon() -> Iterator[None]:
    """Raise if the block takes longer than any input may."""

    def stop(*_: object) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def holds(given: Input, folder: Path) -> None:
    """Raise `AssertionError` unless the input is dealt with as any is to be."""
    path = folder / f"input.{given.suffix}"
    if given.kind != "command":
        path.write_bytes(given.data)
    with soon():
        if given.mode == "read":
            _read(given, path)
        elif given.mode == "check":
            _check(given, path)
        else:
            _fix(given, path)


def _read(given: Input, path: Path) -> None:
    try:
        if given.kind == "command":
            resolve(None, given.words)
            return
        target = resolve(str(path))
    except TargetError as error:
        _one_sentence(str(error))
        return
    if given.kind == "script":
        with contextlib.suppress(RecursionError):
            read(target.parts["script"], str(path))


def _one_sentence(text: str) -> None:
    assert text.isprintable(), text
    assert text


def _run(*words: str) -> tuple[int, str, str]:
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8", newline=""), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = cli.main(["check", "--depth", "static", *words])
        except SystemExit as left:  # the parser of our own command line
            status = int(left.code or 0)
    out.flush()
    told = out.buffer.getvalue().decode()  # type: ignore[attr-defined]  # of a BytesIO
    return status, told, err.getvalue()


def _check(given: Input, path: Path) -> None:
    format_ = FORMATS[given.number % len(FORMATS)]
    words = ("--", *given.words) if given.kind == "command" else (str(path),)
    status, told, complaint = _run("--output-format", format_, *words)
    _no_fault_of_ours(status, told, complaint)
    if format_ == "json" and status != USAGE:
        json.loads(told)


def _no_fault_of_ours(status: int, told: str, complaint: str) -> None:
    assert status in {CLEAN, FOUND, USAGE}, complaint
    assert "Traceback" not in complaint
    assert "crashed" not in told, told


def _fix(given: Input, path: Path) -> None:
    status, told, complaint = _run("--fix", "--unsafe-fixes", "--output-format", "json", str(path))
    _no_fault_of_ours(status, told, complaint)
    after = path.read_bytes()
    if status == USAGE:
        assert after == given.data, complaint
        return
    fixes = json.loads(told)["fixes"]
    if not fixes["made"]:
        assert after == given.data
        return
    assert after != given.data
    told = " ".join(one["fix"] for one in fixes["made"])
    if given.kind == "script":
        _same_but_for_calls(given.data, after, told)
    else:
        _same_but_for_keys(given.data, path, told)


def _same_but_for_keys(before: bytes, path: Path, told: str) -> None:
    """Read the config again: keys that no fix speaks of say what they said."""
    after = read_document(path).arguments
    path.write_bytes(before)
    stated = read_document(path).arguments
    for key in {*stated, *after}:
        same = (key in stated, repr(stated.get(key))) == (key in after, repr(after.get(key)))
        assert same or key in told, key


def _same_but_for_calls(before: bytes, after: bytes, told: str) -> None:
    """Parse the script again: all is as it was, but for keywords that a fix speaks of."""
    trees: list[str] = []
    keywords: list[Counter[tuple[str | None, str]]] = []
    for data in (before, after):
        tree = ast.parse(data)
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        stated = [keyword for call in calls for keyword in call.keywords]
        for call in calls:
            call.keywords = []
        keywords.append(Counter((one.arg, ast.dump(one.value)) for one in stated))
        trees.append(ast.dump(tree))
    assert trees[0] == trees[1]
    for name, _ in (keywords[0] - keywords[1]) + (keywords[1] - keywords[0]):
        assert name is not None
        assert name in told, name
