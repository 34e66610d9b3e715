"""Which rows make the batch that is learned."""

from __future__ import annotations

from pipedoctor.facts.labels import Labels
from pipedoctor.frameworks.learning.choosing import spaced, varied


def test_labels_are_varied_where_more_than_one_is_known() -> None:
    assert varied(Labels("y", "float", 4, width=2, hot={0: (0,), 1: (3,)}))
    assert varied(Labels("y", "int", 4, counts={0: 2, 1: 2}))
    assert not varied(Labels("y", "float", 4, width=2, hot={1: (0,)}))
    assert not varied(Labels("y", "int", 4, counts={0: 4}))
    assert not varied(None)


def test_rows_at_equal_distances() -> None:
    assert spaced(100, 4) == (0, 33, 66, 99)
    assert spaced(2, 8) == (0, 1)
