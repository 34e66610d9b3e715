"""Which problem a head of transformers infers for itself, and what has set its outputs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pipedoctor.capture import sites
from pipedoctor.fact import UNKNOWN, Split
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE
from pipedoctor.facts.labels import Labels
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.frameworks import heads
from pipedoctor.frameworks.data.source import Data
from pipedoctor.pipeline import Pipeline

_WRITTEN = re.compile(r"\bnum_labels\s*=\s*(\d+)\b")
NUMBERING = ("num_labels", "id2label", "label2id")
"""The arguments of a config that set the number of outputs."""


def inferred(pipeline: Pipeline, outputs: int, per_token: bool) -> tuple[Any, str]:
    """Return the problem type as the model will infer it, and what from."""
    if per_token:
        return SINGLE, "a head over tokens"
    if outputs == 1:
        return REGRESSION, "a head with 1 output"
    labels = pipeline.optional(Labels, Split.TRAIN)
    if labels is None or labels.kind in {"text", "other"}:
        return UNKNOWN, ""
    # The collators make int64 of one truth value a row, but leave lists of them as they are.
    whole = labels.kind == "int" or (labels.kind == "bool" and labels.width is None)
    told = f"{outputs} outputs and labels of type {labels.kind}"
    return (SINGLE if whole else MULTI), told


def origin(pipeline: Pipeline, part: Any) -> Location:
    """Return the place that sets the number of outputs."""
    settings = pipeline.optional(Settings)
    if settings is not None and settings.stated.get("num_labels") is not None:
        return settings.where("num_labels")
    site = sites.of(pipeline.parts, "model")
    if site is not None:
        otherwise = f"the config of {part.name_or_path or 'the model'}"
        return _stated_at(site, heads.outputs(part)[0], otherwise)
    data = pipeline.optional(Data, Split.TRAIN)
    prepared = data.source.prepared if data is not None and data.source is not None else None
    if prepared is not None and prepared.label is not None and prepared.label.numbers:
        return Location(key="num_labels", origin=f"derived from the labels of {prepared.file}")
    return Location(key="num_labels", origin=f"the config of {part.name_or_path or 'the model'}")


def _stated_at(site: sites.Site, outputs: int, otherwise: str) -> Location:
    """Return the keyword that sets the number of outputs, else the call that could have it."""
    for call in (site, site.config):
        if call is not None and any(name in call.keywords for name in NUMBERING):
            where = call.where(*NUMBERING)
            written = _WRITTEN.search(where.source or "")
            if written is not None and int(written[1]) != outputs:
                return replace(where, key="head", origin="replaced after this call")
            return replace(where, key="num_labels")
    return replace((site.config or site).place, key="num_labels", origin=otherwise)
