from __future__ import annotations

import pytest
from engine.samples import Weather

from pipedoctor import Unavailable
from pipedoctor.fact import unknown


def test_a_known_field_is_read() -> None:
    assert Weather(3.5).degrees == 3.5


def test_an_unknown_field_cannot_be_read() -> None:
    with pytest.raises(Unavailable, match=r"Weather\.wind is not known"):
        _ = Weather(3.5).wind


def test_an_unknown_field_says_why() -> None:
    with pytest.raises(Unavailable, match="the mast fell"):
        _ = Weather(3.5, unknown("the mast fell")).wind


def test_what_is_known_can_be_asked() -> None:
    assert Weather(3.5).known("degrees")
    assert not Weather(3.5).known("wind")


def test_the_text_shows_known_fields_only() -> None:
    assert repr(Weather(3.5)) == "Weather(degrees=3.5)"


def test_a_fact_is_frozen() -> None:
    with pytest.raises(AttributeError):
        Weather(3.5).degrees = 4  # type: ignore[misc] - that it is refused is the point
