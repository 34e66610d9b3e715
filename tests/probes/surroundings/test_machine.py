from __future__ import annotations

import os

import pytest

from pipedoctor.fact import Cost, Unavailable
from pipedoctor.facts import Machine, Room
from pipedoctor.probes.surroundings import machine


@pytest.fixture
def proc(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_text(
        "MemTotal:       64000000 kB\nMemFree:  10 kB\nMemAvailable:   32000000 kB\n"
    )
    return tmp_path


def limit(root, most, used):
    group = root / "sys" / "fs" / "cgroup"
    group.mkdir(parents=True)
    (group / "cgroup.controllers").write_text("memory")
    (group / "memory.max").write_text(most)
    (group / "memory.current").write_text(used)


def test_memory_of_the_machine(proc):
    told = machine.measured(str(proc))
    assert (told.memory, told.limit, told.available) == (65_536_000_000, None, 32_768_000_000)


def test_a_container_gets_less_and_has_less_left(proc):
    limit(proc, "4000000000", "3000000000")
    told = machine.measured(str(proc))
    assert (told.memory, told.limit, told.available) == (
        65_536_000_000,
        4_000_000_000,
        1_000_000_000,
    )


def test_a_limit_above_the_machine_is_none(proc):
    limit(proc, "70000000000", "3000000000")
    assert machine.measured(str(proc)).limit is None


def test_what_the_kernel_does_not_tell_is_not_known(tmp_path):
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "meminfo").write_bytes(b"\xff\xfe MemTotal kB\nMemAvailable: lots kB\n")
    told = machine.measured(str(tmp_path))
    assert told.memory == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with pytest.raises(Unavailable, match="how much memory is left"):
        _ = told.available


def test_this_machine(subject, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    told = subject(environment={}, surroundings={}).fact(Machine)
    assert told.processors == os.cpu_count()
    assert told.allowed == len(os.sched_getaffinity(0))
    assert told.threads == 3
    assert told.here.path == str(tmp_path)
    assert 0 < told.here.free <= told.here.total


@pytest.mark.parametrize("stated", ["", "many", "0", "-1"])
def test_a_number_of_threads_that_is_none(stated, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", stated)
    assert machine.measured("/").threads is None


def test_a_working_directory_that_is_gone(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    told = machine.measured("/")
    with pytest.raises(Unavailable, match="the working directory is gone"):
        _ = told.here


def test_a_folder_that_is_not_there():
    assert "there is no /nowhere" in machine.room("/nowhere").reason


def test_what_the_environment_states(subject):
    stated = {"quota": 2.0, "shared": {"path": "/dev/shm", "free": 1, "total": 2}}
    told = subject(environment={"machine": stated}).fact(Machine)
    assert (told.quota, told.shared) == (2.0, Room("/dev/shm", 1, 2))
    with pytest.raises(Unavailable):
        _ = told.memory


def test_a_check_of_a_run_asks_at_the_cost_of_files(subject):
    here = {"transformers": "5.23.0"}
    assert subject(settings={}, environment=here).fact(Machine).processors == os.cpu_count()
    with pytest.raises(Unavailable, match="the GPUs are stated"):
        subject(settings={}, environment={**here, "gpus": 1}).fact(Machine)
    with pytest.raises(Unavailable):
        subject(settings={}, environment=here, budget=Cost.STATIC).fact(Machine)
