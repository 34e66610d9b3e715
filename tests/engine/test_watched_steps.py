"""What the first line of a report says of a loop that was watched."""

from __future__ import annotations

import pytest

from pipedoctor.examination import subject
from pipedoctor.facts import Loop, LoopStep


@pytest.mark.parametrize(
    ("steps", "ended", "told"),
    [
        (3, "15 s were over", "3 steps of an unknown number watched of its loop (15 s were over)"),
        (3, "it ended", "3 steps of its loop watched"),
        (3, "the script returned", "3 steps of its loop watched"),
        (200, "200 steps were made", "200 steps of its loop watched"),
    ],
)
def test_few_steps_are_told_as_such(steps: int, ended: str, told: str) -> None:
    loop = Loop(tuple(LoopStep(n, 0, 1) for n in range(steps)), steps, (), ended=ended)
    assert subject([{"fact": "Loop", **loop.summary()}]) == (told,)
