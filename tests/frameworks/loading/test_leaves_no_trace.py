"""Loading is offline and silent, and leaves nothing behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import datasets
import huggingface_hub.constants
import pytest
import transformers

from pipedoctor.fact import Split
from pipedoctor.frameworks.loading.quiet import quiet
from pipedoctor.frameworks.loading.run import Run
from pipedoctor.targets.recipe import Recipe

SCRIPT = """
    import socket, sys
    def refuse(*args, **rest):
        raise SystemExit("the network was asked")
    socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
    from pipedoctor.fact import Split
    from pipedoctor.frameworks.loading.run import Run
    from pipedoctor.targets.recipe import Recipe
    run = Run(Recipe("text-classification", sys.argv[1], train_file=sys.argv[2]))
    data = run.load_data(Split.TRAIN)
    assert len(data.rows(range(5))) == 5
    run.load_model(), run.load_collator()
    assert run._folder.name.startswith(sys.argv[3])
"""


def test_nothing_is_said_written_or_fetched(
    reuters_csv: Callable[..., str], model_folder: str, tmp_path: Path
) -> None:
    home, temporary, data = (tmp_path / name for name in ("home", "temporary", "data"))
    for folder in (home, temporary, data):
        folder.mkdir()
    train = Path(reuters_csv()).rename(data / "train.csv")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HF_")},
        "HOME": str(home),
        "HF_HOME": str(home / "hf"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "TMPDIR": str(temporary),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SCRIPT), model_folder, str(train), str(temporary)],
        env=environment,
        cwd=data,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(home.rglob("*")) == []
    assert list(temporary.rglob("*")) == []
    assert list(data.rglob("*")) == [train]


def test_arrow_copies_go_when_the_run_goes(
    reuters_csv: Callable[..., str], model_folder: str
) -> None:
    run = Run(Recipe("text-classification", model_folder, train_file=reuters_csv()))
    run.load_data(Split.TRAIN)
    folder = run._cache()
    assert os.listdir(folder)
    del run
    gc.collect()
    assert not os.path.exists(folder)


@pytest.mark.parametrize("stated", [None, "true"])
def test_quiet_puts_everything_back(monkeypatch: pytest.MonkeyPatch, stated: str | None) -> None:
    monkeypatch.delenv("TOKENIZERS_PARALLELISM", raising=False)
    if stated is not None:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", stated)

    def state() -> tuple[object, ...]:
        return (
            os.environ.get("TOKENIZERS_PARALLELISM"),
            huggingface_hub.constants.HF_HUB_OFFLINE,
            datasets.config.HF_HUB_OFFLINE,
            datasets.utils.logging.get_verbosity(),
            datasets.are_progress_bars_disabled(),
            transformers.utils.logging.get_verbosity(),
            transformers.utils.logging.is_progress_bar_enabled(),
        )

    before = state()
    within: list[tuple[object, ...]] = []

    def fail() -> None:
        with quiet("datasets", "transformers"):
            within.append(state())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert state() == before
    assert within[0][:3] == (stated or "false", True, True)
    assert within[0][4] is True
    assert within[0][6] is False
