"""The weights of another architecture are one fault, whatever their sizes are."""

from __future__ import annotations

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.model_type_of_other_weights import model_type_of_other_weights
from pipedoctor_checks.checkpoints.saved_sizes_differ_from_config import (
    saved_sizes_differ_from_config,
)
from pipedoctor_checks.checkpoints.saved_vocabulary_differs_from_config import (
    saved_vocabulary_differs_from_config,
)

BERT = {
    "model_type": "bert",
    "architectures": ["BertForSequenceClassification"],
    "vocab_size": 200,
    "hidden_size": 32,
}
GPT2 = {
    "transformer.wte.weight": ("F32", (100, 32)),
    "transformer.h.0.attn.c_attn.weight": ("F32", (32, 96)),
    "transformer.h.0.mlp.c_fc.weight": ("F32", (32, 128)),
    "transformer.h.1.mlp.c_fc.weight": ("F32", (32, 128)),
}


def test_gpt2_in_the_folder_of_a_bert() -> None:
    files = {"saved": {"config": BERT, "tensors": GPT2}}
    (finding,) = outcome(model_type_of_other_weights, files=files).findings
    assert finding.message.startswith(
        "model_type in config.json is bert, and 3 of the 4 tensors are named as those of gpt2"
    )
    for check in (saved_vocabulary_differs_from_config, saved_sizes_differ_from_config):
        assert not outcome(check, files=files).findings


@pytest.mark.parametrize("prefix", ["", "bert."])
def test_the_model_itself_with_and_without_its_head(prefix: str) -> None:
    tensors = {
        f"{prefix}embeddings.word_embeddings.weight": ("F32", (200, 32)),
        f"{prefix}encoder.layer.0.output.dense.weight": ("F32", (32, 64)),
        f"{prefix}encoder.layer.1.output.dense.weight": ("F32", (32, 64)),
    }
    files = {"saved": {"config": BERT, "tensors": tensors}}
    assert not outcome(model_type_of_other_weights, files=files).findings
