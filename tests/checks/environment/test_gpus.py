"""Which code runs on which GPU, and what a Trainer makes of several: by stand-ins."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from pipedoctor.facts import Replicas
from pipedoctor.frameworks.distributing import replicas
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor_checks.environment.gpu_without_kernels import reaches


@pytest.mark.parametrize(
    ("arch", "capability", "runs"),
    [
        ("sm_80", (8, 0), True),
        ("sm_80", (8, 9), True),  # of the same major number, from its own on
        ("sm_86", (8, 0), False),
        ("sm_90", (10, 0), False),
        ("sm_100", (10, 3), True),
        ("sm_120", (12, 1), True),
        ("sm_90a", (9, 0), True),
        ("sm_100a", (10, 3), False),  # for this very architecture only
        ("compute_90", (12, 0), True),  # compiled anew where it runs
        ("compute_90", (8, 0), False),
        ("gfx942", (9, 4), True),  # not NVIDIA's: nothing is known against it
    ],
)
def test_what_code_runs_on(arch, capability, runs):
    assert reaches(arch, capability) is runs


def trainer(mode="not_distributed", gpus=4, **more):
    arguments = SimpleNamespace(parallel_mode=SimpleNamespace(value=mode), n_gpu=gpus)
    return SimpleNamespace(args=arguments, **more)


def told(part, **parts):
    return Pipeline(Parts({"trainer": part, **parts}), [replicas]).fact(Replicas)


@pytest.mark.parametrize(
    ("part", "gpus"),
    [
        (trainer(), 4),
        (trainer("not_parallel", 1), 1),
        (trainer("not_parallel", 0), 1),
        (trainer("distributed", 1), 1),
        (trainer(is_model_parallel=True), 1),
        (SimpleNamespace(), 1),
    ],
)
def test_how_many_copies_a_trainer_makes(part, gpus):
    assert told(part).gpus == gpus


def test_a_script_that_is_examined_may_be_meant_for_a_launcher():
    assert told(trainer()).sure
    assert not told(trainer(), run={"trainings": 1}).sure
