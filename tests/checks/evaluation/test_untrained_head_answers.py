"""Predictions by random weights, and runs that only look like it."""

from __future__ import annotations

from typing import Any

import pytest
from facts import findings, settings, the_finding

from pipedoctor.facts import ModelFiles, Tensor
from pipedoctor_checks.evaluation.untrained_head_answers import untrained_head_answers


def files(*names: str) -> ModelFiles:
    tensors = {name: Tensor((2, 8), "F32") for name in ("bert.pooler.dense.weight", *names)}
    return ModelFiles("base", "base", {}, tensors=tensors)


def test_a_base_model_predicts() -> None:
    stated = settings(script="run_glue", model_name_or_path="base", do_predict=True)
    found = the_finding(untrained_head_answers, stated, files(), None)
    assert found.message == (
        "do_predict without do_train: none of the 1 tensors of base is that of a classifier, so "
        "that it answers by random weights"
    )
    assert "model_name_or_path" in found.remedy


@pytest.mark.parametrize(
    ("script", "stated", "heads"),
    [
        ("run_glue", {"do_train": True, "do_eval": True}, ()),
        ("run_glue", {"do_predict": True}, ("classifier.weight",)),
        ("run_glue", {}, ()),
        ("run_clm", {"do_eval": True}, ()),
        (None, {"do_eval": True}, ()),
        (None, {"do_eval": True, "do_train": False}, ()),
    ],
)
def test_what_is_well(script: str | None, stated: dict[str, Any], heads: tuple[str, ...]) -> None:
    told = settings(script=script, model_name_or_path="base", **stated)
    assert not findings(untrained_head_answers, told, files(*heads), None)
