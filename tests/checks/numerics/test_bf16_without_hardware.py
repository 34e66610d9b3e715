from __future__ import annotations

import re

import pytest

from pipedoctor import frameworks, registry
from pipedoctor.fact import Cost
from pipedoctor.facts import Cuda, Device, NamedGpu, Settings
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor_checks.numerics.bf16_without_hardware import bf16_without_hardware

T4, L4 = Device("Tesla T4", (7, 5)), Device("NVIDIA L4", (8, 9))


def found(settings, *devices, build="12.6"):
    """Return what is found in settings, with these GPUs."""
    parts = Parts({"settings": settings, "environment": {"transformers": "5.23.0"}})
    stated = Pipeline(parts, frameworks.probes(parts), Cost.STATIC).fact(Settings)
    cuda = Cuda(len(devices), "2.9.0", build, ("sm_75", "sm_80"), devices)
    return list(bf16_without_hardware(stated, cuda, None))


def test_an_older_gpu_emulates():
    (one,) = found({"bf16": True}, L4, T4)
    assert "Tesla T4 (sm_75)" in one.message
    assert one.remedy == 'set "fp16": true instead of "bf16": true'
    (full,) = found({"bf16_full_eval": True}, T4)
    assert full.remedy == 'set "fp16_full_eval": true instead of "bf16_full_eval": true'


def test_what_is_no_fault():
    assert found({"bf16": True}, L4) == []
    assert found({"bf16": True}) == []  # no GPU: not the machine that trains
    assert found({"fp16": True}, T4) == []
    assert found({"bf16": True, "use_cpu": True}, T4) == []
    assert found({"bf16": True}, T4, build="rocm 6.2") == []


def test_what_transformers_raises_without_a_gpu_is_this_fault(tmp_path):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available() or torch.backends.mps.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match="bf16") as raised:
        transformers.TrainingArguments(str(tmp_path), bf16=True)
    symptoms = registry.load().row("NUM006").symptoms
    assert any(re.search(pattern, str(raised.value)) for pattern in symptoms)


@pytest.mark.parametrize(
    ("name", "said"), [("T4", ["T4"]), ("V100 32GB", ["V100 32GB"]), ("L4", [])]
)
def test_the_gpu_that_is_named_counts_and_not_the_one_that_is_here(name, said):
    parts = Parts({"settings": {"bf16": True}, "memory": {"gpu": name}})
    pipeline = Pipeline(parts, frameworks.probes(parts), Cost.STATIC)
    named, here = pipeline.fact(NamedGpu), Cuda(1, "2.9.0", "12.6", ("sm_75",), (T4,))
    assert named.name == name
    outcome = list(bf16_without_hardware(pipeline.fact(Settings), here, named))
    assert [one.evidence["device"] for one in outcome] == said
