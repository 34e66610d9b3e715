"""Models that are built from their config alone."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("transformers")

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.loading.blueprint import of_folder

LLAMA = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 500,
    "dtype": "bfloat16",
}


def folder(path, **changes):
    (path / "config.json").write_text(json.dumps(LLAMA | changes))
    return str(path)


def test_nothing_is_allocated_and_the_dtype_is_that_of_the_config(tmp_path):
    model = of_folder(folder(tmp_path))
    assert type(model).__name__ == "LlamaForCausalLM"
    assert all(p.is_meta for p in model.parameters())
    assert {str(p.dtype) for p in model.parameters()} == {"torch.bfloat16"}


def test_a_file_is_as_good_as_its_folder(tmp_path):
    folder(tmp_path)
    assert of_folder(str(tmp_path / "config.json")).config.hidden_size == 64


def test_a_kernel_that_is_not_installed_is_no_obstacle(tmp_path):
    model = of_folder(folder(tmp_path, _attn_implementation="flash_attention_2"))
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model_type": "own", "auto_map": {"AutoModel": "own.Own"}}, "trust_remote_code"),
        ({"model_type": "own"}, "knows no model_type 'own'"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "quantised"),
        ({"num_hidden_layers": 1_000_000}, "no model has as many"),
    ],
)
def test_what_can_not_be_built_is_told_in_words(tmp_path, changes, words):
    with pytest.raises(Unavailable, match=words):
        of_folder(folder(tmp_path, **changes))
