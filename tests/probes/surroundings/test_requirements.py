from __future__ import annotations

import subprocess
import sys

import pytest

from pipedoctor.facts import Conflict
from pipedoctor.probes.surroundings.metadata import Installed, installed, normal
from pipedoctor.probes.surroundings.requirements import conflicts, wanted


def packages(**versions):
    """Return packages by name: a version, or a version and what it requires."""
    made = {}
    for name, told in versions.items():
        version, *requires = [told] if isinstance(told, str) else told
        made[normal(name)] = Installed(normal(name), version, "/site", "/site/x", tuple(requires))
    return made


def test_what_fits_is_no_conflict():
    assert conflicts(packages(peft=("0.17", "torch>=1.13", "tqdm"), torch="2.9", tqdm="4")) == ()


def test_another_version_than_is_needed():
    (found,) = conflicts(
        packages(
            transformers=("5.23.0", "tokenizers<=0.24.0,>=0.22.0"),
            trl=("1.16.0", "tokenizers>=0.20", "transformers>=4.56"),
            tokenizers="0.20.3",
        )
    )
    assert found == Conflict(
        "tokenizers",
        "0.20.3",
        {"transformers 5.23.0": "<=0.24.0,>=0.22.0"},
        ">=0.20,>=0.22.0,<=0.24.0",
        stops=True,
    )


def test_what_is_missing():
    (found,) = conflicts(packages(accelerate=("1.15.0", "psutil")))
    assert (found.package, found.version, found.stops) == ("psutil", None, False)


def test_packages_that_train_nothing_are_not_asked():
    assert conflicts(packages(jupyter=("1", "notebook>=7"), torch="2.9")) == ()


def test_tensorflow_under_another_name():
    assert (
        conflicts(packages(tf_keras=("2.21.0", "tensorflow<2.22,>=2.21"), tensorflow_cpu="2.21.0"))
        == ()
    )
    (found,) = conflicts(
        packages(tf_keras=("2.21.0", "tensorflow<2.22,>=2.21"), tensorflow_cpu="2.19.0")
    )
    assert (found.package, found.version) == ("tensorflow", "2.19.0")


@pytest.mark.parametrize(
    ("version", "bound"),
    [
        ("2.13.0+cpu", "==2.13.0"),
        ("2.9.0a0+git1234", ">=2.0"),
        ("2.9.0.dev20250901+cu129", ">=2.3"),
        ("not a version", "==1.0"),
    ],
)
def test_builds_of_torch_that_are_no_plain_version(version, bound):
    assert conflicts(packages(torchvision=("0.24", f"torch{bound}"), torch=version)) == ()


def test_requirements_that_hold_elsewhere_or_can_not_be_read():
    asked = wanted(
        (
            "numpy>=1.20",
            "tqdm; extra == 'progress'",
            "pywin32; sys_platform == 'none'",
            "this is ; no requirement",
            "numpy (>=1.21)",
        )
    )
    assert [str(one) for one in asked] == ["numpy>=1.20", "numpy>=1.21"]


def test_nothing_is_compared_where_nothing_trains():
    assert conflicts(packages(rich=("15", "pygments>=99"))) == ()


@pytest.mark.deep
def test_pip_says_the_same_of_this_environment():
    """Of the packages that are asked, and with tensorflow-cpu taken for tensorflow."""
    first = {}
    for one in installed(sys.path):
        if isinstance(one, Installed):
            first.setdefault(normal(one.name), one)
    told = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    ).stdout
    if "requires" in told or "has requirement" in told:
        theirs = {normal(line.split()[0]) for line in told.splitlines() if line}
    else:
        theirs = set()
    ours = {name.split()[0] for one in conflicts(first) for name in one.needed_by}
    assert ours <= theirs
