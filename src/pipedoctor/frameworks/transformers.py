"""What the objects of transformers tell: model, head, tokenizer, collator."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable, unknown
from pipedoctor.facts.collator import Collator
from pipedoctor.facts.evaluation import Evaluation
from pipedoctor.facts.head import Head
from pipedoctor.facts.model import Model
from pipedoctor.facts.rehearsal import Rehearsal
from pipedoctor.facts.settings import Settings
from pipedoctor.facts.tokenizer import Tokenizer
from pipedoctor.frameworks import heads, problems
from pipedoctor.frameworks.callbacks import callbacks
from pipedoctor.frameworks.capture.trainer import unpack, watched
from pipedoctor.frameworks.data import collators
from pipedoctor.frameworks.data.end_token import end_token
from pipedoctor.frameworks.data.feeding import default_collator
from pipedoctor.frameworks.data.loaders import loader
from pipedoctor.frameworks.data.supervision import supervision
from pipedoctor.frameworks.distributing import replicas
from pipedoctor.frameworks.evaluation.generation import generation
from pipedoctor.frameworks.loading.new import new_parameters
from pipedoctor.frameworks.torch import (
    accepted,
    adapter_targets,
    answers,
    batch,
    batches,
    blind_rows,
    distribution,
    forward,
    given,
    gradients,
    kept_predictions,
    label_names,
    learnability,
    learned,
    live_steps,
    made,
    masks,
    memory,
    mixed_batch,
    mixed_types,
    mixing,
    module,
    new_tokens,
    one_step,
    optimizer,
    overfit,
    packing,
    parameters,
    predictions,
    range_test,
    save,
    short_runs,
    spoilt_labels,
    trace,
    updates,
    usual_rates,
    weights,
)
from pipedoctor.frameworks.training.accumulation import accumulated
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

__all__ = [
    "accumulated",
    "adapter_targets",
    "answers",
    "batch",
    "batches",
    "blind_rows",
    "callbacks",
    "collator",
    "default",
    "distribution",
    "end_token",
    "evaluation_step",
    "forward",
    "generation",
    "given",
    "gradients",
    "head",
    "kept_predictions",
    "learnability",
    "learned",
    "live_steps",
    "loader",
    "made",
    "masks",
    "memory",
    "mixed_batch",
    "mixed_types",
    "mixing",
    "model",
    "new_tokens",
    "one_step",
    "optimizer",
    "overfit",
    "packing",
    "predictions",
    "range_test",
    "rehearsal",
    "replicas",
    "save",
    "short_runs",
    "spoilt_labels",
    "supervision",
    "tokenizer",
    "trace",
    "unpack",
    "updates",
    "usual_rates",
    "watched",
    "weights",
]

NO_LIMIT = 10**9
"""Tokenizers without a limit state one of 10**30; no model takes as much as this."""


@probe(Model, Cost.MODEL, "model", user_code=True)
def model(pipeline: Pipeline, _split: Split) -> Model:
    """Look at the model."""
    part, whole = pretrained(pipeline), module(pipeline)
    embedding = _embedding(part)
    return Model(
        name=type(whole).__name__,
        parameters=parameters(whole),
        accepts=accepted(part, _labels_of(pipeline, part)),
        new=new_parameters(part),
        embedding_rows=_embedding_rows(embedding),
        positions=_positions(part),
        pad_id=getattr(part.config, "pad_token_id", None),
        decoder_only=heads.is_decoder_only(part),
        label_names=label_names(part),
    )


@probe(Head, Cost.MODEL, "model", user_code=True)
def head(pipeline: Pipeline, _split: Split) -> Head:
    """Look at the head, and find out which loss it will compute, as it would itself."""
    part = pretrained(pipeline)
    count, per_token = heads.outputs(part)
    stated = getattr(part.config, "problem_type", None)
    problem, inferred = (stated, "") if stated else problems.inferred(pipeline, count, per_token)
    return Head(
        outputs=count,
        problem_type=problem,
        inferred=inferred,
        names=heads.names(part.config),
        new=_head_is_new(part),
        per_token=per_token,
        vocabulary=heads.over_vocabulary(part),
        origin=problems.origin(pipeline, part),
        casts=type(part).__name__.startswith("Deberta"),
    )


@probe(Tokenizer, Cost.MODEL, "tokenizer", user_code=True)
def tokenizer(pipeline: Pipeline, _split: Split) -> Tokenizer:
    """Look at the tokenizer."""
    from transformers import PreTrainedTokenizerBase

    part = pipeline.part("tokenizer")
    if not isinstance(part, PreTrainedTokenizerBase):
        raise Unavailable(f"the tokenizer is a {type(part).__name__}, not one of transformers")
    limit = part.model_max_length
    return Tokenizer(
        name=type(part).__name__,
        size=len(part),
        max_id=max(part.get_vocab().values(), default=UNKNOWN),
        pad_id=part.pad_token_id,
        max_length=int(limit) if limit is not None and limit < NO_LIMIT else None,
    )


@probe(Collator, Cost.MODEL, "collator", user_code=True)
def collator(pipeline: Pipeline, _split: Split) -> Collator:
    """Say what the collator does with rows of unequal length."""
    return collators.describe(pipeline.part("collator"))


@probe(Collator, Cost.MODEL, user_code=True)
def default(pipeline: Pipeline, _split: Split) -> Collator:
    """Say the same of the collator that Trainer takes where none is given."""
    if "collator" in pipeline.parts:
        raise Unavailable("a collator is given")
    return collators.describe(default_collator(pipeline))


def pretrained(pipeline: Pipeline) -> Any:
    """Return the model, if it is one of transformers; the one inside, where PEFT is around it."""
    from transformers import PreTrainedModel

    part = module(pipeline)
    if hasattr(part, "get_base_model"):
        part = part.get_base_model()
    if not isinstance(part, PreTrainedModel):
        raise Unavailable(f"the model is a {type(part).__name__}, not one of transformers")
    return part


def _labels_of(pipeline: Pipeline, part: Any) -> tuple[str, ...]:
    settings = pipeline.optional(Settings)
    stated = settings.get("label_names") if settings is not None else None
    return tuple(stated) if isinstance(stated, (list, tuple)) else label_names(part)


def _embedding(part: Any) -> Any:
    try:
        return part.get_input_embeddings()
    except NotImplementedError:  # a model of sound or images, which has none
        return None


def _embedding_rows(embedding: Any) -> Any:
    weight = getattr(embedding, "weight", None)
    return UNKNOWN if weight is None else int(weight.shape[0])


def _positions(part: Any) -> Any:
    try:
        return heads.positions(part)
    except Unavailable as reason:
        return unknown(str(reason))


def _head_is_new(part: Any) -> Any:
    """Whether parameters outside the base model are new; not known of a model loaded elsewhere."""
    new = new_parameters(part)
    if not isinstance(new, frozenset):
        return new
    base = f"{part.base_model_prefix}."
    return any(not name.startswith(base) for name in new)


@probe(Rehearsal, Cost.FORWARD, "model", "eval_data", user_code=True)
def evaluation_step(pipeline: Pipeline, _split: Split) -> Rehearsal:
    """Rehearse the evaluation: a few real rows, and the user's metrics function."""
    from pipedoctor.frameworks.evaluation.rehearsal import rehearse

    return rehearse(pipeline, module(pipeline))


@probe(Evaluation, Cost.FORWARD, "model", "eval_data", "metrics", user_code=True)
def rehearsal(pipeline: Pipeline, _split: Split) -> Evaluation:
    """Name what the rehearsed evaluation gives; raise what its metrics function raised."""
    from pipedoctor.frameworks.evaluation.rehearsal import evaluation

    return evaluation(pipeline)
