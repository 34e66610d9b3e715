from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored

_NUMBERED = re.compile(r"(?:(.*?)\.)??(layer|layers|h|blocks)\.(\d+)\.")
"""The first numbered module in a name: the stack of the model, not the experts inside a layer."""

_KEYS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers")


@check("CKP064", Severity.ERROR, stage=Stage.CHECKPOINT)
def layers_missing_from_weights(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    config.json asks for more layers than the weights hold, or for fewer.

    `from_pretrained` builds the model by the config, loads what there is and starts the layers
    that are missing with random numbers; layers too many are left out. Both is told in a table of
    the log only.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "num_hidden_layers": 3},
                "tensors": {
                    "encoder.layer.0.output.dense.weight": ("F32", (768, 3072)),
                    "encoder.layer.1.output.dense.weight": ("F32", (768, 3072)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "num_hidden_layers": 2},
                "tensors": {
                    "encoder.layer.0.output.dense.weight": ("F32", (768, 3072)),
                    "encoder.layer.1.output.dense.weight": ("F32", (768, 3072)),
                },
            }
        }
    """
    if not against_config.plain(checkpoint):
        return
    config = checkpoint.config
    key = next((k for k in _KEYS if type(config.get(k)) is int), None)
    stacks = _stacks(checkpoint.tensors)
    if key is None or len(stacks) != 1 or config.get("is_encoder_decoder"):
        return  # of several stacks, which one the config counts is the family's way
    (stack, found), wanted = next(iter(stacks.items())), config[key]
    assert isinstance(wanted, int)
    missing = sorted(set(range(wanted)) - found)
    more = sorted(found - set(range(wanted + _extra(config.get("num_nextn_predict_layers")))))
    if not missing and not more:
        return
    odd, effect = (
        (missing, "are not in the weights and start with random numbers")
        if missing
        else (more, "are in the weights and are left out")
    )
    name = next(n for n in checkpoint.tensors if n.startswith(f"{stack}."))
    yield Finding(
        message=f"{key} in config.json is {wanted}, and the weights hold {len(found)} layers: "
        f"{stack}.{_listed(odd)} {effect}",
        where=_stored.place(_against_config.holder(checkpoint, name)),
        evidence={"key": key, "config": wanted, "stored": len(found), "layers": odd[:50]},
        remedy=f'take both from one save; these weights need "{key}": {len(found)}',
    )


def _stacks(names: Iterable[str]) -> dict[str, set[int]]:
    """Return the numbers of the layers in each stack."""
    stacks: dict[str, set[int]] = {}
    for name in names:
        match = _NUMBERED.match(name)
        if match and not re.search(r"\.\d+\.", f".{match[1] or ''}."):
            stack = f"{match[1]}.{match[2]}" if match[1] else match[2]
            stacks.setdefault(stack, set()).add(int(match[3]))
    return stacks


def _extra(number: object) -> int:
    """Return how many layers beyond the count the config allows for: those that look ahead."""
    return number if type(number) is int else 0


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (" and more" if len(numbers) > 5 else "")
