"""Weights that are NaN before the first step, in whatever rows the first batches use."""

from __future__ import annotations

import pytest

from pipedoctor.facts import Spoilt, Weights
from pipedoctor_checks.numerics.weights_not_finite import weights_not_finite


def found(**spoilt: Spoilt) -> list[str]:
    facts = Weights(9, {name.replace("__", "."): one for name, one in spoilt.items()})
    return [f"{one.message} | {one.remedy}" for one in weights_not_finite(facts)]


def test_finite_weights_are_no_fault() -> None:
    assert not found()


def test_the_row_of_a_table_is_named_with_the_code_that_fills_it() -> None:
    (told,) = found(words__weight=Spoilt(32, 6400, (77,), 200))
    assert "32 of 6,400 values of words.weight are NaN or infinite, in row 77 of 200" in told
    assert 'torch.nn.init.normal_(model.get_submodule("words").weight[77], std=0.02)' in told


def test_several_rows_are_filled_one_by_one() -> None:
    (told,) = found(weight=Spoilt(4, 20, (1, 3), 10))
    assert "for row in [1, 3]: torch.nn.init.normal_(model.weight[row], std=0.02)" in told


@pytest.mark.parametrize("one", [Spoilt(5, 5), Spoilt(90, 99, tuple(range(8)), 11)])
def test_where_much_is_spoilt_the_checkpoint_is_to_blame(one: Spoilt) -> None:
    (told,) = found(a=one, b=Spoilt(1, 1))
    assert "so are values of 1 more" in told
    assert "last checkpoint" in told


def test_what_is_in_a_model_is_counted() -> None:
    torch = pytest.importorskip("torch")
    from pipedoctor.frameworks.training.finite import measure

    model = torch.nn.Embedding(10, 4)
    assert measure(model).spoilt == {}
    with torch.no_grad():
        model.weight[3, 1:3] = torch.tensor([float("nan"), float("inf")])
    assert measure(model).spoilt == {"weight": Spoilt(2, 40, (3,), 10)}
