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
    from pipedoctor.facts.accumulated import Accumulated
    from pipedoctor.facts.adapter_targets import AdapterTargets
    from pipedoctor.facts.answers import Answers
    from pipedoctor.facts.applied_adapter import AppliedAdapter
    from pipedoctor.facts.arguments import Argument, Arguments
    from pipedoctor.facts.batch import Array, Batch
    from pipedoctor.facts.blind_rows import BlindRows
    from pipedoctor.facts.callbacks import Callbacks, EarlyStopping
    from pipedoctor.facts.chat_template import ChatTemplate
    from pipedoctor.facts.checkpoint import Checkpoint, StoredFile
    from pipedoctor.facts.checkpoint_plan import CheckpointPlan
    from pipedoctor.facts.collator import Collator
    from pipedoctor.facts.columns import Columns
    from pipedoctor.facts.companions import Companions, Statement
    from pipedoctor.facts.compiled import Compiled, OutputLoss
    from pipedoctor.facts.cuda import Cuda, Device
    from pipedoctor.facts.deadline import Deadline
    from pipedoctor.facts.disk import Disk
    from pipedoctor.facts.distribution import Distribution
    from pipedoctor.facts.duplicates import Duplicates
    from pipedoctor.facts.end_token import EndToken
    from pipedoctor.facts.environment import Environment
    from pipedoctor.facts.evaluation import Evaluation
    from pipedoctor.facts.features import Feature, Features
    from pipedoctor.facts.fit import Fit, FitCallback
    from pipedoctor.facts.forward import Forward
    from pipedoctor.facts.generation import Generation
    from pipedoctor.facts.gpus import Gpu, Gpus, Holder
    from pipedoctor.facts.gradients import Gradient, Gradients, Stranger
    from pipedoctor.facts.head import Head
    from pipedoctor.facts.hub_home import HubHome
    from pipedoctor.facts.ignore_comments import IgnoreComments, UselessComment
    from pipedoctor.facts.inputs import Input, Inputs
    from pipedoctor.facts.kept_predictions import KeptPredictions
    from pipedoctor.facts.label_order import LabelOrder
    from pipedoctor.facts.label_shift import LabelShift
    from pipedoctor.facts.label_tokens import LabelTokens
    from pipedoctor.facts.labels import Labels
    from pipedoctor.facts.layers import Layer, Layers, Weight
    from pipedoctor.facts.learnability import Learnability, Score
    from pipedoctor.facts.learning_rate import LearningRate
    from pipedoctor.facts.lengths import Lengths
    from pipedoctor.facts.live_steps import LiveSteps
    from pipedoctor.facts.loaded_states import LoadedStates, StateLoad
    from pipedoctor.facts.loading import Loading, Way
    from pipedoctor.facts.loop import Loop, LoopStep, Mode, Pace, Stepper, Term
    from pipedoctor.facts.machine import Machine, Room
    from pipedoctor.facts.masks import Masked, Masks
    from pipedoctor.facts.memory_plan import Evaluated, Held, MemoryPlan, Remedy
    from pipedoctor.facts.mixed_types import MixedTypes
    from pipedoctor.facts.mixing import MixedBatch, Mixing
    from pipedoctor.facts.model import Model, Parameter
    from pipedoctor.facts.model_files import ModelFiles, Tensor
    from pipedoctor.facts.named_files import NamedFiles
    from pipedoctor.facts.named_gpu import NamedGpu
    from pipedoctor.facts.new_tokens import NewTokens
    from pipedoctor.facts.optimizer import Group, Optimizer
    from pipedoctor.facts.outputs import Output, Outputs, Targets
    from pipedoctor.facts.overfit import Curve, Overfit, Reason
    from pipedoctor.facts.packages import Conflict, Copies, Packages
    from pipedoctor.facts.packing import Packing
    from pipedoctor.facts.peft_config import PeftConfig
    from pipedoctor.facts.predictions import Predictions
    from pipedoctor.facts.preview import Preview
    from pipedoctor.facts.range_test import Point, RangeTest, Trial
    from pipedoctor.facts.reading import Reading
    from pipedoctor.facts.recoded import Recoded
    from pipedoctor.facts.rehearsal import Rehearsal
    from pipedoctor.facts.reload import Reload
    from pipedoctor.facts.replicas import Replicas
    from pipedoctor.facts.restored import Restored, StoredGroup
    from pipedoctor.facts.resumable import Resumable
    from pipedoctor.facts.resume import Resume
    from pipedoctor.facts.retention import Retention
    from pipedoctor.facts.rows import Rows
    from pipedoctor.facts.run_folder import RunFolder, Saved
    from pipedoctor.facts.samples import Samples
    from pipedoctor.facts.save_dry_run import SaveDryRun
    from pipedoctor.facts.saved_steps import SavedSteps
    from pipedoctor.facts.saved_values import Elements, SavedValues
    from pipedoctor.facts.schedule import Marks, Schedule
    from pipedoctor.facts.script import Call, Script, Value
    from pipedoctor.facts.settings import Settings
    from pipedoctor.facts.short_runs import ShortRuns
    from pipedoctor.facts.signatures import Signature, Signatures
    from pipedoctor.facts.step import Move, Step
    from pipedoctor.facts.supervision import Supervision, TaughtRow
    from pipedoctor.facts.timeline import Timeline
    from pipedoctor.facts.token_rows import Those, TokenRows
    from pipedoctor.facts.tokenizer import Tokenizer
    from pipedoctor.facts.trace import Birth, Trace
    from pipedoctor.facts.trainings import Trainings
    from pipedoctor.facts.transform import Transform
    from pipedoctor.facts.tried_imports import Tried, TriedImports
    from pipedoctor.facts.updates import Updates
    from pipedoctor.facts.usual_rates import UsualRates
    from pipedoctor.facts.weights import Spoilt, Weights
    from pipedoctor.facts.wish import Wish

