"""One layer that was turned round or misspelt, and layers that differ by design."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.layer_unlike_the_others import layer_unlike_the_others

DENSE = {"dense.weight": (64, 32), "dense.bias": (64,)}
CONV = {"c_fc.weight": (32, 64), "c_fc.bias": (64,)}
QUERY = {"self.query.weight": (8, 8), "self.query.bias": (8,)}
TYPO = {"self.querry.weight": (8, 8), "self.query.bias": (8,)}


def found(*layers: dict[str, tuple[int, ...]], family: str = "bert") -> list[Any]:
    tensors = {
        f"encoder.layer.{number}.{name}": ("F32", shape)
        for number, held in enumerate(layers)
        for name, shape in held.items()
    }
    files = {"saved": {"config": {"model_type": family}, "tensors": tensors}}
    return list(outcome(layer_unlike_the_others, files=files).findings)


@pytest.mark.parametrize("others", [1, 3])
@pytest.mark.parametrize(
    ("good", "bad", "family"),
    [
        (DENSE, {**DENSE, "dense.weight": (32, 64)}, "bert"),
        (CONV, {**CONV, "c_fc.weight": (64, 32)}, "gpt2"),
    ],
)
def test_the_transposed_one_is_named(
    good: dict[str, Any], bad: dict[str, Any], family: str, others: int
) -> None:
    for layers, odd in (((bad, *[good] * others), 0), ((*[good] * others, bad), others)):
        (finding,) = found(*layers, family=family)
        assert finding.message.startswith(f"encoder.layer.{odd}.")
        assert "it was transposed" in finding.message


@pytest.mark.parametrize("others", [1, 3])
def test_the_misspelt_one_is_named(others: int) -> None:
    for layers, odd in (((TYPO, *[QUERY] * others), 0), ((*[QUERY] * others, TYPO), others)):
        (finding,) = found(*layers)
        assert f"encoder.layer.{odd}.self.querry.weight stands where" in finding.message
        assert f'state["encoder.layer.{odd}.self.query.weight"] = ' in finding.remedy


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param(({**DENSE, "relative_attention_bias.weight": (32, 2)}, DENSE), id="T5"),
        pytest.param(({"mlp.up.weight": (4, 8)}, {"experts.0.up.weight": (4, 8)}), id="MoE"),
        pytest.param((DENSE, {**DENSE, "attn_norm.weight": (8,)}), id="ModernBERT"),
        pytest.param(
            ({"self_attn.weight": (8, 8)}, {"linear_attn.weight": (8, 8)}), id="two attentions"
        ),
        pytest.param(({"q_proj.weight": (8, 8)}, {"k_proj.weight": (8, 8)}), id="short names"),
        pytest.param(({"w.weight": (4, 8)}, {"w.weight": (8, 4)}), id="nothing tells which"),
        pytest.param(({"w.weight": (4, 8)}, {"w.weight": (8, 16)}), id="layers of other widths"),
        pytest.param((DENSE, DENSE, DENSE), id="alike"),
    ],
)
def test_layers_that_differ_by_design(layers: tuple[dict[str, tuple[int, ...]], ...]) -> None:
    assert not found(*layers)
