"""Imports in children, of packages that are made up."""

from __future__ import annotations

import os

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Tried, TriedImports
from pipedoctor.probes.surroundings import asking, imports


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module that children find."""
    monkeypatch.setenv(
        "PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    )

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return write


def tried(name, seconds=20.0):
    return imports.tried([name], seconds)[name]


def test_an_import_that_works(module):
    told = tried(module("fine", "print('hello', end='')"))
    assert (told.works, told.error, told.late, told.cuda) == (True, "", False, None)
    assert told.seconds > 0


def test_an_import_that_raises(module):
    told = tried(module("broken", "import sys\nraise ImportError('libcudart.so.12: cannot open')"))
    assert not told.works
    assert told.error == "ImportError: libcudart.so.12: cannot open"


def test_an_error_whose_text_has_several_lines(module):
    told = tried(module("long", "raise RuntimeError('operator does not exist\\nsee the page')"))
    assert told.error == "RuntimeError: operator does not exist"


def test_an_import_that_kills_the_process(module):
    told = tried(module("killed", "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)"))
    assert (told.works, told.error) == (False, "the process was killed by SIGSEGV")


def test_an_import_that_ends_the_process(module):
    assert tried(module("ended", "import os\nos._exit(3)")).error == (
        "the process ended with exit status 3"
    )


def test_an_import_that_takes_too_long_is_no_failure(module):
    told = tried(module("slow", "import time\ntime.sleep(60)"), seconds=0.5)
    assert (told.works, told.late, told.error) == (True, True, "it took longer than 0.5 s")


def test_whether_a_package_has_cuda(module, monkeypatch):
    module("bnb", "lib = 1")
    monkeypatch.setitem(imports.WITH_CUDA, "bnb", "__import__('bnb').lib == 2")
    assert tried("bnb").cuda is False


def test_a_module_in_the_working_directory_is_not_taken_for_a_package(tmp_path, monkeypatch):
    (tmp_path / "json.py").write_text("raise SystemExit(7)")
    monkeypatch.chdir(tmp_path)
    assert asking.ask("1 + 1", "", 20.0).value == 2


def test_what_is_not_installed_is_not_tried(subject, monkeypatch):
    monkeypatch.setattr(imports, "OPTIONAL", ("no_such_package", "no_such.part"))
    assert subject(environment={}, surroundings={}).fact(TriedImports).of == {}


def test_no_child_is_started_where_none_is_wanted(subject):
    with pytest.raises(Unavailable, match="no other process"):
        subject(environment={}, surroundings={"children": False}).fact(TriedImports)


def test_what_the_environment_states(subject):
    stated = {"apex": {"works": False, "error": "ImportError: x"}}
    told = subject(environment={"imports": stated}).fact(TriedImports)
    assert told.of == {"apex": Tried(works=False, seconds=0.0, error="ImportError: x")}
