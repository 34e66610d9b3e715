"""Golden files, and a cache folder of the tests' own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]  # runs of pytest within tests: tests/pytest_plugin

# The models of tests are small, and tests run side by side: more threads only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")

# `make deep` has the tests of Keras run with the others. No home: neither read nor written.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("KERAS_HOME", os.devnull)

# A shell without job control starts what is in the background with Ctrl-C ignored, and so would
# be all that is started from here. Tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SNAPSHOTS = Path(__file__).parent / "snapshots"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-snapshots", action="store_true", help="rewrite tests/snapshots")
    parser.addoption(
        "--cold", action="store_true", help="start each child anew, with its frameworks to import"
    )


@pytest.fixture
def snapshot(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with a file in tests/snapshots."""

    def compare(name: str, text: str) -> None:
        path = SNAPSHOTS / name
        if request.config.getoption("--update-snapshots"):
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return compare


@pytest.fixture(autouse=True, scope="session")
def cache_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Keep what the tests remember out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def warm(
    cache_of_our_own: object,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[str]]:
    """
    Return the words that start `pipedoctor` with a child that has the frameworks imported.

    For tests of what becomes of the user's pipeline; those of processes start them for real, and
    so do all with `--cold`.
    """
    yield from _words(request, tmp_path_factory, "torch")


@pytest.fixture(scope="session")
def warm_keras(
    cache_of_our_own: object,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[str]]:
    """
    Return the like for pipelines of Keras, whose backend is the one that the tests run on.

    Beside transformers 4.57 they are those of its TensorFlow models, which use tf-keras.

    A script that sets KERAS_BACKEND or TF_USE_LEGACY_KERAS itself is too late in such a child;
    where they are in the environment of the command, the child is a fresh one.
    """
    legacy = find_spec("tf_keras") is not None
    yield from _words(request, tmp_path_factory, "legacy" if legacy else "keras")


def _words(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, frameworks: str
) -> Iterator[list[str]]:
    if request.config.getoption("--cold"):
        yield [sys.executable, "-m", "pipedoctor"]
        return
    path = str(tmp_path_factory.mktemp("warm") / "socket")
    Path(f"{path}.environment").write_text(json.dumps(dict(os.environ)))
    here = Path(__file__).parent
    with subprocess.Popen(
        [sys.executable, here / "warm_server.py", path, frameworks],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as server:
        while not Path(path).exists():
            assert server.poll() is None
            time.sleep(0.01)
        yield [sys.executable, str(here / "warm_start.py"), path]
        server.communicate()
