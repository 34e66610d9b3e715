"""
The facts, one a file.

A check imports the ones it needs from here: `from pipedoctor.facts import Labels, Settings`.
Each is imported when it is first asked for, so that a check of the settings does not pay for
the others.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipedoctor.facts.arguments import Argument, Arguments
    from pipedoctor.facts.batch import Array, Batch
    from pipedoctor.facts.checkpoint_plan import CheckpointPlan
    from pipedoctor.facts.collator import Collator
    from pipedoctor.facts.columns import Columns
    from pipedoctor.facts.deadline import Deadline
    from pipedoctor.facts.disk import Disk
    from pipedoctor.facts.environment import Environment
    from pipedoctor.facts.evaluation import Evaluation
    from pipedoctor.facts.forward import Forward
    from pipedoctor.facts.head import Head
    from pipedoctor.facts.labels import Labels
    from pipedoctor.facts.model import Model, Parameter
    from pipedoctor.facts.model_files import ModelFiles, Tensor
    from pipedoctor.facts.named_files import NamedFiles
    from pipedoctor.facts.rows import Rows
    from pipedoctor.facts.samples import Samples
    from pipedoctor.facts.save_dry_run import SaveDryRun
    from pipedoctor.facts.schedule import Marks, Schedule
    from pipedoctor.facts.settings import Settings
    from pipedoctor.facts.tokenizer import Tokenizer
    from pipedoctor.facts.trainings import Trainings

MODULES = {
    "Argument": "arguments",
    "Arguments": "arguments",
    "Array": "batch",
    "Batch": "batch",
    "CheckpointPlan": "checkpoint_plan",
    "Collator": "collator",
    "Columns": "columns",
    "Deadline": "deadline",
    "Disk": "disk",
    "Environment": "environment",
    "Evaluation": "evaluation",
    "Forward": "forward",
    "Head": "head",
    "Labels": "labels",
    "Marks": "schedule",
    "Model": "model",
    "ModelFiles": "model_files",
    "NamedFiles": "named_files",
    "Parameter": "model",
    "Rows": "rows",
    "Samples": "samples",
    "SaveDryRun": "save_dry_run",
    "Schedule": "schedule",
    "Settings": "settings",
    "Tensor": "model_files",
    "Tokenizer": "tokenizer",
    "Trainings": "trainings",
}

__all__ = [
    "Argument",
    "Arguments",
    "Array",
    "Batch",
    "CheckpointPlan",
    "Collator",
    "Columns",
    "Deadline",
    "Disk",
    "Environment",
    "Evaluation",
    "Forward",
    "Head",
    "Labels",
    "Marks",
    "Model",
    "ModelFiles",
    "NamedFiles",
    "Parameter",
    "Rows",
    "Samples",
    "SaveDryRun",
    "Schedule",
    "Settings",
    "Tensor",
    "Tokenizer",
    "Trainings",
]


def __getattr__(name: str) -> Any:
    """Import a fact when it is first asked for."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    globals()[name] = value
    return value
