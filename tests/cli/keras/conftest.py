"""The command line for pipelines of Keras: `pipedoctor`, `project` and the rest as for others."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def warm(warm_keras: list[str]) -> list[str]:
    """Have children start from a process that has imported Keras."""
    return warm_keras
