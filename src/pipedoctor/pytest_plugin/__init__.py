"""
The pytest plugin: the fixture `examine`, and `pytest --pipedoctor`.

Every run of pytest imports this module where pipedoctor is installed, so it imports nothing but
pytest; what it offers is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pipedoctor.pytest_plugin.fixture import Examine

DEPTHS = ("static", "files", "data", "model", "forward", "backward", "training")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("pipedoctor", "training pipelines")
    group.addoption(
        "--pipedoctor",
        action="store_true",
        help="examine the targets that [tool.pipedoctor] in pyproject.toml lists: an item a check",
    )
    group.addoption(
        "--pipedoctor-depth",
        choices=DEPTHS,
        default="training",
        help="stop after this much (default: as deep as can be)",
    )
    group.addoption(
        "--pipedoctor-fail-on",
        choices=("note", "warning", "error"),
        default="warning",
        help="the mildest finding that fails its item (default: warning)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Let the targets in, if they are asked for."""
    config.addinivalue_line("markers", "pipedoctor: the items that `pytest --pipedoctor` adds")
    if config.getoption("pipedoctor"):
        from pipedoctor.pytest_plugin.targets import Targets

        config.pluginmanager.register(Targets(config), "pipedoctor-targets")


@pytest.fixture(scope="session")
def examine(pytestconfig: pytest.Config) -> Examine:
    """Examine a Trainer, or the parts of a pipeline: `examine(trainer).assert_ready()`."""
    from pipedoctor.options import UsageError
    from pipedoctor.pytest_plugin.fixture import Examine
    from pipedoctor.pytest_plugin.project import read

    try:
        return Examine(read(pytestconfig))
    except UsageError as error:
        pytest.fail(str(error), pytrace=False)