MODULES = {
    "Accumulated": "accumulated",
    "AdapterTargets": "adapter_targets",
    "Answers": "answers",
    "AppliedAdapter": "applied_adapter",
    "Argument": "arguments",
    "Arguments": "arguments",
    "Array": "batch",
    "Batch": "batch",
    "Birth": "trace",
    "BlindRows": "blind_rows",
    "Call": "script",
    "Callbacks": "callbacks",
    "ChatTemplate": "chat_template",
    "Checkpoint": "checkpoint",
    "CheckpointPlan": "checkpoint_plan",
    "Collator": "collator",
    "Columns": "columns",
    "Companions": "companions",
    "Compiled": "compiled",
    "Conflict": "packages",
    "Copies": "packages",
    "Cuda": "cuda",
    "Curve": "overfit",
    "Deadline": "deadline",
    "Device": "cuda",
    "Disk": "disk",
    "Distribution": "distribution",
    "Duplicates": "duplicates",
    "EarlyStopping": "callbacks",
    "Elements": "saved_values",
    "EndToken": "end_token",
    "Environment": "environment",
    "Evaluated": "memory_plan",
    "Evaluation": "evaluation",
    "Feature": "features",
    "Features": "features",
    "Fit": "fit",
    "FitCallback": "fit",
    "Forward": "forward",
    "Generation": "generation",
    "Gpu": "gpus",
    "Gpus": "gpus",
    "Gradient": "gradients",
    "Gradients": "gradients",
    "Group": "optimizer",
    "Head": "head",
    "Held": "memory_plan",
    "Holder": "gpus",
    "HubHome": "hub_home",
    "IgnoreComments": "ignore_comments",
    "Input": "inputs",
    "Inputs": "inputs",
    "KeptPredictions": "kept_predictions",
    "LabelOrder": "label_order",
    "LabelShift": "label_shift",
    "LabelTokens": "label_tokens",
    "Labels": "labels",
    "Layer": "layers",
    "Layers": "layers",
    "Learnability": "learnability",
    "LearningRate": "learning_rate",
    "Lengths": "lengths",
    "LiveSteps": "live_steps",
    "LoadedStates": "loaded_states",
    "Loading": "loading",
    "Loop": "loop",
    "LoopStep": "loop",
    "Machine": "machine",
    "Marks": "schedule",
    "Masked": "masks",
    "Masks": "masks",
    "MemoryPlan": "memory_plan",
    "NamedGpu": "named_gpu",
    "MixedBatch": "mixing",
    "MixedTypes": "mixed_types",
    "Mixing": "mixing",
    "Mode": "loop",
    "Model": "model",
    "ModelFiles": "model_files",
    "Move": "step",
    "NamedFiles": "named_files",
    "NewTokens": "new_tokens",
    "Optimizer": "optimizer",
    "Output": "outputs",
    "OutputLoss": "compiled",
    "Outputs": "outputs",
    "Overfit": "overfit",
    "Pace": "loop",
    "Packages": "packages",
    "Packing": "packing",
    "Parameter": "model",
    "PeftConfig": "peft_config",
    "Point": "range_test",
    "Predictions": "predictions",
    "Preview": "preview",
    "RangeTest": "range_test",
    "Reading": "reading",
    "Reason": "overfit",
    "Recoded": "recoded",
    "Rehearsal": "rehearsal",
    "Reload": "reload",
    "Remedy": "memory_plan",
    "Replicas": "replicas",
    "Restored": "restored",
    "Resumable": "resumable",
    "Resume": "resume",
    "Retention": "retention",
    "Room": "machine",
    "Rows": "rows",
    "RunFolder": "run_folder",
    "Samples": "samples",
    "SaveDryRun": "save_dry_run",
    "Saved": "run_folder",
    "SavedSteps": "saved_steps",
    "SavedValues": "saved_values",
    "Schedule": "schedule",
    "Score": "learnability",
    "Script": "script",
    "Settings": "settings",
    "ShortRuns": "short_runs",
    "Signature": "signatures",
    "Signatures": "signatures",
    "Spoilt": "weights",
    "SpoiltLabels": "spoilt_labels",
    "StateLoad": "loaded_states",
    "Statement": "companions",
    "Step": "step",
    "Stepper": "loop",
    "StoredFile": "checkpoint",
    "StoredGroup": "restored",
    "Stranger": "gradients",
    "Supervision": "supervision",
    "Targets": "outputs",
    "TaughtRow": "supervision",
    "Tensor": "model_files",
    "Term": "loop",
    "Those": "token_rows",
    "Timeline": "timeline",
    "TokenRows": "token_rows",
    "Tokenizer": "tokenizer",
    "Trace": "trace",
    "Trainings": "trainings",
    "Transform": "transform",
    "Trial": "range_test",
    "Tried": "tried_imports",
    "TriedImports": "tried_imports",
    "Updates": "updates",
    "UselessComment": "ignore_comments",
    "UsualRates": "usual_rates",
    "Value": "script",
    "Way": "loading",
    "Weight": "layers",
    "Weights": "weights",
    "Wish": "wish",
}

