"""How long the texts are that a trainer generates when it evaluates."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.generation import Generation
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

DEFAULT = 20
"""So many new tokens `generate` makes where nobody says how many."""


@probe(Generation, Cost.MODEL, "model", "settings", user_code=True)
def generation(pipeline: Pipeline, _split: Split) -> Generation:
    """Look the limit up where `generate` would."""
    settings = pipeline.fact(Settings)
    if not settings.get("predict_with_generate"):
        raise Unavailable("the evaluation generates no text")
    if settings.script is not None:
        raise Unavailable(f"{settings.script} sets the length of generated texts by itself")
    model = pipeline.part("model")
    held = getattr(model, "generation_config", None)
    if held is None or not getattr(model.config, "is_encoder_decoder", False):
        raise Unavailable("the model is none that reads one text and writes another")
    if settings.get("generation_max_length") is not None:
        # The first of these tokens is the one that the decoder starts from.
        return Generation(settings.generation_max_length - 1, "generation_max_length")
    new, length = held.max_new_tokens, held.max_length
    if new is not None:
        return Generation(int(new), "generation_config.max_new_tokens")
    if length is not None and length != _default_length():
        return Generation(int(length) - 1, "generation_config.max_length")
    return Generation(DEFAULT)


def _default_length() -> Any:
    """Return the limit of a config in which nobody stated one: 20 once, None since release 5."""
    from transformers import GenerationConfig

    return GenerationConfig().max_length
