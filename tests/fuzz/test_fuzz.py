"""
Anything at all as a config, a command or a script: an answer, no crash, and fixes that fit.

The default suite tries some thousand inputs, `make deep` a million, by number: what fails is tried
again with `holds(made(NUMBER), folder)`.
"""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.inputs import Input, made
from fuzz.properties import holds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

PART = 5_000
PARTS = 200
"""A million inputs together."""
MOST_MEMORY = 2 << 30
"""Bytes that a process may take besides those that it has: a hundred times what it needs."""

SUFFIXES = st.sampled_from(["json", "yaml", "yml", "toml", "txt", "py"])
MODES = st.sampled_from(["read", "read", "read", "check", "fix"])
BYTES = (
    st.binary(max_size=200)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | st.text("{}[]()\"':,-#=\\ \n\t0123456789.eE+_ntfaslu&*!|>%@`~?é", max_size=60).map(
        str.encode
    )
)


@pytest.fixture(autouse=True)
def _bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MOST_MEMORY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def _all_hold(numbers: range, folder: Path) -> None:
    for number in numbers:
        given = made(number)
        try:
            holds(given, folder)
        except BaseException as error:  # an assertion, an error, or the clock
            error.add_note(f"input {number}: {given}") if hasattr(error, "add_note") else None
            raise


@pytest.mark.parametrize("part", range(4))
def test_mutated_inputs(tmp_path: Path, part: int) -> None:
    _all_hold(range(part * 750, (part + 1) * 750), tmp_path)


@pytest.mark.deep
@pytest.mark.parametrize("part", range(PARTS))
def test_a_million_mutated_inputs(tmp_path: Path, part: int) -> None:
    _all_hold(range(part * PART, (part + 1) * PART), tmp_path)


@given(mode=MODES, suffix=SUFFIXES, data=BYTES)
@settings(
    max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_bytes_and_texts(tmp_path: Path, mode: str, suffix: str, data: bytes) -> None:
    kind = "script" if suffix == "py" else "config"
    holds(Input(0, mode, kind, suffix, data), tmp_path)


@given(words=st.lists(st.text(max_size=12), max_size=6).map(tuple), number=st.integers(0, 7))
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_random_commands(tmp_path: Path, words: tuple[str, ...], number: int) -> None:
    holds(Input(number, "check", "command", words=words), tmp_path)


def test_the_properties_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipedoctor import cli

    config = Input(0, "check", "config", "json", b'{"seed": 1}')
    holds(config, tmp_path)
    monkeypatch.setattr(cli, "main", lambda _: cli.INTERNAL)
    with pytest.raises(AssertionError):
        holds(config, tmp_path)


def test_the_inputs_are_of_every_kind_and_always_the_same() -> None:
    some = [made(number) for number in range(400)]
    assert {one.mode for one in some} == {"read", "check", "fix"}
    assert {one.kind for one in some} == {"config", "script", "command"}
    assert some == [made(number) for number in range(400)]
