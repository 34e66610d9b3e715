from __future__ import annotations

import pytest

from pipedoctor.facts import Environment, Packages
from pipedoctor.finding import Severity
from pipedoctor_checks.environment.variable_not_read_any_more import variable_not_read_any_more

VERSIONS = {"transformers": "5.23.0", "huggingface_hub": "2.4.0", "torch": "2.13.0"}
WHOLE = Packages("3.11.7", "/venv", VERSIONS)


def found(variables, packages=WHOLE, **versions):
    environment = Environment("3.11.7", {**VERSIONS, **versions}, variables=variables)
    return [
        (finding.where.key, finding.severity)
        for finding in variable_not_read_any_more(environment, packages)
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"WANDB_DISABLED": "false"},
        {"WANDB_DISABLED": "true", "WANDB_MODE": "disabled"},
        {"HF_HUB_ENABLE_HF_TRANSFER": "0"},
        {"TRANSFORMERS_CACHE": ""},
        {"TRANSFORMERS_CACHE": "/x", "HF_HUB_CACHE": "/x"},
        {"HUGGING_FACE_HUB_TOKEN": "(set)", "HF_TOKEN": "(set)"},
        {"PYTORCH_CUDA_ALLOC_CONF": "a:1", "PYTORCH_ALLOC_CONF": "a:1"},
    ],
)
def test_what_changes_nothing(variables):
    assert found(variables) == []


@pytest.mark.parametrize(
    "variables",
    [
        {"TRANSFORMERS_CACHE": "/x", "HF_HOME": ""},
        {"WANDB_DISABLED": "true"},
        {"HF_HUB_ENABLE_HF_TRANSFER": "1"},
        {"PYTORCH_CUDA_ALLOC_CONF": "a:1", "PYTORCH_ALLOC_CONF": "a:2"},
    ],
)
def test_what_is_not_read(variables):
    assert found(variables) == [(next(iter(variables)), None)]
    assert found(variables, None) == [(next(iter(variables)), None)]


@pytest.mark.parametrize(
    "name",
    [
        "HUGGINGFACE_HUB_CACHE",
        "HUGGING_FACE_HUB_TOKEN",
        "NCCL_BLOCKING_WAIT",
        "PYTORCH_CUDA_ALLOC_CONF",
    ],
)
def test_a_name_that_still_works_is_a_note_of_the_whole_environment_only(name):
    assert found({name: "1"}) == [(name, Severity.NOTE)]
    assert found({name: "1"}, None) == []


def test_versions_that_still_read_it():
    assert found({"TRANSFORMERS_CACHE": "/x", "WANDB_DISABLED": "1"}, transformers="4.57.6") == []
    assert found({"PYTORCH_CUDA_ALLOC_CONF": "a:1"}, torch="2.8.0") == []
