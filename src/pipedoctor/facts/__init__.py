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
    from pipedoctor.facts.callbacks import Callbacks, EarlyStopping
    from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
    from pipedoctor.facts.checkpoint_plan import CheckpointPlan
    from pipedoctor.facts.collator import Collator
    from pipedoctor.facts.columns import Columns
    from pipedoctor.facts.companions import Companions, Statement
    from pipedoctor.facts.deadline import Deadline
    from pipedoctor.facts.disk import Disk
    from pipedoctor.facts.distribution import Distribution
    from pipedoctor.facts.end_token import EndToken
    from pipedoctor.facts.environment import Environment
    from pipedoctor.facts.evaluation import Evaluation
    from pipedoctor.facts.forward import Forward
    from pipedoctor.facts.generation import Generation
    from pipedoctor.facts.gradients import Gradient, Gradients, Stranger
    from pipedoctor.facts.head import Head
    from pipedoctor.facts.ignore_comments import IgnoreComments, UselessComment
    from pipedoctor.facts.kept_predictions import KeptPredictions
    from pipedoctor.facts.label_tokens import LabelTokens
    from pipedoctor.facts.labels import Labels
    from pipedoctor.facts.learning_rate import LearningRate
    from pipedoctor.facts.loading import Loading, Way
    from pipedoctor.facts.memory_plan import Held, MemoryPlan, Remedy
    from pipedoctor.facts.model import Model, Parameter
    from pipedoctor.facts.model_files import ModelFiles, Tensor
    from pipedoctor.facts.named_files import NamedFiles
    from pipedoctor.facts.optimizer import Group, Optimizer
    from pipedoctor.facts.predictions import Predictions
    from pipedoctor.facts.preview import Preview
    from pipedoctor.facts.reading import Reading
    from pipedoctor.facts.rehearsal import Rehearsal
    from pipedoctor.facts.restored import Restored, StoredGroup
    from pipedoctor.facts.resumable import Resumable
    from pipedoctor.facts.resume import Resume
    from pipedoctor.facts.retention import Retention
    from pipedoctor.facts.rows import Rows
    from pipedoctor.facts.run_folder import RunFolder, Saved
    from pipedoctor.facts.samples import Samples
    from pipedoctor.facts.save_dry_run import SaveDryRun
    from pipedoctor.facts.saved_values import Elements, SavedValues
    from pipedoctor.facts.schedule import Marks, Schedule
    from pipedoctor.facts.script import Call, Script, Value
    from pipedoctor.facts.settings import Settings
    from pipedoctor.facts.signatures import Signature, Signatures
    from pipedoctor.facts.timeline import Timeline
    from pipedoctor.facts.tokenizer import Tokenizer
    from pipedoctor.facts.trace import Birth, Trace
    from pipedoctor.facts.trainings import Trainings
    from pipedoctor.facts.transform import Transform
    from pipedoctor.facts.wish import Wish

MODULES = {
    "Argument": "arguments",
    "Arguments": "arguments",
    "Array": "batch",
    "Batch": "batch",
    "Callbacks": "callbacks",
    "Birth": "trace",
    "Call": "script",
    "Checkpoint": "checkpoint",
    "CheckpointPlan": "checkpoint_plan",
    "Collator": "collator",
    "Columns": "columns",
    "Companions": "companions",
    "Deadline": "deadline",
    "Disk": "disk",
    "Distribution": "distribution",
    "EarlyStopping": "callbacks",
    "Elements": "saved_values",
    "EndToken": "end_token",
    "Environment": "environment",
    "Evaluation": "evaluation",
    "Forward": "forward",
    "Generation": "generation",
    "Gradient": "gradients",
    "Gradients": "gradients",
    "Group": "optimizer",
    "Head": "head",
    "Held": "memory_plan",
    "IgnoreComments": "ignore_comments",
    "KeptPredictions": "kept_predictions",
    "LabelTokens": "label_tokens",
    "Labels": "labels",
    "LearningRate": "learning_rate",
    "Loading": "loading",
    "Marks": "schedule",
    "MemoryPlan": "memory_plan",
    "Model": "model",
    "ModelFiles": "model_files",
    "NamedFiles": "named_files",
    "Optimizer": "optimizer",
    "Parameter": "model",
    "Predictions": "predictions",
    "Preview": "preview",
    "Reading": "reading",
    "Remedy": "memory_plan",
    "Rehearsal": "rehearsal",
    "Restored": "restored",
    "Resumable": "resumable",
    "Resume": "resume",
    "Retention": "retention",
    "Rows": "rows",
    "RunFolder": "run_folder",
    "Samples": "samples",
    "SaveDryRun": "save_dry_run",
    "Saved": "run_folder",
    "SavedValues": "saved_values",
    "Schedule": "schedule",
    "Script": "script",
    "Settings": "settings",
    "Statement": "companions",
    "StoredFile": "checkpoint",
    "StoredGroup": "restored",
    "Signature": "signatures",
    "Signatures": "signatures",
    "Stranger": "gradients",
    "Tensor": "model_files",
    "Timeline": "timeline",
    "Tokenizer": "tokenizer",
    "Trace": "trace",
    "Trainings": "trainings",
    "Value": "script",
    "Way": "loading",
    "Wish": "wish",
    "Transform": "transform",
    "UselessComment": "ignore_comments",
}

__all__ = [
    "Argument",
    "Arguments",
    "Array",
    "Batch",
    "Birth",
    "Call",
    "Callbacks",
    "Checkpoint",
    "CheckpointPlan",
    "Collator",
    "Columns",
    "Companions",
    "Deadline",
    "Disk",
    "Distribution",
    "EarlyStopping",
    "Elements",
    "EndToken",
    "Environment",
    "Evaluation",
    "Forward",
    "Generation",
    "Gradient",
    "Gradients",
    "Group",
    "Head",
    "Held",
    "IgnoreComments",
    "KeptPredictions",
    "LabelTokens",
    "Labels",
    "LearningRate",
    "Loading",
    "Marks",
    "MemoryPlan",
    "Model",
    "ModelFiles",
    "NamedFiles",
    "Optimizer",
    "Parameter",
    "Predictions",
    "Preview",
    "Reading",
    "Rehearsal",
    "Remedy",
    "Restored",
    "Resumable",
    "Resume",
    "Retention",
    "Rows",
    "RunFolder",
    "Samples",
    "SaveDryRun",
    "Saved",
    "SavedValues",
    "Schedule",
    "Script",
    "Settings",
    "Signature",
    "Signatures",
    "Statement",
    "StoredFile",
    "StoredGroup",
    "Stranger",
    "Tensor",
    "Timeline",
    "Tokenizer",
    "Trace",
    "Trainings",
    "Transform",
    "UselessComment",
    "Value",
    "Way",
    "Wish",
]


def __getattr__(name: str) -> Any:
    """Import a fact when it is first asked for."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    globals()[name] = value
    return value
