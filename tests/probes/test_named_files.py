from __future__ import annotations

from pathlib import Path

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import NamedFiles
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline


def looked_for(**files: str) -> NamedFiles:
    parts = Parts({"files": files})
    return Pipeline(parts, frameworks.probes(parts)).fact(NamedFiles)


def test_what_is_there_and_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("label\n0\n")
    found = looked_for(train="train.csv", eval="dev.csv", model="./model")
    assert found.present == {"train_file": "train.csv"}
    assert found.missing == {"validation_file": "dev.csv", "model_name_or_path": "./model"}
    assert found.folder == str(tmp_path)


@pytest.mark.parametrize("name", ["bert-base-cased", "google/bert", "https://example.org/a/b"])
def test_what_may_be_elsewhere_is_not_looked_for(name: str) -> None:
    assert looked_for(model=name, train="data/*.csv", output_dir="out").missing == {}
