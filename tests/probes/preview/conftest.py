"""The models of the adapters' tests: what enters a model is shown of real ones."""

from __future__ import annotations

from frameworks.conftest import (  # noqa: F401 - fixtures are found by their names
    model_folder,
    tiny,
)
