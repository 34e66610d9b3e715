"""What the masks of real batches open."""

from __future__ import annotations

from typing import Any

import pytest

from pipedoctor import Unavailable, frameworks
from pipedoctor.fact import Split
from pipedoctor.facts import Masked, Masks
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")


def masks(rows: list[dict[str, Any]]) -> Masks:
    config = transformers.BertConfig(
        vocab_size=50,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
        pad_token_id=0,
    )
    model = transformers.BertForSequenceClassification(config)
    given = Parts({"model": model, "train_data": rows, "settings": {"output_dir": "out"}})
    return Pipeline(given, frameworks.probes(given)).fact(Masks, Split.TRAIN)


def row(ids: list[int], mask: list[int]) -> dict[str, Any]:
    return {"input_ids": ids, "attention_mask": mask, "labels": 1}


def test_runs_at_both_ends() -> None:
    found = masks(
        [
            row([0, 0, 7, 7, 0, 0], [1, 1, 1, 1, 1, 0]),
            row([0, 0, 7, 7, 7, 7], [0, 0, 1, 1, 1, 1]),
            row([0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]),
            row([7, 0, 0, 7, 7, 7], [1, 1, 1, 1, 1, 1]),
        ]
    )
    assert found.pad_id == 0
    assert found.batches[0] == {
        0: Masked(5, before=2, closed_behind=1),
        1: Masked(4, closed_before=2),
        2: Masked(0, closed_before=6, closed_behind=6),
        3: Masked(6),
    }


def test_batches_without_a_mask_tell_nothing() -> None:
    with pytest.raises(Unavailable, match="attention_mask of the same shape"):
        masks([{"input_ids": [5, 6], "labels": 1}])
