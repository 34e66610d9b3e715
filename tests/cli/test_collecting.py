"""A command looks for cycles less often; what the caller had set, and user code, is as before."""

from __future__ import annotations

import gc

import pytest

from pipedoctor.cli import collecting, main


def test_a_command_leaves_the_collector_as_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    usual = gc.get_threshold()
    try:
        gc.set_threshold(701, 11, 12)
        assert main(["rules"]) == 0
        assert gc.get_threshold() == (701, 11, 12)
        assert main(["rule", "no such code"]) == 2
        assert gc.get_threshold() == (701, 11, 12)
    finally:
        gc.set_threshold(*usual)


def test_it_collects_rarely_meanwhile_and_as_usual_for_the_users_code() -> None:
    usual = gc.get_threshold()
    with collecting.rarely():
        assert gc.get_threshold()[0] == collecting.OBJECTS
        collecting.as_usual()
        assert gc.get_threshold() == usual
    assert gc.get_threshold() == usual


def test_at_the_end_nothing_is_looked_through_and_nothing_is_kept_from_it() -> None:
    looks: list[str] = []

    def note(phase: str, _: object) -> None:
        looks.append(phase)

    gc.collect()
    gc.callbacks.append(note)
    try:
        with collecting.rarely():
            made = [[number] for number in range(5000)]
        again = [[number] for number in range(10)]
    finally:
        gc.callbacks.remove(note)
    assert looks == []
    assert len(made) + len(again) == 5010
    assert gc.get_freeze_count() == 0
