"""`pipedoctor memory` as users run it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli.conftest import Run, contents

pytest.importorskip("transformers")

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 500,
    "max_position_embeddings": 128,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def folder(project: Path) -> Any:
    def write(**changes: Any) -> str:
        (project / "llama").mkdir(exist_ok=True)
        (project / "llama" / "config.json").write_text(json.dumps(LLAMA | changes))
        return "llama"

    return write


def told(done: Any) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def test_a_config_alone_is_enough(pipedoctor: Run, folder: Any, project: Path) -> None:
    name = folder()
    before = contents(project)
    done = pipedoctor(
        "memory", name, "--gpu", "T4", "--set", "optim=sgd", "--output-format", "json"
    )
    assert done.returncode == 0, done.stderr
    plan = told(done)["memory"]
    assert (plan["gpu"], plan["rows"], plan["length"]) == ("T4", 8, 128)
    assert plan["optimizer"] == "sgd"
    assert "states" not in plan["parts"]
    assert sum(plan["parts"].values()) == plan["peak"]
    assert plan["fits"] is True
    assert contents(project) == before


def test_what_does_not_fit_is_an_error_with_the_batch_that_does(
    pipedoctor: Run, folder: Any
) -> None:
    done = pipedoctor("memory", folder(), "--memory", "1GiB", "--batch-size", "4000")
    assert done.returncode == 1
    assert "MEM001 batch-beyond-the-memory" in done.stdout
    assert "The largest batch that fits has" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("It does not fit: ")


def test_a_config_with_data_is_planned_for_its_longest_rows(pipedoctor: Run, config: Any) -> None:
    done = pipedoctor("memory", config(), "--gpu", "L4", "--output-format", "json")
    assert done.returncode == 0, done.stderr
    plan = told(done)["memory"]
    assert plan["name"] == "BertForSequenceClassification"
    assert 0 < plan["usual_length"] <= plan["length"] <= 128
    assert plan["remedies"]


def test_a_gpu_that_is_not_known_is_answered_with_those_that_are(
    pipedoctor: Run, folder: Any
) -> None:
    done = pipedoctor("memory", folder(), "--gpu", "A200")
    assert done.returncode == 2
    assert "A100 80GB" in done.stderr
    assert "--memory 24GiB" in done.stderr


def test_a_model_with_code_of_its_own_is_not_built(pipedoctor: Run, folder: Any) -> None:
    name = folder(model_type="own", auto_map={"AutoModel": "own.Own"})
    done = pipedoctor("memory", name, "--gpu", "T4")
    assert done.returncode == 4
    assert "trust_remote_code" in done.stdout
    assert "Nothing is planned" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("word", ["bf16", "=1", "a b=1"])
def test_what_is_no_argument_is_refused(pipedoctor: Run, word: str) -> None:
    done = pipedoctor("memory", "llama", "--set", word)
    assert done.returncode == 2
    assert "is no argument such as bf16=true" in done.stderr


def test_a_quantised_model_is_answered_in_one_sentence(pipedoctor: Run, folder: Any) -> None:
    name = folder(quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})
    done = pipedoctor("memory", name, "--gpu", "T4")
    assert done.returncode == 4
    assert "Nothing is planned: " in done.stdout
    assert "quantised model" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


LOOKS = """
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}


class Looks(BertForSequenceClassification):
    def forward(self, input_ids=None, attention_mask=None, labels=None, **words):
        answer = super().forward(input_ids, attention_mask=attention_mask, labels=labels)
        return answer if float(answer.loss) > 0 else None


def trainer(kind):
    row = {"input_ids": [1, 2, 3, 4], "attention_mask": [1, 1, 1, 1], "labels": 1}
    settings = TrainingArguments(output_dir="out", report_to=[], use_cpu=True)
    model = kind(BertConfig(**SIZES, vocab_size=50))
    return Trainer(model, settings, train_dataset=[row] * 64)


def plain():
    return trainer(BertForSequenceClassification)


def looking():
    return trainer(Looks)
