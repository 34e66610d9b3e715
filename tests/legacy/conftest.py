"""The TensorFlow models of transformers 4.57, in the environment that `make legacy` builds."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if find_spec("tf_keras") is None:
        reason = "`make legacy` has the environment: transformers 4.57 and tf-keras"
        for item in items:
            if Path(__file__).parent in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def warm(warm_keras: list[str]) -> list[str]:
    """Have children start from a process that has imported the models."""
    return warm_keras


@pytest.fixture(scope="session")
def tf_keras() -> Any:
    import tf_keras

    return tf_keras


@pytest.fixture(scope="session")
def rows() -> dict[str, Any]:
    """16 rows of 8 tokens, and their classes among the inputs, as the course has them."""
    import numpy as np

    random = np.random.default_rng(0)
    return {"input_ids": random.integers(0, 50, (16, 8)), "labels": random.integers(0, 3, 16)}
