"""What is asked of NVML and of torch, by fakes that answer like them; the machine's memory is real."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest
from facts import pipeline
from gpus import GIB, FakeNvml

from pipedoctor import Unavailable
from pipedoctor.facts import Gpus
from pipedoctor.frameworks.live.devices import Cuda, Mps, Ram, here
from pipedoctor.frameworks.live.nvml import Nvml
from pipedoctor.probes.gpu.looking import told
from pipedoctor.probes.gpu.trying import attempt

T4 = {"total": 15 * GIB, "free": GIB, "processes": {4242: 13 * GIB, os.getpid(): GIB}}


def test_who_has_the_memory_is_told():
    library = FakeNvml(T4)
    (gpu,) = Nvml(library, "0").gpus()
    assert (gpu.name, gpu.total, gpu.free) == ("Tesla T4", 15 * GIB, GIB)
    assert [(one.pid, one.name, one.bytes) for one in gpu.others] == [(4242, "python3", 13 * GIB)]
    assert [one.own for one in gpu.holders] == [False, True]
    assert library.open == 0


@pytest.mark.parametrize(
    ("visible", "free"), [("1,0", [2, 1]), ("1", [2]), ("GPU-b", [2]), ("0,-1,1", [1]), ("", [])]
)
def test_the_order_and_the_choice_are_those_of_cuda(visible, free):
    library = FakeNvml(
        {"total": 9, "free": 1, "uuid": "GPU-a"}, {"total": 9, "free": 2, "uuid": "GPU-b"}
    )
    assert [gpu.free for gpu in Nvml(library, visible).gpus()] == free


def test_a_driver_that_does_not_answer_is_no_fault_of_the_training():
    with pytest.raises(Unavailable, match="Driver Not Loaded"):
        Nvml(FakeNvml(broken=True), "0").gpus()
    with pytest.raises(Unavailable, match="Invalid Argument"):
        Nvml(FakeNvml(), "7").gpus()
    with pytest.raises(Unavailable, match="no GPU"):
        told(Nvml(FakeNvml(), ""), None)


def test_without_the_package_its_name_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(Unavailable, match="pip install nvidia-ml-py"):
        Nvml()


def test_the_fact_is_filled_through_the_package_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(T4, T4))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr("pipedoctor.probes.environment._gpus", lambda: 1)
    found = pipeline().fact(Gpus)
    assert [gpu.free for gpu in found.devices] == [GIB]
    assert found.summary() == {"Tesla T4 0": GIB}


class CudaOutOfMemory(RuntimeError):  # noqa: N818 - torch's own has no such name either
    """As torch.cuda.OutOfMemoryError is one."""


def fake_torch(**more):
    calls = []
    cuda = SimpleNamespace(
        OutOfMemoryError=CudaOutOfMemory,
        get_device_name=lambda _index: "Tesla T4",
        mem_get_info=lambda _index: (GIB, 15 * GIB),
        synchronize=lambda _index: calls.append("synchronize"),
        reset_peak_memory_stats=lambda _index: calls.append("reset"),
        max_memory_allocated=lambda _index: 3 * GIB,
        max_memory_reserved=lambda _index: 4 * GIB,
        memory_stats=lambda _index: more.get("stats", {}),
        empty_cache=lambda: calls.append("empty"),
        is_available=lambda: more.get("cuda", True),
    )
    mps = SimpleNamespace(
        synchronize=lambda: calls.append("synchronize"),
        recommended_max_memory=lambda: 10 * GIB,
        driver_allocated_memory=lambda: 3 * GIB,
        current_allocated_memory=lambda: 2 * GIB,
        empty_cache=lambda: calls.append("empty"),
    )
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: more.get("mps", False)))
    return SimpleNamespace(cuda=cuda, mps=mps, backends=backends), calls


def test_a_gpu_is_asked_after_its_kernels_are_done():
    torch, calls = fake_torch()
    live = Cuda(torch)
    live.reset()
    assert (live.peak().allocated, live.peak().reserved) == (3 * GIB, 4 * GIB)
    assert live.room() == (GIB, 15 * GIB)
    assert calls[:3] == ["synchronize", "reset", "synchronize"]
    assert live.pieces() is None


def test_memory_in_pieces_is_told():
    stats = {
        "allocated_bytes.all.current": 2 * GIB,
        "reserved_bytes.all.current": 4 * GIB,
        "inactive_split_bytes.all.current": GIB,
        "num_alloc_retries": 3,
    }
    pieces = Cuda(fake_torch(stats=stats)[0]).pieces()
    assert (pieces.unused, pieces.fragmented, pieces.retries) == (2 * GIB, 0.25, 3)


def test_what_runs_out_on_a_gpu_is_known_in_all_its_words():
    live = Cuda(fake_torch()[0])
    assert live.ran_out(CudaOutOfMemory("CUDA out of memory. Tried to allocate 2 GiB"))
    assert live.ran_out(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling …"))
    assert not live.ran_out(RuntimeError("CUDA error: device-side assert triggered"))
    assert not live.ran_out(ValueError("CUDA out of memory"))


def test_of_a_mac_what_the_driver_recommends_counts():
    torch, calls = fake_torch(cuda=False, mps=True)
    live = here(torch)
    assert isinstance(live, Mps)
    assert live.room() == (7 * GIB, 10 * GIB)
    live.reset()
    assert live.peak().reserved == 3 * GIB
    live.clean()
    assert calls[-1] == "empty"
    assert live.ran_out(RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"))
    assert not live.ran_out(RuntimeError("Placeholder storage has not been allocated"))


def test_the_memory_of_the_machine_is_measured_by_the_kernel():
    live = here(fake_torch(cuda=False)[0])
    assert isinstance(live, Ram)
    size = 64 * 2**20

    def step(rows):
        held = bytearray(os.urandom(1)) * (rows * size)
        assert held

    trial = attempt(live, step, 2)
    assert trial.fits
    assert trial.peak.reserved == pytest.approx(2 * size, rel=0.2)
    free, total = live.room()
    assert 0 < free <= total
    assert live.ran_out(MemoryError())
