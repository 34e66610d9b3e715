"""Configs of LoRA adapters against versions of peft."""

from __future__ import annotations

import pytest

from pipedoctor.facts import Checkpoint, PeftConfig
from pipedoctor.finding import Severity
from pipedoctor_checks.versions.adapter_saved_by_newer_peft import adapter_saved_by_newer_peft


def findings(config, fields=("peft_type", "r"), *, lenient=True):
    checkpoint = Checkpoint("out", "adapter", (), config={"peft_type": "LORA", "r": 8, **config})
    peft = PeftConfig("0.14.0", frozenset(fields), lenient)
    return list(adapter_saved_by_newer_peft(checkpoint, peft))


@pytest.mark.parametrize("value", [None, False, [], {}, ""])
def test_a_field_that_is_not_in_use_matters_only_to_those_that_refuse_it(value):
    assert findings({"corda_config": value}) == []
    (refused,) = findings({"corda_config": value}, lenient=False)
    assert refused.severity is None
    assert "corda_config, which peft 0.14.0 does not know and refuses" in refused.message


def test_a_field_in_use_is_left_out():
    (found,) = findings({"use_qalora": True, "arrow_config": None, "peft_version": "0.17.0"})
    assert found.severity is Severity.WARNING
    assert found.remedy == 'pip install "peft>=0.17.0"'
    assert found.evidence["in_use"] == ["use_qalora"]


def test_a_default_of_a_new_field_is_not_in_use():
    assert findings({"qalora_group_size": 16, "peft_version": "0.21.2"}) == []
    (found,) = findings({"qalora_group_size": 32})
    assert found.evidence["in_use"] == ["qalora_group_size"]


def test_other_kinds_of_adapters_are_not_judged():
    assert findings({"peft_type": "IA3", "feedforward_modules": ["fc"]}, lenient=False) == []
