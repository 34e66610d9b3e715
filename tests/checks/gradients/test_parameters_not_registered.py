from __future__ import annotations

import pytest

from pipedoctor import Severity
from pipedoctor.facts import Gradients, Stranger
from pipedoctor_checks.gradients.parameters_not_registered import parameters_not_registered


def found(*strangers: Stranger) -> list:
    fact = Gradients("Stack", 0.7, {}, connected=True, strangers=strangers)
    return list(parameters_not_registered(fact))


@pytest.mark.parametrize(
    ("holder", "name", "remedy"),
    [
        ("layers", "[0].weight", "self.layers = torch.nn.ModuleList(layers) in"),
        ("enc.by_name", "['a'].weight", "self.by_name = torch.nn.ModuleDict(by_name) in"),
        ("scales", "[3]", "self.scales = torch.nn.ParameterList(scales) in"),
        ("enc.scale", "", "self.scale = torch.nn.Parameter(...) in"),
        ("enc.teacher", ".weight", "self.teacher = ..., not in __dict__"),
    ],
)
def test_the_remedy_fits_where_it_is_held(holder: str, name: str, remedy: str) -> None:
    (finding,) = found(Stranger((4, 4), 16, holder + name, holder))
    assert finding.where.layer == holder
    assert remedy in finding.remedy
    assert name in finding.message
    assert finding.severity is None


def test_one_that_the_optimizer_holds_is_still_missing_in_checkpoints() -> None:
    assert len(found(Stranger((4, 4), 16, "layers[0].weight", "layers", optimized=True))) == 1


def test_one_outside_the_model() -> None:
    (finding,) = found(Stranger((512, 10), 5120, optimized=False))
    assert finding.severity is Severity.WARNING
    assert "1 parameter (5,120 elements) outside Stack" in finding.message
    assert "512 x 10" in finding.message


@pytest.mark.parametrize("optimized", [True, None])
def test_one_outside_that_is_trained_or_may_be(optimized: bool | None) -> None:
    assert found(Stranger((1,), 1, optimized=optimized)) == []


def test_nothing_strange() -> None:
    assert found() == []
