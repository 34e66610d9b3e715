from __future__ import annotations

from pipedoctor.facts import LoadedStates, StateLoad
from pipedoctor.finding import Finding
from pipedoctor_checks.checkpoints.loaded_weights_not_taken import loaded_weights_not_taken

KNOWN = ("encoder.weight", "encoder.bias", "head.weight", "head.bias")


def load(*given: str, known: tuple[str, ...] = KNOWN) -> StateLoad:
    return StateLoad("net", given, known, len({*given} & {*known}), strict=False)


def found(*loads: StateLoad) -> list[Finding]:
    return list(loaded_weights_not_taken(LoadedStates(loads)))


def test_a_prefix_too_many() -> None:
    (finding,) = found(load(*(f"module.{name}" for name in KNOWN)))
    assert "was given 4 weights and took none of them" in finding.message
    assert "without the prefix 'module.', 4 of them fit" in finding.message
    assert 'name.removeprefix("module.")' in finding.remedy


def test_a_prefix_too_few() -> None:
    (finding,) = found(load("encoder.weight", known=("net.encoder.weight", "net.head.weight")))
    assert finding.evidence["lacking_prefix"] == "net."
    assert '"net." + name' in finding.remedy


def test_another_model_altogether() -> None:
    (finding,) = found(load("conv1.weight", "conv2.weight"))
    assert "strict=True" in finding.remedy
    assert finding.evidence["prefix"] is None


def test_a_new_head() -> None:
    assert found(load("encoder.weight", "encoder.bias", "old.weight")) == []


def test_a_part_of_a_larger_model() -> None:
    others = [f"decoder.{number}.weight" for number in range(100)]
    assert found(load(*KNOWN, *others)) == []


def test_two_checkpoints_for_one_model() -> None:
    assert found(load(*KNOWN[:2]), load("other.weight")) == []


def test_nothing_at_all() -> None:
    assert found(load()) == []
    assert found() == []
