"""Saving a model as Trainer does at a checkpoint, into a folder that is thrown away."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.save_dry_run import SaveDryRun
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.loading.quiet import quiet
from pipedoctor.frameworks.restoring.restore import evaluating
from pipedoctor.pipeline import Pipeline

MOST = 4 << 30
"""A model of more bytes is not written for a try: that takes longer than the rest together."""


def dry_run(pipeline: Pipeline, model: Any) -> SaveDryRun:
    """Save the model, and say what was written; what saving raises, a checkpoint would raise."""
    settings = pipeline.optional(Settings)
    if settings is not None and settings.get("save_strategy") == "no":
        raise Unavailable("no checkpoint is saved in this run")
    size = sum(value.numel() * value.element_size() for value in model.state_dict().values())
    with tempfile.TemporaryDirectory() as folder:
        room = os.statvfs(folder)
        if size > MOST or 2 * size > room.f_bavail * room.f_frsize:
            raise Unavailable(f"the model has {size:,} bytes, too many to save for a try")
        with evaluating(model):
            _save(model, folder)
        written = {
            name: os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder)
        }
    if not any(name.endswith((".safetensors", ".bin")) for name in written):
        raise RuntimeError(f"saving wrote no weights, only {sorted(written)}")
    return SaveDryRun(written)


def _save(model: Any, folder: str) -> None:
    if hasattr(model, "save_pretrained"):  # of transformers or peft
        with quiet("transformers"):
            model.save_pretrained(folder)
        return
    from safetensors.torch import save_file

    save_file(model.state_dict(), os.path.join(folder, "model.safetensors"))
