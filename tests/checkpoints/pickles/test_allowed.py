"""The allow-list is torch's own, and what needs trust is none of it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pipedoctor.checkpoints.pickles.allowed import ALLOWED, ALLOWED_ON_IMPORT
from pipedoctor.checkpoints.pickles.trusted import NEEDS_TRUST

ASKED = """
import json
from torch import _weights_only_unpickler as w
print(json.dumps([sorted(w._get_allowed_globals()), sorted(w._get_user_allowed_globals())]))
"""


def test_it_is_that_of_the_installed_torch() -> None:
    torch = pytest.importorskip("torch")
    answer = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, check=True)
    default, registered = json.loads(answer.stdout)
    assert {f"{m}.{n}" for m, n in ALLOWED} == set(default), torch.__version__
    assert {f"{m}.{n}" for m, n in ALLOWED_ON_IMPORT} == set(registered)


def test_nothing_stands_on_two_lists() -> None:
    assert not set(NEEDS_TRUST) & (ALLOWED | ALLOWED_ON_IMPORT)


@pytest.mark.parametrize(
    "module",
    ["os", "posix", "nt", "sys", "subprocess", "shutil", "importlib", "runpy", "pickle", "ctypes"],
)
def test_modules_that_run_things_stand_on_none(module: str) -> None:
    known = ALLOWED | ALLOWED_ON_IMPORT | set(NEEDS_TRUST)
    assert not [pair for pair in known if pair[0].partition(".")[0] == module]


@pytest.mark.parametrize("name", ["eval", "exec", "getattr", "__import__", "open", "map", "apply"])
def test_functions_that_run_things_stand_on_none(name: str) -> None:
    assert not [pair for pair in NEEDS_TRUST if pair[1] == name]
    assert not [pair for pair in ALLOWED | ALLOWED_ON_IMPORT if pair[1] == name]
