"""How rows reach the model: which columns are dropped, what collates, what Trainer aligns."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts.model import Model
from pipedoctor.pipeline import Pipeline
from pipedoctor.probes import habits
from pipedoctor.probes.feeding import filtered


def kept(pipeline: Pipeline) -> tuple[str, ...] | None:
    """
    Return the names of the columns that are not dropped; None if all of them are kept.

    Raises:
        Unavailable: Nobody knows, for instance because there is no model.
        ProbeFailed: The model can't be loaded.

    """
    drops = filtered(pipeline)
    if drops is UNKNOWN:
        raise Unavailable("whether unused columns are dropped is not known")
    if not drops:
        return None
    return pipeline.fact(Model).accepts


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


def collator(pipeline: Pipeline) -> Any:
    """Return the function that makes batches, given or by default."""
    given = "collator" in pipeline.parts
    return pipeline.part("collator") if given else default_collator(pipeline)
