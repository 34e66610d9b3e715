from __future__ import annotations

from engine.samples import found, report

from pipedoctor import Finding, Location
from pipedoctor.fix import Fix, put, rename
from pipedoctor.masking import masked, secrets
from pipedoctor.reporters import json, text


def test_a_token_does_not_reach_a_report() -> None:
    settings = {"hub_token": "hf_SECRET", "push_to_hub_token": "hf_OTHER", "seed": 3}
    where = Location(file="x.json", line=3, source='"hub_token": "hf_SECRET",')
    evidence = {"value": "hf_OTHER", "all": ["hf_SECRET"]}
    finding = Finding(
        "hf_SECRET is odd", "write hf_OTHER", where, evidence, ("hf_SECRET",), ("hf_OTHER",)
    )
    subject = report(*masked([found("AAA001", finding)], secrets(settings)))
    for rendered in (text.plain(subject), json.render(subject)):
        assert "hf_" not in rendered
        assert "… is odd" in rendered


def test_tokens_of_a_tokenizer_are_no_secrets() -> None:
    assert (
        secrets({"eos_token": "</s>!", "pad_token": "[PAD]", "tokenizer_name": "bert-base"})
        == set()
    )


def test_a_report_without_secrets_is_left_alone() -> None:
    outcome = found("AAA001", Finding("x", "y"))
    assert masked([outcome], set()) == (outcome,)


def test_a_fix_that_would_write_a_secret_is_dropped() -> None:
    holds = Fix("set hub_token", (put("hub_token", "hf_SECRET"),), safe=True, file="x.json")
    moves = Fix("rename it", (rename("push_to_hub_token", "hub_token"),), safe=True, file="x.json")
    outcome = found("AAA001", Finding("a", "b", fix=holds), Finding("c", "d", fix=moves))
    (hidden,) = masked([outcome], {"hf_SECRET"})
    assert [finding.fix for finding in hidden.findings] == [None, moves]
