"""The ordinary files, made once."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoints import ordinary


@pytest.fixture(scope="session")
def torch_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return ordinary.torch_files(tmp_path_factory.mktemp("torch"))


@pytest.fixture(scope="session")
def pickle_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return ordinary.pickle_files(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="session")
def array_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return ordinary.array_files(tmp_path_factory.mktemp("arrays"))


@pytest.fixture(scope="session")
def trainer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ordinary.trainer_files(tmp_path_factory.mktemp("trainer"))


@pytest.fixture(scope="session")
def distributed_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ordinary.distributed_files(tmp_path_factory.mktemp("distributed"))
