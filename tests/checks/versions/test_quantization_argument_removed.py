import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.versions.quantization_argument_removed import (
    quantization_argument_removed as check,
)

HEAD = "from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM\n"


def told(text, version="5.23.0"):
    return outcome(check, script=HEAD + text, environment={"transformers": version})


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (
            "AutoModelForCausalLM.from_pretrained('m', load_in_4bit=True)",
            "write quantization_config=BitsAndBytesConfig(load_in_4bit=True)",
        ),
        (
            "LlamaForCausalLM.from_pretrained('m', load_in_8bit=args.quantize)",
            "write quantization_config=BitsAndBytesConfig(load_in_8bit=args.quantize)",
        ),
        (
            "AutoModelForCausalLM.from_pretrained('m', load_in_4bit=False)",
            "delete load_in_4bit=False",
        ),
    ],
)
def test_what_to_write_instead(text, remedy):
    (finding,) = told(text).findings
    assert finding.remedy == remedy


@pytest.mark.parametrize(
    "text",
    [
        "AutoModelForCausalLM.from_pretrained('m')",
        "from transformers import BitsAndBytesConfig\nBitsAndBytesConfig(load_in_4bit=True)",
        "from unsloth import FastLanguageModel\nFastLanguageModel.from_pretrained('m', load_in_4bit=True)",
        "Mystery.from_pretrained('m', load_in_4bit=True)",
        "AutoTokenizer.from_pretrained('m', load_in_4bit=True)",
        "try:\n    AutoModelForCausalLM.from_pretrained('m', load_in_4bit=True)\nexcept TypeError:\n    pass",
    ],
)
def test_what_is_no_fault(text):
    assert told(text).status is Status.PASSED


def test_version_4_takes_it():
    text = "AutoModelForCausalLM.from_pretrained('m', load_in_4bit=True)"
    assert told(text, "4.57.6").status is Status.PASSED
    assert told(text, "4.99.0").status is Status.SKIPPED


def test_the_error_is_that_of_the_installed_version(tmp_path):
    import re

    transformers = pytest.importorskip("transformers")
    tiny = {
        "n_layer": 1,
        "n_embd": 8,
        "n_head": 1,
        "vocab_size": 11,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    config = transformers.GPT2Config(**tiny)
    transformers.GPT2LMHeadModel(config).save_pretrained(tmp_path)
    with pytest.raises(TypeError) as raised:
        transformers.AutoModelForCausalLM.from_pretrained(tmp_path, load_in_4bit=False)
    assert any(re.search(pattern, str(raised.value)) for pattern in check.symptoms)