"""


@pytest.fixture
def factory(project: Path) -> str:
    (project / "made.py").write_text(LOOKS)
    return "made"


def test_control_flow_by_values_is_answered_in_one_sentence(pipedoctor: Run, factory: str) -> None:
    done = pipedoctor("memory", f"{factory}:looking", "--gpu", "T4")
    assert done.returncode == 4
    said = " ".join(done.stdout.split())
    assert "told by formula: Looks looks at values" in said
    assert "Whether it fits is not settled: " in said
    assert "Traceback" not in done.stdout + done.stderr


def test_steps_run_on_the_processor_where_no_gpu_is(pipedoctor: Run, factory: str) -> None:
    done = pipedoctor("memory", f"{factory}:plain", "--memory", "8GiB", "--live")
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0
    assert "Run on the memory of this machine: 3 steps with 8 rows took " in done.stdout


def test_check_takes_a_memory_and_refuses_a_gpu_that_it_does_not_know(
    pipedoctor: Run, factory: str
) -> None:
    done = pipedoctor("check", f"{factory}:plain", "--gpu", "A200")
    assert done.returncode == 2
    assert "A100 80GB" in done.stderr
    done = pipedoctor("check", f"{factory}:plain", "--memory", "1GiB", "--select", "MEM001")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"model_type": "bert",', "can't be read"),
        ("[1, 2]", "no JSON object"),
        ("{}", 'no "model_type"'),
        ('{"_class_name": "UNet2DModel"}', "UNet2DModel of diffusers"),
    ],
)
def test_a_config_of_no_model_is_said_to_be_that(
    pipedoctor: Run, project: Path, text: str, said: str
) -> None:
    (project / "other").mkdir()
    (project / "other" / "config.json").write_text(text)
    done = pipedoctor("memory", "other", "--gpu", "T4")
    assert done.returncode == 2
    assert said in done.stderr


def test_a_config_that_no_model_can_be_built_from_is_named_once(
    pipedoctor: Run, folder: Any
) -> None:
    done = pipedoctor("memory", folder(hidden_size=-64), "--gpu", "T4")
    assert done.returncode == 4
    assert done.stdout.count("no model can be built from the config") == 1
    assert "your-code" not in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--memory", "24"), "'24' is 24 bytes, which no device has: --memory 24GiB"),
        (("--memory", "0"), "which no device has: --memory 24GiB"),
        (("--gpus", "0"), "'0' is no number of GPUs such as 8"),
        (("--length", "no"), "'no' is no number of tokens such as 512"),
    ],
)
def test_a_wrong_number_is_answered_with_a_right_one(
    pipedoctor: Run, words: tuple[str, str], said: str
) -> None:
    done = pipedoctor("memory", "llama", *words)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())


def test_an_argument_that_there_is_none_of_is_said(pipedoctor: Run, folder: Any) -> None:
    done = pipedoctor("memory", folder(), "--gpu", "T4", "--set", "optimm=sgd")
    assert done.returncode == 2
    assert "has no argument called optimm; did you mean optim?" in " ".join(done.stderr.split())


LOOP = """
import torch

model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
"""


def test_a_loop_of_ones_own_is_answered_with_what_can_be_planned(
    pipedoctor: Run, project: Path
) -> None:
    (project / "loop.py").write_text(LOOP)
    done = pipedoctor("memory", "loop.py", "--gpu", "T4")
    assert done.returncode == 4
    said = " ".join(done.stdout.split())
    assert "a loop of one's own is not gone through" in said
    assert "module:function" in said


def test_more_tokens_than_a_model_has_positions_are_refused(
    pipedoctor: Run, project: Path
) -> None:
    (project / "gpt2").mkdir()
    sizes = {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 64, "vocab_size": 50}
    config = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], **sizes}
    (project / "gpt2" / "config.json").write_text(json.dumps(config))
    done = pipedoctor("memory", "gpt2", "--gpu", "T4", "--length", "65")
    assert done.returncode == 4
    assert "GPT2LMHeadModel has 64 positions" in " ".join(done.stdout.split())
    done = pipedoctor("memory", "gpt2", "--gpu", "T4", "--length", "64")
    assert done.returncode == 0, done.stdout
