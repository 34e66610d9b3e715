from __future__ import annotations

import pytest

from pipedoctor.facts import Machine
from pipedoctor_checks.environment.more_threads_than_processors import (
    more_threads_than_processors,
)


@pytest.mark.parametrize(
    ("allowed", "quota", "threads", "remedy"),
    [
        (64, 4.0, None, "export OMP_NUM_THREADS=4"),
        (64, None, None, None),
        (64, 4.0, 4, None),
        (64, 4.0, 7, None),
        (64, 4.0, 8, "export OMP_NUM_THREADS=4"),
        (2, None, 64, "export OMP_NUM_THREADS=2"),
        (1, 0.5, 1, None),
        (4, 0.5, 2, "export OMP_NUM_THREADS=1"),
    ],
)
def test_threads_and_processors(allowed, quota, threads, remedy):
    machine = Machine(allowed=allowed, quota=quota, threads=threads)
    told = [finding.remedy for finding in more_threads_than_processors(machine)]
    assert told == ([] if remedy is None else [remedy])
