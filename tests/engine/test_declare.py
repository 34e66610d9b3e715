from __future__ import annotations

import pytest
from engine.samples import Harvest, Weather, nothing_grew, too_cold, windy

from pipedoctor import Eval, Severity, Split, Stage, Train, check
from pipedoctor.declare import Need


def declare(function, code="TST009"):
    return check(code, Severity.NOTE, stage=Stage.DATA)(function)


def test_the_signature_is_the_declaration() -> None:
    assert too_cold.needs == (Need(Weather),)
    assert too_cold.options == {"limit": 0.0}
    assert windy.needs == (Need(Weather), Need(Harvest, Split.TRAIN, optional=True))


def test_a_split_can_be_asked_for() -> None:
    def one(a: Train[Harvest], b: Eval[Harvest]):
        """Doc."""

    assert [need.split for need in declare(one).needs] == [Split.TRAIN, Split.EVAL]
    assert not any(need.every_split for need in declare(one).needs)
    assert nothing_grew.needs[0].every_split


def test_the_name_and_the_page() -> None:
    assert too_cold.name == "too-cold"
    assert too_cold.summary == "It is too cold."
    assert [(e.fails, e.source) for e in too_cold.examples] == [
        (True, 'settings = {"degrees": -5}'),
        (False, 'settings = {"degrees": 5}'),
    ]


def test_a_parameter_that_is_no_fact_is_named_with_its_place() -> None:
    def wrong(weather: Weather, ratio: float = 1.0):
        """Doc."""

    with pytest.raises(TypeError, match=r"test_declare\.py:\d+: TST009 wrong: parameter 'ratio'"):
        declare(wrong)


def test_an_option_without_default() -> None:
    def wrong(weather: Weather, *, ratio: float):
        """Doc."""

    with pytest.raises(TypeError, match="option 'ratio' needs a default"):
        declare(wrong)


def test_without_page() -> None:
    def wrong(weather: Weather):
        pass

    with pytest.raises(TypeError, match="write it"):
        declare(wrong)


def test_a_code_of_another_form() -> None:
    def wrong(weather: Weather):
        """Doc."""

    with pytest.raises(TypeError, match="three capitals and three digits"):
        declare(wrong, "TEST1")


def test_only_optional_facts() -> None:
    def wrong(weather: Weather | None):
        """Doc."""

    with pytest.raises(TypeError, match="at least one fact that is not optional"):
        declare(wrong)
