from __future__ import annotations

import pytest

from pipedoctor.facts import Environment, TriedImports
from pipedoctor.facts.tried_imports import Tried
from pipedoctor.finding import Severity
from pipedoctor_checks.environment.installed_package_broken import installed_package_broken


def found(error, **variables):
    tried = TriedImports({"tensorflow": Tried(works=False, seconds=1.0, error=error)})
    environment = Environment("3.11.7", {"tensorflow": "2.21.0"}, variables=variables)
    (finding,) = installed_package_broken(tried, None, environment)
    return finding


@pytest.mark.parametrize(
    "error",
    ["ValueError: Unable to import backend : jax", "ModuleNotFoundError: No module named 'jax'"],
)
def test_a_package_that_only_the_chosen_backend_keeps_from_being_imported(error):
    told = found(error, KERAS_BACKEND="jax")
    assert told.severity is Severity.NOTE
    assert "uninstall" not in told.remedy
    assert "pip uninstall tensorflow" in found(error).remedy


def test_another_error_is_the_package_own():
    told = found("ImportError: libcudart.so.12", KERAS_BACKEND="jax")
    assert told.severity is None
    assert "--force-reinstall" in told.remedy
