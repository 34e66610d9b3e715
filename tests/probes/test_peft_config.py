"""The fields of peft's configs as they are read, and what peft itself does with others."""

from __future__ import annotations

import json
import warnings

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import PeftConfig
from pipedoctor.probes import installed


def test_without_peft_nothing_is_said(subject):
    with pytest.raises(Unavailable, match="peft is not installed"):
        subject(environment={"peft": None}).fact(PeftConfig)


def test_the_fields_are_read_and_peft_is_not_imported(subject):
    peft = installed.versions(["peft"]).get("peft")
    if peft is None:
        pytest.skip("peft is not installed")
    fact = subject(environment={"peft": peft}).fact(PeftConfig)
    assert {"peft_type", "r", "lora_alpha", "target_modules", "task_type"} <= fact.fields
    assert fact.lenient


@pytest.mark.deep
def test_the_installed_peft_writes_what_it_reads(subject, tmp_path):
    peft = pytest.importorskip("peft")
    peft.LoraConfig(r=4, target_modules=["q_proj"]).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text())
    fact = subject(environment={"peft": peft.__version__}).fact(PeftConfig)
    assert set(config) <= fact.fields
    assert fact.lenient
    # What it says of a field that it does not know is what is told here.
    (tmp_path / "adapter_config.json").write_text(json.dumps({**config, "brand_new": True}))
    with pytest.warns(UserWarning, match="Unexpected keyword arguments"):
        loaded = peft.PeftConfig.from_pretrained(tmp_path)
    assert loaded.r == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (tmp_path / "adapter_config.json").write_text(json.dumps(config))
        peft.PeftConfig.from_pretrained(tmp_path)
