"""GPUs through a fake: what torch would answer is handed over instead."""

from __future__ import annotations

import sys
import types
import warnings

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Cuda, Device
from pipedoctor.frameworks import devices
from pipedoctor.probes.surroundings import asking, cuda

DRIVER = """NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 2025
GCC version:  gcc version 12.3.0
"""
OPEN = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build\n"


@pytest.mark.parametrize(
    ("text", "version"), [(DRIVER, "570.86.15"), (OPEN, "580.65.06"), ("", ""), ("\0", "")]
)
def test_the_version_of_the_driver(text, version):
    assert cuda.driver_of(text) == version


class Torch(types.ModuleType):
    """As much of torch as is asked."""

    def __init__(self, found=(), *, build="12.8", hip=None, said=""):
        super().__init__("torch")
        self.__version__ = "2.9.0+cu128"
        self.version = types.SimpleNamespace(cuda=build, hip=hip)
        self.cuda = types.SimpleNamespace(
            is_available=lambda: self._available(found, said),
            device_count=lambda: len(found),
            get_device_properties=lambda index: types.SimpleNamespace(**found[index]),
            get_arch_list=lambda: ["sm_80", "sm_90"],
        )
        self.backends = types.SimpleNamespace()

    @staticmethod
    def _available(found, said):
        if said:
            warnings.warn(said, stacklevel=2)
        return bool(found)


H100 = {"name": "NVIDIA H100", "major": 9, "minor": 0, "total_memory": 85_000_000_000}


def told(monkeypatch, torch):
    monkeypatch.setitem(sys.modules, "torch", torch)
    return devices.told()


def test_what_torch_says_of_its_gpus(monkeypatch):
    answer = told(monkeypatch, Torch((H100, H100)))
    fact = cuda.of({**answer, "driver": "570.86.15"}, 2)
    assert fact.devices == (Device("NVIDIA H100", (9, 0), 85_000_000_000),) * 2
    assert (fact.build, fact.arches, fact.refusal) == ("12.8", ("sm_80", "sm_90"), "")


def test_why_torch_can_use_none(monkeypatch):
    answer = told(monkeypatch, Torch(said="The NVIDIA driver on your system is too old"))
    fact = cuda.of(answer, 1)
    assert (fact.devices, fact.present) == ((), 1)
    assert fact.refusal == "The NVIDIA driver on your system is too old"
    with pytest.raises(Unavailable):
        _ = fact.arches


def test_a_torch_for_amd(monkeypatch):
    assert told(monkeypatch, Torch((H100,), build=None, hip="6.2"))["build"] == "rocm 6.2"


def test_a_torch_without_cuda(monkeypatch):
    assert told(monkeypatch, Torch(build=None))["build"] == ""


def test_torch_is_not_asked_for_a_run_where_there_is_no_gpu(subject, monkeypatch):
    monkeypatch.setattr(asking, "ask", lambda *_: pytest.fail("it was asked"))
    with pytest.raises(Unavailable):
        subject(settings={"bf16": True}).fact(Cuda)


def test_torch_is_asked_for_a_run_where_there_is_one(subject, monkeypatch):
    answer = {
        "torch": "2.9.0",
        "build": "12.8",
        "arches": ["sm_90"],
        "devices": [{"name": "NVIDIA H100", "capability": [9, 0], "memory": 1}],
    }
    monkeypatch.setattr(asking, "ask", lambda *_: asking.Answer(answer))
    monkeypatch.setattr("pipedoctor.probes.environment._gpus", lambda: 1)
    here = {"transformers": "5.23.0", "torch": "2.9.0"}
    fact = subject(environment=here, settings={"bf16": True}).fact(Cuda)
    assert fact.devices == (Device("NVIDIA H100", (9, 0), 1),)


def test_torch_here_is_not_asked_about_gpus_that_are_stated(subject):
    here = {"transformers": "5.23.0", "torch": "2.9.0", "gpus": 1}
    with pytest.raises(Unavailable, match="the GPUs are stated"):
        subject(environment=here, settings={"bf16": True}).fact(Cuda)


def test_a_torch_that_can_not_be_imported(subject, monkeypatch):
    monkeypatch.setattr(asking, "ask", lambda *_: asking.Answer(None, "ImportError: libcudnn"))
    fact = subject(environment={"torch": "2.9.0"}, surroundings={}).fact(Cuda)
    assert fact.refusal == "ImportError: libcudnn"
    with pytest.raises(Unavailable, match="torch could not be asked: ImportError: libcudnn"):
        _ = fact.devices


def test_without_torch_the_driver_is_told(subject):
    fact = subject(environment={"torch": None}, surroundings={}).fact(Cuda)
    with pytest.raises(Unavailable, match="torch is not installed"):
        _ = fact.devices
