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
