"""Loops that are as they should be: nothing is said of any, and each is watched for all its steps."""

from __future__ import annotations

from pathlib import Path

import pytest
from loop_examined import examined

from pipedoctor.facts import Loop

pytest.importorskip("torch")

SCRIPTS = sorted(Path(__file__).parent.joinpath("healthy").glob("*.py"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_nothing_is_said_of_a_healthy_loop(path: Path) -> None:
    told, pipeline = examined(path)
    assert told == []
    if path.stem != "evaluation_only":
        assert pipeline.fact(Loop).backwards >= 8
