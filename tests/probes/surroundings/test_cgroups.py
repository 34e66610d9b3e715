"""Limits of containers, read from trees of files as the kernel lays them out."""

from __future__ import annotations

import pytest

from pipedoctor.probes.cgroups import Limits, limits


@pytest.fixture
def kernel(tmp_path):
    """Write files below a root and return what they say."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return limits(str(tmp_path))

    return write


SECOND = {"sys__fs__cgroup__cgroup_dot_controllers": "cpu memory", "proc__self__cgroup": "0::/\n"}


def test_a_container_of_the_second_version(kernel):
    told = kernel(
        **SECOND,
        sys__fs__cgroup__memory_dot_max="8589934592\n",
        sys__fs__cgroup__memory_dot_current="1073741824\n",
        sys__fs__cgroup__cpu_dot_max="150000 100000\n",
    )
    assert told == Limits(8 << 30, 1 << 30, 1.5)


def test_no_limit_of_the_second_version(kernel):
    told = kernel(
        **SECOND,
        sys__fs__cgroup__memory_dot_max="max\n",
        sys__fs__cgroup__cpu_dot_max="max 100000\n",
    )
    assert told == Limits(None, None, None)


def test_the_tightest_of_the_groups_above_holds(kernel):
    told = kernel(
        **{**SECOND, "proc__self__cgroup": "0::/slurm/job/step\n"},
        sys__fs__cgroup__slurm__job__step__memory_dot_max="max",
        sys__fs__cgroup__slurm__job__memory_dot_max="4294967296",
        sys__fs__cgroup__slurm__job__memory_dot_current="100",
        sys__fs__cgroup__slurm__memory_dot_max="8589934592",
        sys__fs__cgroup__slurm__job__cpu_dot_max="400000 100000",
        sys__fs__cgroup__slurm__cpu_dot_max="1600000 100000",
    )
    assert told == Limits(4 << 30, 100, 4.0)


def test_a_container_of_the_first_version(kernel):
    told = kernel(
        proc__self__cgroup="5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n",
        sys__fs__cgroup__memory__memory_dot_limit_in_bytes="2147483648",
        sys__fs__cgroup__memory__memory_dot_usage_in_bytes="1000",
        sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us="50000",
        sys__fs__cgroup__cpu__cpu_dot_cfs_period_us="100000",
    )
    assert told == Limits(2 << 30, 1000, 0.5)


def test_no_limit_of_the_first_version(kernel):
    told = kernel(
        sys__fs__cgroup__memory__memory_dot_limit_in_bytes="9223372036854771712",
        sys__fs__cgroup__cpu__cpu_dot_cfs_quota_us="-1",
        sys__fs__cgroup__cpu__cpu_dot_cfs_period_us="100000",
    )
    assert told == Limits(None, None, None)


def test_a_group_that_lies_outside_of_what_is_mounted(kernel):
    told = kernel(
        **{**SECOND, "proc__self__cgroup": "0::/../../host/group\n"},
        sys__fs__cgroup__memory_dot_max="1073741824",
    )
    assert told.memory == 1 << 30


def test_files_that_hold_no_numbers_limit_nothing(kernel):
    told = kernel(
        **{**SECOND, "proc__self__cgroup": "no colons here\n\0\n"},
        sys__fs__cgroup__memory_dot_max="lots",
        sys__fs__cgroup__cpu_dot_max="100000 0",
    )
    assert told == Limits(None, None, None)


def test_a_system_without_such_files(tmp_path):
    assert limits(str(tmp_path)) == Limits(None, None, None)
