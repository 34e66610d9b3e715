"""Working with the Hugging Face libraries without network, progress bars and advice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any

from pipedoctor.fact import Unavailable

PARALLELISM = "TOKENIZERS_PARALLELISM"


def need(*packages: str) -> None:
    """Raise `Unavailable` unless these packages are installed."""
    for package in packages:
        if find_spec(package) is None:
            raise Unavailable(
                f"the package {package} is not installed; pip install 'pipedoctor[torch]'"
            )


@contextmanager
def quiet(*packages: str) -> Iterator[None]:
    """
    Keep `datasets` and `transformers`, whichever are named, offline and silent for a while.

    Everything is put back afterwards: verbosity, progress bars, offline mode, and the variable
    that keeps the tokenizers from warning of a fork that comes later.
    """
    import warnings

    need(*packages)
    with ExitStack() as undo, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if PARALLELISM not in os.environ:
            os.environ[PARALLELISM] = "false"
            undo.callback(os.environ.pop, PARALLELISM, None)
        import huggingface_hub.constants as hub

        _set(undo, hub, "HF_HUB_OFFLINE", True)
        if "datasets" in packages:
            _quiet_datasets(undo)
        if "transformers" in packages:
            _quiet_transformers(undo)
        yield


def _quiet_datasets(undo: ExitStack) -> None:
    import datasets
    from datasets.utils import logging

    _set(undo, datasets.config, "HF_HUB_OFFLINE", True)
    undo.callback(logging.set_verbosity, logging.get_verbosity())
    logging.set_verbosity(logging.CRITICAL)
    if not datasets.are_progress_bars_disabled():
        datasets.disable_progress_bars()
        undo.callback(datasets.enable_progress_bars)


def _quiet_transformers(undo: ExitStack) -> None:
    from transformers.utils import logging

    undo.callback(logging.set_verbosity, logging.get_verbosity())
    logging.set_verbosity(logging.CRITICAL)
    if logging.is_progress_bar_enabled():
        logging.disable_progress_bar()
        undo.callback(logging.enable_progress_bar)


def _set(undo: ExitStack, module: Any, name: str, value: object) -> None:
    undo.callback(setattr, module, name, getattr(module, name))
    setattr(module, name, value)
