"""How rows reach the model: which columns are dropped, what collates, what Trainer aligns."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import UNKNOWN, Split, Unavailable
from pipedoctor.facts.model import Model
from pipedoctor.frameworks.data.loaders import own_loader
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import habits
from pipedoctor.probes.feeding import filtered


@dataclass(frozen=True)
class Feed:
    """
    What rows are taken from and collated by.

    `usual` is false where the trainer makes its data loader in a way of its own; then `collate`
    is that loader's, and whatever columns it drops are dropped already.
    """

    data: Any
    collate: Callable[[list[Any]], Any] | None = None
    usual: bool = True


def feed(pipeline: Pipeline, split: Split) -> Feed:
    """
    Return where the rows of a split come from.

    Raises:
        Unavailable: There are none, or the trainer's own loader does not show what it reads.
        ProbeFailed: The trainer's own method raised.

    """
    own = own_loader(pipeline, split)
    if own is None or own.loader is None:
        return Feed(pipeline.data(split))
    data, collate = getattr(own.loader, "dataset", None), getattr(own.loader, "collate_fn", None)
    if data is None or collate is None:
        raise Unavailable(
            f"get_{split.value}_dataloader returns a {type(own.loader).__name__}, which does not "
            "show its rows without being drawn from"
        )
    return Feed(data, collate, usual=False)


def drops(pipeline: Pipeline, split: Split) -> Any:
    """Return whether columns that the model does not take are dropped from these rows."""
    return filtered(pipeline) if feed(pipeline, split).usual else False


def kept(pipeline: Pipeline, split: Split) -> tuple[str, ...] | None:
    """
    Return the names of the columns that are not dropped; None if all of them are kept.

    Raises:
        Unavailable: Nobody knows, for instance because there is no model.
        ProbeFailed: The model can't be loaded.

    """
    dropping = drops(pipeline, split)
    if dropping is UNKNOWN:
        raise Unavailable("whether unused columns are dropped is not known")
    if not dropping:
        return None
    return accepted(pipeline)


def accepted(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the columns that are kept for the model: as the trainer says, else its forward."""
    trainer = pipeline.parts.get("trainer")
    name = "_set_signature_columns_if_needed"
    method = getattr(type(trainer), name, None)
    if method is None or method.__module__ == "transformers.trainer":
        return pipeline.fact(Model).accepts
    twin = copy.copy(trainer)
    vars(twin)["_signature_columns"] = None
    getattr(twin, name)()
    return tuple(vars(twin)["_signature_columns"] or ())


def take_pad_token(pipeline: Pipeline, model: Any) -> None:
    """
    Write the tokenizer's pad token into the model's config, as Trainer does before it trains.

    To be used only where the config is put back afterwards.
    """
    import transformers

    tokenizer = pipeline.part("tokenizer") if "tokenizer" in pipeline.parts else None
    pad_id = getattr(tokenizer, "pad_token_id", None)
    config: Any = getattr(model, "config", None)
    aligned = habits.ALIGNS_TOKENS.known(transformers.__version__)
    if not aligned or pad_id is None or not hasattr(config, "get_text_config"):
        return
    # A config that holds another one for its text is left alone: that one would not be put back.
    if config.get_text_config() is config:
        config.pad_token_id = pad_id


def default_collator(pipeline: Pipeline) -> Any:
    """Return the collator that Trainer takes where none is given: it pads, given a tokenizer."""
    from transformers import (
        DataCollatorWithPadding,
        PreTrainedTokenizerBase,
        default_data_collator,
    )

    tokenizer = pipeline.part("tokenizer") if "tokenizer" in pipeline.parts else None
    if isinstance(tokenizer, PreTrainedTokenizerBase):
        return DataCollatorWithPadding(tokenizer)
    return default_data_collator


def collator(pipeline: Pipeline, split: Split) -> Any:
    """Return the function that makes batches: the loader's own, the one given, or the default."""
    own = feed(pipeline, split).collate
    if own is not None:
        return own
    given = "collator" in pipeline.parts
    return pipeline.part("collator") if given else default_collator(pipeline)
