from __future__ import annotations

import pytest

from pipedoctor.facts import Environment, Packages
from pipedoctor.finding import Severity
from pipedoctor_checks.environment.variable_not_read_any_more import variable_not_read_any_more
from pipedoctor_checks.environment.variable_with_a_wrong_value import variable_with_a_wrong_value

VERSIONS = {
    "transformers": "5.23.0",
    "huggingface_hub": "2.4.0",
    "torch": "2.13.0",
    "wandb": "0.22.0",
    "keras": "3.15.1",
}
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


def test_what_nothing_could_use_is_not_missed():
    versions = {name: version for name, version in VERSIONS.items() if name != "wandb"}
    environment = Environment("3.11.7", versions, variables={"WANDB_DISABLED": "true"})
    assert list(variable_not_read_any_more(environment, WHOLE)) == []


def test_a_note_does_not_hand_on_what_is_wrong():
    variables = {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segment:true,max_split_size_mb:64"}
    environment = Environment("3.11.7", VERSIONS, variables=variables)
    (note,) = variable_not_read_any_more(environment, WHOLE)
    assert note.remedy == "export PYTORCH_ALLOC_CONF=expandable_segments:True,max_split_size_mb:64"


def wrong(variables, **versions):
    environment = Environment("3.11.7", {**VERSIONS, **versions}, variables=variables)
    return list(variable_with_a_wrong_value(environment))


@pytest.mark.parametrize(
    ("variables", "severity", "remedy"),
    [
        ({"KERAS_BACKEND": "theano"}, Severity.ERROR, "export KERAS_BACKEND=torch"),
        (
            {"KERAS_BACKEND": "jax"},
            Severity.ERROR,
            "pip install jax, or export KERAS_BACKEND=torch",
        ),
        (
            {"PYTORCH_ALLOC_CONF": "max_split_size_mb:abc"},
            None,
            "unset PYTORCH_ALLOC_CONF",
        ),
        (
            {"PYTORCH_CUDA_ALLOC_CONF": "backend:native,expandable_segments:yes"},
            None,
            "export PYTORCH_CUDA_ALLOC_CONF=backend:native,expandable_segments:True",
        ),
        ({"LOCAL_RANK": "x"}, Severity.ERROR, "unset LOCAL_RANK; torchrun and"),
        ({"WORLD_SIZE": "4", "RANK": "4"}, Severity.ERROR, "unset RANK WORLD_SIZE; torchrun"),
        ({"CUDA_VISIBLE_DEVICES": "0, 1,0"}, None, "export CUDA_VISIBLE_DEVICES=0,1"),
        ({"OMP_NUM_THREADS": "0"}, Severity.NOTE, "unset OMP_NUM_THREADS"),
    ],
)
def test_values_that_can_not_be_used(variables, severity, remedy):
    (finding,) = wrong(variables)
    assert finding.where.key in variables
    assert finding.severity is severity
    assert finding.remedy.startswith(remedy)


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"KERAS_BACKEND": "torch"},
        {"KERAS_BACKEND": "numpy"},
        {"KERAS_BACKEND": ""},
        {"PYTORCH_ALLOC_CONF": "backend:cudaMallocAsync"},
        {"PYTORCH_ALLOC_CONF": "roundup_power2_divisions:[256:1,512:2,>:4],max_split_size_mb:64"},
        {"PYTORCH_ALLOC_CONF": "an_option_of_tomorrow:3"},
        {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "0", "MASTER_PORT": "29500"},
        {"LOCAL_RANK": "-1"},
        {"CUDA_VISIBLE_DEVICES": ""},
        {"CUDA_VISIBLE_DEVICES": "GPU-8932f937,1,-1"},
        {"OMP_NUM_THREADS": "4,2"},
    ],
)
def test_values_that_can_be_used(variables):
    assert wrong(variables) == []


def test_a_keras_that_does_not_read_the_variable():
    assert wrong({"KERAS_BACKEND": "theano"}, keras="2.15.0") == []