__all__ = [
    "Accumulated",
    "AdapterTargets",
    "Answers",
    "AppliedAdapter",
    "Argument",
    "Arguments",
    "Array",
    "Batch",
    "Birth",
    "BlindRows",
    "Call",
    "Callbacks",
    "ChatTemplate",
    "Checkpoint",
    "CheckpointPlan",
    "Collator",
    "Columns",
    "Companions",
    "Compiled",
    "Conflict",
    "Copies",
    "Cuda",
    "Curve",
    "Deadline",
    "Device",
    "Disk",
    "Distribution",
    "Duplicates",
    "EarlyStopping",
    "Elements",
    "EndToken",
    "Environment",
    "Evaluated",
    "Evaluation",
    "Feature",
    "Features",
    "Fit",
    "FitCallback",
    "Forward",
    "Generation",
    "Gpu",
    "Gpus",
    "Gradient",
    "Gradients",
    "Group",
    "Head",
    "Held",
    "Holder",
    "HubHome",
    "IgnoreComments",
    "Input",
    "Inputs",
    "KeptPredictions",
    "LabelOrder",
    "LabelShift",
    "LabelTokens",
    "Labels",
    "Layer",
    "Layers",
    "Learnability",
    "LearningRate",
    "Lengths",
    "LiveSteps",
    "LoadedStates",
    "Loading",
    "Loop",
    "LoopStep",
    "Machine",
    "Marks",
    "Masked",
    "Masks",
    "MemoryPlan",
    "MixedBatch",
    "MixedTypes",
    "Mixing",
    "Mode",
    "Model",
    "ModelFiles",
    "Move",
    "NamedFiles",
    "NamedGpu",
    "NewTokens",
    "Optimizer",
    "Output",
    "OutputLoss",
    "Outputs",
    "Overfit",
    "Pace",
    "Packages",
    "Packing",
    "Parameter",
    "PeftConfig",
    "Point",
    "Predictions",
    "Preview",
    "RangeTest",
    "Reading",
    "Reason",
    "Recoded",
    "Rehearsal",
    "Reload",
    "Remedy",
    "Replicas",
    "Restored",
    "Resumable",
    "Resume",
    "Retention",
    "Room",
    "Rows",
    "RunFolder",
    "Samples",
    "SaveDryRun",
    "Saved",
    "SavedSteps",
    "SavedValues",
    "Schedule",
    "Score",
    "Script",
    "Settings",
    "ShortRuns",
    "Signature",
    "Signatures",
    "Spoilt",
    "SpoiltLabels",
    "StateLoad",
    "Statement",
    "Step",
    "Stepper",
    "StoredFile",
    "StoredGroup",
    "Stranger",
    "Supervision",
    "Targets",
    "TaughtRow",
    "Tensor",
    "Term",
    "Those",
    "Timeline",
    "TokenRows",
    "Tokenizer",
    "Trace",
    "Trainings",
    "Transform",
    "Trial",
    "Tried",
    "TriedImports",
    "Updates",
    "UselessComment",
    "UsualRates",
    "Value",
    "Way",
    "Weight",
    "Weights",
    "Wish",
]


def __getattr__(name: str) -> Any:
    """Import a fact when it is first asked for."""
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    globals()[name] = value
    return value
