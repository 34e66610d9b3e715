from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint, Tensor
from pipedoctor_checks.checkpoints import _against_config

_LAYER = re.compile(r"((?:[^.\d][^.]*\.)*)(\d+)\.(.+)")
"""A name in a stack: what stands before the number of the layer, that number, the rest."""

_SHORTEST = 5
"""Below so many letters, two names that differ by one may both be right, as k_proj and q_proj."""

_NEAR = 0.8
"""difflib's ratio from which on one name counts as the other misspelt: querry and query have 0.91."""

_OUTPUTS_LAST = ("gpt2", "openai-gpt")
"""The families whose matrices have a column for each output; those of all others have a row."""

Stack = Mapping[int, Mapping[str, tuple[int, ...]]]


@check("CKP072", Severity.ERROR, stage=Stage.CHECKPOINT)
def layer_unlike_the_others(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    One layer has a tensor transposed, or under a misspelt name, that all others have as it should be.

    The layers of a model of Transformers are built alike. A script that converts or renames weights
    and slips in one of them leaves a file that reads well: `from_pretrained` then raises over the
    shape, or starts the tensor whose name it can't find with random numbers, and tells it in a
    table of the log only. Layers that differ by design, such as the first of T5 or every second one
    of a mixture of experts, are passed over: told is only the same shape turned round, or a name
    that is missing in one layer where one that is spelt nearly so stands in its place.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "num_hidden_layers": 3},
                "tensors": {
                    "encoder.layer.0.intermediate.dense.weight": ("F32", (64, 32)),
                    "encoder.layer.1.intermediate.dense.weight": ("F32", (32, 64)),
                    "encoder.layer.2.intermediate.dense.weight": ("F32", (64, 32)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "num_hidden_layers": 3},
                "tensors": {
                    "encoder.layer.0.intermediate.dense.weight": ("F32", (64, 32)),
                    "encoder.layer.1.intermediate.dense.weight": ("F32", (64, 32)),
                    "encoder.layer.2.intermediate.dense.weight": ("F32", (64, 32)),
                },
            }
        }
    """
    if not against_config.plain(checkpoint):
        return
    for stack, layers in _stacks(checkpoint.tensors).items():
        if len(layers) > 1:
            for rest in dict.fromkeys(rest for held in layers.values() for rest in held):
                yield from _turned(checkpoint, stack, layers, rest)
                yield from _misspelt(checkpoint, stack, layers, rest)


def _turned(checkpoint: Checkpoint, stack: str, layers: Stack, rest: str) -> Iterator[Finding]:
    """Yield the matrix that is the transpose of that of all other layers."""
    shapes = {number: held[rest] for number, held in layers.items() if rest in held}
    kinds = set(shapes.values())
    if len(kinds) != 2 or any(len(kind) != 2 for kind in kinds):
        return
    one, other = kinds
    if one != other[::-1]:
        return
    odd = [number for number, shape in shapes.items() if shape == one]
    rests = [number for number in shapes if number not in odd]
    if len(odd) > 1 and len(rests) > 1:
        return
    first_is_odd = len(odd) < len(rests)
    if len(odd) == len(rests):
        # Of two layers, the bias tells which is right: it has an element for each output.
        bias = layers[odd[0]].get(f"{rest.removesuffix('weight')}bias")
        if bias not in {one[:1], one[1:]}:
            return
        outputs = one[1:] if checkpoint.config.get("model_type") in _OUTPUTS_LAST else one[:1]
        first_is_odd = bias != outputs
    wrong, right = (odd, rests) if first_is_odd else (rests, odd)
    if len(wrong) > 1:
        return
    name = f"{stack}{wrong[0]}.{rest}"
    found, expected = shapes[wrong[0]], shapes[right[0]]
    yield Finding(
        message=f"{name} is {found[0]:,} by {found[1]:,}, and {stack}{right[0]}.{rest} is "
        f"{expected[0]:,} by {expected[1]:,}"
        + (f", as in all {len(right)} other layers" if len(right) > 1 else "")
        + ": it was transposed",
        where=_place(checkpoint, name),
        evidence={"tensor": name, "shape": list(found), "others": list(expected)},
        remedy=f'take it from the save before, or turn it: state["{name}"] = '
        f'state["{name}"].t().contiguous()',
    )


def _misspelt(checkpoint: Checkpoint, stack: str, layers: Stack, rest: str) -> Iterator[Finding]:
    """Yield the name that one layer lacks, where a stranger of nearly that spelling stands."""
    without = [number for number, held in layers.items() if rest not in held]
    if len(without) != 1:
        return
    here = layers[without[0]]
    others = [held for number, held in layers.items() if number != without[0]]
    shape = others[0][rest]
    if any(held[rest] != shape for held in others):
        return
    for stranger, found in here.items():
        if found != shape or any(stranger in held for held in others):
            continue
        pair = _differing(stranger, rest)
        if pair is None or (len(others) == 1 and not _known(pair[1], pair[0], layers)):
            continue
        name, right = f"{stack}{without[0]}.{stranger}", f"{stack}{without[0]}.{rest}"
        yield Finding(
            message=f"{name} stands where {right} belongs, as in "
            f"{'the other layer' if len(others) == 1 else f'all {len(others)} other layers'}: it "
            "is not found, and the tensor starts with random numbers",
            where=_place(checkpoint, name),
            evidence={"tensor": name, "expected": right},
            remedy=f'rename it: state["{right}"] = state.pop("{name}")',
        )


def _differing(one: str, other: str) -> tuple[str, str] | None:
    """Return the only parts of two names that differ, if the one is the other misspelt."""
    from difflib import SequenceMatcher

    parts = list(zip(one.split("."), other.split("."), strict=False))
    odd = [pair for pair in parts if pair[0] != pair[1]]
    if one.count(".") != other.count(".") or len(odd) != 1:
        return None
    first, second = odd[0]
    if min(map(len, odd[0])) < _SHORTEST or re.search(r"\d", first + second):
        return None
    near = SequenceMatcher(None, first, second).ratio() >= _NEAR
    return odd[0] if near else None


def _known(right: str, wrong: str, layers: Stack) -> bool:
    """Whether the one part stands in more names than the other, where the layers are two."""
    names = [f".{name}." for held in layers.values() for name in held]
    return sum(f".{right}." in n for n in names) > sum(f".{wrong}." in n for n in names)


def _stacks(tensors: Mapping[str, Tensor]) -> dict[str, dict[int, dict[str, tuple[int, ...]]]]:
    """Return the shapes in each layer of each stack."""
    stacks: dict[str, dict[int, dict[str, tuple[int, ...]]]] = {}
    for name, tensor in tensors.items():
        match = _LAYER.fullmatch(name)
        if match:
            layer = stacks.setdefault(match[1], {}).setdefault(int(match[2]), {})
            layer[match[3]] = tuple(tensor.shape)
    return stacks


def _place(checkpoint: Checkpoint, name: str) -> Location:
    return Location(file=_against_config.holder(checkpoint, name).path, layer=name)
