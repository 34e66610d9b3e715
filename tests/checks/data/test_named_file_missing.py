from __future__ import annotations

import pytest
from facts import findings, settings

from pipedoctor import registry
from pipedoctor.facts import NamedFiles


@pytest.mark.parametrize(
    ("path", "words"),
    [("~/model", "write the home folder out"), ("models/x/y", "correct the path")],
)
def test_the_remedy_fits_the_path(path: str, words: str) -> None:
    files = NamedFiles(present={}, missing={"model_name_or_path": path}, folder="/work")
    (found,) = findings(registry.load()["DAT024"], files, settings(model_name_or_path=path))
    assert found.remedy.startswith(words)
    assert path in found.message
