"""The project whose tests are run: where it lies, and what its pyproject.toml asks for."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from pipedoctor import options, registry
from pipedoctor.options import Options
from pipedoctor.registry import Registry


@dataclass(frozen=True)
class Project:
    """
    The folder of the pyproject.toml that has a table [tool.pipedoctor], and what that states.

    Targets are named from this folder, and run in it.
    """

    folder: str
    options: Options
    registry: Registry


def read(config: pytest.Config) -> Project:
    """
    Return the project of a run of pytest.

    The table is looked for as `pipedoctor check` does, upwards from the working directory; if
    that is not within pytest's root directory, upwards from there.

    Raises:
        UsageError: The table makes no sense.

    """
    here = config.invocation_params.dir
    start = here if here.is_relative_to(config.rootpath) else config.rootpath
    settings, source = options.read_settings(str(start))
    known = registry.load()
    folder = os.path.dirname(source) if source is not None else str(start)
    return Project(folder, options.merge(settings, source, known), known)
