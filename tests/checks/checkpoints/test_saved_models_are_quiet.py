"""What `save_pretrained` writes has nothing wrong with it, whatever the family."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipedoctor import registry
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.report import Status
from pipedoctor.targets import checkpoint

SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 100,
}
SHORT = {"n_embd": 16, "n_layer": 2, "n_head": 2, "vocab_size": 100, "n_positions": 32}
T5 = {"d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 3, "num_decoder_layers": 2}
BART = {
    "d_model": 16,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "vocab_size": 100,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "max_position_embeddings": 32,
}
VIT = {**SMALL, "image_size": 16, "patch_size": 8, "num_labels": 5}
FAMILIES: dict[str, dict[str, Any]] = {
    "BertForSequenceClassification": {**SMALL, "num_labels": 3},
    "RobertaForMaskedLM": SMALL,
    "AlbertForSequenceClassification": {**SMALL, "embedding_size": 8},
    "DistilBertForSequenceClassification": {"dim": 16, "n_layers": 2, "n_heads": 2},
    "GPT2LMHeadModel": SHORT,
    "LlamaForCausalLM": {**SMALL, "num_key_value_heads": 1},
    "MixtralForCausalLM": {**SMALL, "num_key_value_heads": 1, "num_local_experts": 2},
    "T5ForConditionalGeneration": {**T5, "num_heads": 2, "vocab_size": 100},
    "BartForConditionalGeneration": BART,
    "ViTForImageClassification": {k: v for k, v in VIT.items() if k != "vocab_size"},
    "OPTForCausalLM": {
        **{k: v for k, v in SMALL.items() if k != "intermediate_size"},
        "ffn_dim": 32,
        "word_embed_proj_dim": 16,
        "max_position_embeddings": 32,
    },
}


@pytest.mark.deep
@pytest.mark.parametrize("shards", [False, True], ids=["whole", "in shards"])
@pytest.mark.parametrize("name", FAMILIES)
def test_a_saved_model_is_quiet(tmp_path: Path, name: str, shards: bool) -> None:
    transformers = pytest.importorskip("transformers")
    family = getattr(transformers, name)
    config = family.config_class(**FAMILIES[name])
    family(config).save_pretrained(tmp_path, **({"max_shard_size": "10KB"} if shards else {}))
    target = checkpoint.read(str(tmp_path))
    report = Examination(target, registry.load(), Options(depth=Cost.FILES)).run()
    assert report.entries == (), report
    assert report.count(Status.CRASHED) == 0
    assert report.count(Status.PASSED) >= 15
