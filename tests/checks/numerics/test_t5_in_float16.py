"""T5 in float16: a warning, wherever it will run in float16."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import frameworks, registry
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.runner import run_one


def found(kind: str, **settings: Any) -> int:
    files = {"model": {"config": {"model_type": kind}, "tensors": {"w": ("F32", (8, 8))}}}
    environment = {"transformers": "5.23.0", "gpus": 1}
    parts = Parts({"settings": settings, "files": files, "environment": environment})
    pipeline = Pipeline(parts, frameworks.probes(parts))
    return len(run_one(registry.load()["NUM005"], pipeline, {}).findings)


@pytest.mark.parametrize("kind", ["t5", "mt5", "umt5", "longt5"])
def test_the_family_in_float16(kind: str) -> None:
    assert found(kind, fp16=True) == 1


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("t5", {"bf16": True}),
        ("t5", {}),
        ("bart", {"fp16": True}),
        ("t5", {"fp16": True, "use_cpu": True}),
    ],
)
def test_others_and_other_ways(kind: str, settings: dict[str, Any]) -> None:
    assert found(kind, **settings) == 0
