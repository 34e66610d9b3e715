from __future__ import annotations

import pytest
from facts import findings, settings, the_finding

from pipedoctor.facts import Generation, LabelTokens
from pipedoctor_checks.evaluation.generation_truncated_at_20 import (
    generation_truncated_at_20 as check,
)

DEFAULT = Generation(20)


def labels(**lengths: int) -> LabelTokens:
    """Rows by the number of their labels: `of_30=4` are four rows of thirty."""
    counted = {int(name.removeprefix("of_")): rows for name, rows in lengths.items()}
    return LabelTokens("labels", sum(counted.values()), counted)


def test_answers_longer_than_the_default() -> None:
    found = the_finding(check, settings(), DEFAULT, labels(of_10=5, of_90=15))

    assert found.message == (
        "The evaluation generates 20 tokens at most, the default; the labels of 15 of 20 rows are "
        "longer, up to 90 tokens"
    )
    assert found.remedy == 'set "generation_max_length": 96'


@pytest.mark.parametrize(
    ("generation", "rows"),
    [
        (DEFAULT, labels(of_20=100)),
        (DEFAULT, labels(of_10=95, of_21=5)),
        (DEFAULT, labels()),
        (Generation(19, "generation_max_length"), labels(of_90=100)),
        (Generation(None), labels(of_90=100)),
    ],
)
def test_what_is_short_enough_or_meant_so(generation: Generation, rows: LabelTokens) -> None:
    assert findings(check, settings(), generation, rows) == []


def test_how_many_matter_is_an_option() -> None:
    rows = labels(of_10=95, of_21=5)

    assert len(findings(check, settings(), DEFAULT, rows, share=0.05)) == 1


@pytest.mark.parametrize(("longest", "line"), [(31, "32"), (32, "64"), (63, "64")])
def test_the_remedy_has_room_for_the_token_that_the_decoder_starts_from(
    longest: int, line: str
) -> None:
    found = the_finding(check, settings(), DEFAULT, labels(**{f"of_{longest}": 3}))

    assert found.remedy.endswith(f": {line}")
