"""The frame of a batch: names, shapes and types, to be filled out for any number of rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probes.feeding import DEFAULT_BATCH

LONGEST = 2048
"""Without data, the length is what the model has positions for, and at most this."""

SIDE = 224

POSITIONS = re.compile(r"position|wpe")
"""Tables of positions are called so."""


@dataclass(frozen=True)
class Frame:
    """
    A batch without its values: shapes by name, with "rows" and "length" for the dimensions.

    `length` is the longest sequence met, `usual` that of the first batch; None without any.
    """

    arrays: Mapping[str, tuple[tuple[Any, ...], Any]]
    others: Mapping[str, Any]
    length: int | None
    usual: int | None
    note: str = ""

    def made(self, rows: int, length: int | None = None) -> dict[str, Any]:
        """Return a batch of so many rows; to be called where tensors have no values."""
        import torch

        sizes = {"rows": rows, "length": length or self.length}
        return dict(self.others) | {
            name: torch.empty([sizes.get(d, d) for d in shape], dtype=dtype)
            for name, (shape, dtype) in self.arrays.items()
        }


def frame(pipeline: Pipeline, model: Any, wished: int | None, split: Split = Split.TRAIN) -> Frame:
    """
    Return the frame of the batches of a split, else one that is made up for the model.

    Raises:
        Unavailable: There is no data, and nothing can be made up.

    """
    positions = _positions(model)
    if wished and positions and wished > positions:
        raise Unavailable(
            f"rows of {wished:,} tokens are wished for, and {type(model).__name__} has "
            f"{positions:,} positions"
        )
    if f"{split.value}_data" in pipeline.parts:
        try:
            return _real(pipeline.fact(Batches, split), model, wished)
        except (Unavailable, ProbeFailed) as reason:
            return _made_up(model, wished, f"the data can't be read here ({reason})")
    return _made_up(model, wished, "no data is given")


def _positions(model: Any) -> int | None:
    """Return how many positions a model has a table of; None where it has none, as with RoPE."""
    import torch

    config = getattr(model, "config", None)
    names = ("max_position_embeddings", "n_positions")
    limit = next((n for n in (getattr(config, name, None) for name in names) if n), None)
    tables = (
        module.num_embeddings
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding) and POSITIONS.search(name)
    )
    return limit if isinstance(limit, int) and any(n >= limit for n in tables) else None


def _real(batches: Batches, model: Any, wished: int | None) -> Frame:
    import torch

    first: Any = batches.made[0]
    lengths = [_length(one.arrays) for one in batches.made]
    length = max((found for found in lengths if found is not None), default=None)
    longest: Any = batches.made[lengths.index(length)] if length is not None else first
    rows = len(longest.rows)
    arrays: dict[str, tuple[tuple[Any, ...], Any]] = {}
    others: dict[str, Any] = {}
    for name, value in longest.arrays.items():
        if not isinstance(value, torch.Tensor):
            others[name] = value
            continue
        shape: list[Any] = list(value.shape)
        first_is_rows = bool(shape) and shape[0] == rows
        for place, size in enumerate(shape):
            if place == 0 and first_is_rows:
                shape[place] = "rows"
            elif size == length and not value.is_floating_point():
                shape[place] = "length"
        arrays[name] = (tuple(shape), value.dtype)
    # Rows of one length are never padded; the longest alone are not either, but a batch that has
    # them and others will be.
    alike = len(set(lengths)) == 1
    if alike and _never_padded(batches) and _skips_full_masks(model):
        arrays.pop("attention_mask", None)
    return Frame(arrays, others, wished or length, lengths[0])


def _length(arrays: Mapping[str, Any]) -> int | None:
    ids: Any = arrays.get("input_ids")
    return int(ids.shape[1]) if getattr(ids, "ndim", 0) == 2 else None


def _never_padded(batches: Batches) -> bool:
    masks = [one.arrays.get("attention_mask") for one in batches.made]
    return all(mask is not None and bool((mask != 0).all()) for mask in masks)


def _skips_full_masks(model: Any) -> bool:
    """Whether attention runs without a mask where it would hide nothing; but it looks at values."""
    chosen = getattr(getattr(model, "config", None), "_attn_implementation", None)
    return chosen is not None and chosen != "eager"


def _made_up(model: Any, wished: int | None, why: str) -> Frame:
    import inspect

    import torch

    config = getattr(model, "config", None)
    if config is None:
        raise Unavailable(f"{why}, and what {type(model).__name__} takes is not known")
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    taken = inspect.signature(inner.forward).parameters
    name = getattr(inner, "main_input_name", "input_ids")
    labels = _labels(inner, config)
    if name == "pixel_values":
        side = getattr(config, "image_size", None) or SIDE
        side = tuple(side) if isinstance(side, (list, tuple)) else (side, side)
        channels = getattr(config, "num_channels", 3)
        arrays: dict[str, Any] = {name: (("rows", channels, *side), torch.float32)}
        length = None
    elif name == "input_features" and hasattr(config, "max_source_positions"):
        # Whisper takes two frames for each position of its encoder.
        sizes = config.num_mel_bins, 2 * config.max_source_positions
        arrays = {name: (("rows", *sizes), torch.float32)}
        length = wished or getattr(config, "max_target_positions", 448)
    elif name == "input_ids":
        limit = getattr(config, "max_position_embeddings", None) or getattr(
            config, "n_positions", None
        )
        length = wished or min(limit if isinstance(limit, int) else 512, LONGEST)
        arrays = {name: (("rows", "length"), torch.int64)}
    else:
        raise Unavailable(f"{why}, and {name} of {type(model).__name__} can't be made up")
    if "labels" in taken and labels is not None:
        arrays["labels"] = labels
    told = "" if length is None else f": rows of {length:,} tokens are made up (--length)"
    return Frame(arrays, {}, length, length, f"{why}{told}")


def _labels(model: Any, config: Any) -> Any:
    import torch

    name = type(model).__name__
    count = getattr(config, "num_labels", 2)
    problem = getattr(config, "problem_type", None)
    if "SequenceClassification" in name or "ImageClassification" in name:
        if problem == "multi_label_classification":
            return ("rows", count), torch.float32
        return ("rows",), torch.float32 if count == 1 else torch.int64
    if any(kind in name for kind in ("LM", "TokenClassification", "ConditionalGeneration")):
        return ("rows", "length"), torch.int64
    return None


def rows_of(
    settings: Any,
    wished: int | None,
    used: int | None = None,
    name: str = "per_device_train_batch_size",
) -> int:
    """
    Return the rows of a batch on one device, as the user wishes or the settings state by a name.

    No batch has more than are `used`, which is what the data has.

    Raises:
        Unavailable: A batch is stated that can't be.

    """
    stated: Any = settings.get(name) if settings is not None else None
    if wished:
        return wished
    whole = isinstance(stated, int) and not isinstance(stated, bool)
    if whole and stated < 1:
        raise Unavailable(f"{name} is {stated:,}: no batch has so many rows")
    rows = int(stated) if whole else DEFAULT_BATCH
    return min(rows, used) if used else rows
