"""What the heads of transformers' models predict, by the auto class that a model belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Unavailable

PER_ROW = ("SEQUENCE_CLASSIFICATION", "IMAGE_CLASSIFICATION", "AUDIO_CLASSIFICATION")
PER_TOKEN = ("TOKEN_CLASSIFICATION",)
VOCABULARY = ("CAUSAL_LM", "MASKED_LM", "SEQ_TO_SEQ_CAUSAL_LM", "PRETRAINING")
"""Heads that predict tokens. Asked last: a class may stand in several lists."""


RELATIVE = (
    "rope_theta",
    "rope_parameters",
    "alibi",
    "relative_attention",
    "relative_attention_num_buckets",
)
"""Entries of a config that say: positions are computed, so no sequence is too long for them."""


def outputs(model: Any) -> tuple[int, bool]:
    """
    Return how many logits the model gives, and whether for each token or for each row.

    Raises:
        Unavailable: The model has no head that is known here.

    """
    from transformers.models.auto import modeling_auto

    name = type(model).__name__

    def among(kinds: tuple[str, ...]) -> bool:
        lists = (getattr(modeling_auto, f"MODEL_FOR_{kind}_MAPPING_NAMES", {}) for kind in kinds)
        return any(name in _flat(names) for names in lists)

    if among(PER_ROW):
        return int(model.config.num_labels), False
    if among(PER_TOKEN):
        return int(model.config.num_labels), True
    if among(VOCABULARY) and model.get_output_embeddings() is not None:
        return int(model.get_output_embeddings().weight.shape[0]), True
    raise Unavailable(f"{name} has no head whose outputs are known here")


def over_vocabulary(model: Any) -> bool:
    """Whether the head of a model with outputs predicts tokens, so that its labels are ids."""
    from transformers.models.auto import modeling_auto

    kinds = (*PER_ROW, *PER_TOKEN)
    lists = (getattr(modeling_auto, f"MODEL_FOR_{kind}_MAPPING_NAMES", {}) for kind in kinds)
    return all(type(model).__name__ not in _flat(names) for names in lists)


def _flat(names: Mapping[str, Any]) -> set[str]:
    return {
        name
        for value in names.values()
        for name in (value if isinstance(value, (tuple, list)) else (value,))
    }


def names(config: Any) -> dict[int, str]:
    """Return the names of the outputs, where they are more than LABEL_0, LABEL_1."""
    told = getattr(config, "id2label", None) or {}
    found = {int(place): str(name) for place, name in told.items()}
    plain = all(name == f"LABEL_{place}" for place, name in found.items())
    return {} if plain else found


def is_decoder_only(model: Any) -> bool:
    """Whether the model reads from left to right only, so that padding on the right matters."""
    from transformers.models.auto import modeling_auto

    config = model.config
    if getattr(config, "is_encoder_decoder", False):
        return False
    kind = getattr(config, "model_type", "")
    causal = kind in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    masked = kind in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return causal and (not masked or bool(getattr(config, "is_decoder", False)))


def positions(model: Any) -> int | None:
    """
    Return the longest sequence that the model has positions for; None if there is no limit.

    What counts is the table that the model really has. RoBERTa and its kin start to number
    behind the padding index, BART and its kin at an offset, so the last rows are out of reach.

    Raises:
        Unavailable: The model states a limit, but has no table that would show it.

    """
    import torch

    reach = [
        table.num_embeddings - _lost(table)
        for name, table in model.named_modules()
        if isinstance(table, torch.nn.Embedding) and _holds_positions(name)
    ]
    if reach:
        return int(min(reach))
    config = model.config
    relative = any(getattr(config, key, None) for key in RELATIVE)
    if relative or getattr(config, "max_position_embeddings", None) is None:
        return None
    raise Unavailable(f"{type(model).__name__} has no table of positions to measure")


def _holds_positions(name: str) -> bool:
    last = name.rpartition(".")[2]
    return ("position" in last or last == "wpe") and "vision" not in name and "visual" not in name


def _lost(table: Any) -> int:
    offset = int(getattr(table, "offset", 0))
    return offset or (0 if table.padding_idx is None else int(table.padding_idx) + 1)
