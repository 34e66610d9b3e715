"""Adapters of PEFT: which modules they are on, and whether they reach the tokens that are new."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.adapter_targets import AdapterTargets
from pipedoctor.facts.applied_adapter import AppliedAdapter
from pipedoctor.facts.model_files import ModelFiles
from pipedoctor.facts.new_tokens import NewTokens
from pipedoctor.frameworks.data.batches import Batches
from pipedoctor.frameworks.data.supervision import tokenizer_of
from pipedoctor.frameworks.loading.new import plain, untrained
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import to_numpy


@probe(AdapterTargets, Cost.MODEL, "model", user_code=True)
def adapter_targets(pipeline: Pipeline, _split: Split) -> AdapterTargets:
    """Count the modules that each stated name has matched in a model with an adapter."""
    model = pipeline.part("model")
    names = getattr(_config(model), "target_modules", None)
    if isinstance(names, str) or not names:
        raise Unavailable("the adapter's targets are not stated as a list of names")
    layers = [name for name, held in model.named_modules() if hasattr(held, "base_layer")]
    base = model.get_base_model()
    return AdapterTargets(
        model=type(base).__name__,
        matched={name: sum(_is(layer, name) for layer in layers) for name in sorted(names)},
        modules=_kinds(base),
    )


def _is(layer: str, name: str) -> bool:
    return layer == name or layer.endswith(f".{name}")


def _kinds(base: Any) -> dict[str, int]:
    """Return how many layers with a matrix of weights there are, by the last part of the name."""
    found: dict[str, int] = {}
    for name, held in base.named_modules():
        weight = getattr(getattr(held, "base_layer", held), "weight", None)
        inside = "lora_" in name or name.endswith("base_layer")
        if getattr(weight, "ndim", 0) == 2 and name and not inside:
            last = name.rpartition(".")[2]
            found[last] = found.get(last, 0) + 1
    return found


@probe(AppliedAdapter, Cost.MODEL, "model", user_code=True)
def applied_adapter(pipeline: Pipeline, _split: Split) -> AppliedAdapter:
    """Say what the adapter is meant for, and which random weights it leaves frozen."""
    whole = pipeline.part("model")
    config = _config(whole)
    base = whole.get_base_model()
    new = untrained(whole, base)
    matrices: dict[str, int] = {}
    frozen: dict[str, int] = {}
    for name, held in whole.named_parameters():
        layer = plain(name).rpartition(".")[0]
        if "lora_" in name or ".modules_to_save." in name or held.ndim < 2:
            continue
        matrices[layer] = held.numel()
        if name in new and not held.requires_grad:
            frozen[layer] = held.numel()
    last, inside = next(reversed(matrices), ""), getattr(base, "base_model_prefix", "")
    # What an adapter is on, or a copy of which is trained in its place, learns after all.
    trained = [plain(name) for name, held in whole.named_parameters() if held.requires_grad]
    kind, task = (getattr(config, key, None) for key in ("peft_type", "task_type"))
    return AppliedAdapter(
        kind=str(getattr(kind, "value", kind)),
        model=type(base).__name__,
        task=None if task is None else str(getattr(task, "value", task)),
        saved=tuple(getattr(config, "modules_to_save", None) or ()),
        untrained={
            layer: size
            for layer, size in frozen.items()
            if not any(name.startswith(f"{layer}.") for name in trained)
        },
        last=last if not inside or not last.startswith(f"{inside}.") else "",
        elements=sum(matrices.values()),
        drawn=sum(frozen.values()),
    )


def _config(model: Any) -> Any:
    configs = getattr(model, "peft_config", None)
    if not isinstance(configs, dict) or not configs or not hasattr(model, "get_base_model"):
        raise Unavailable("the model has no adapter of PEFT")
    return configs.get(getattr(model, "active_adapter", None), next(iter(configs.values())))


@probe(NewTokens, Cost.MODEL, "model", "train_data", user_code=True)
def new_tokens(pipeline: Pipeline, _split: Split) -> NewTokens:
    """Look for ids in the batches that the checkpoint's embedding has no row for."""
    import numpy as np

    stored = pipeline.fact(ModelFiles).number("vocab_size")
    whole = pipeline.part("model")
    base = whole.get_base_model() if hasattr(whole, "get_base_model") else whole
    embedding, head = base.get_input_embeddings(), base.get_output_embeddings()
    if embedding is None or head is None:
        raise Unavailable("the model has no embedding of tokens, or predicts none")
    tokenizer = tokenizer_of(pipeline)
    pad = getattr(tokenizer, "pad_token_id", None)
    met: dict[int, None] = {}
    rows: dict[int, None] = {}
    for one in pipeline.fact(Batches, Split.TRAIN).made:
        ids = to_numpy(one.arrays.get("input_ids"))
        if ids is None or ids.ndim != 2:
            raise Unavailable("the batch has no token ids")
        fresh = (ids >= stored) & (ids != pad)
        met |= dict.fromkeys(int(number) for number in np.unique(ids[fresh]))
        if len(ids) == len(one.rows):
            rows |= dict.fromkeys(one.rows[n] for n in np.flatnonzero(fresh.any(axis=1)))
    tied = bool(getattr(base.config.get_text_config(), "tie_word_embeddings", False))
    trains = _trains(embedding)
    names = {id(held): name for name, held in base.named_modules()}
    layers = [names.get(id(held), "").rpartition(".")[2] for held in (embedding, head)]
    return NewTokens(
        names={number: _name(tokenizer, number) for number in sorted(met)},
        rows=tuple(sorted(rows)),
        stored=stored,
        embedding=trains,
        head=_trains(head) or (tied and trains),
        layers=tuple(dict.fromkeys(layers[:1] if tied else layers)),
    )


def _trains(module: Any) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters())


def _name(tokenizer: Any, number: int) -> str:
    told = tokenizer.convert_ids_to_tokens(number) if tokenizer is not None else None
    return str(told) if told is not None else str(number)
