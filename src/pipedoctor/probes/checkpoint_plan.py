"""What a run will put on the disk, by its schedule, its optimizer and the size of its model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Cost, OverBudget, Split, Unavailable, unknown
from pipedoctor.facts.checkpoint_plan import CheckpointPlan
from pipedoctor.facts.model import Model
from pipedoctor.facts.model_files import ModelFiles
from pipedoctor.facts.retention import Retention
from pipedoctor.facts.schedule import Schedule
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probe import probe
from pipedoctor.probes import habits, optimizers, safetensors
from pipedoctor.probes.values import guarded, whole

SMALL_FILES = 25_000
"""scheduler.pt, rng_state.pth, trainer_state.json, training_args.bin, config.json: measured."""

WIDTHS = {
    "float64": 8,
    "double": 8,
    "float32": 4,
    "float": 4,
    "float16": 2,
    "half": 2,
    "bfloat16": 2,
}
"""The bytes of one element, by the names that torch has for the types that models train in."""


@dataclass(frozen=True)
class Weights:
    """The tensors that a checkpoint holds: all of their bytes, and the shapes of the trained."""

    size: int
    trained: tuple[tuple[int, ...], ...]
    width: int
    besides: int = 0
    """The bytes of other files of the model, the tokenizer's."""
    built: bool = False
    """Whether the model itself was seen, which alone tells what is frozen."""


@probe(CheckpointPlan, Cost.FILES)
def checkpoint_plan(pipeline: Pipeline, _split: Split) -> CheckpointPlan:
    """Count the checkpoints, how many of them exist at a time, and what each of them takes."""
    settings = pipeline.fact(Settings)
    schedule = pipeline.fact(Schedule)
    weights, optimizer, each = _sizes(pipeline, settings)
    return CheckpointPlan(
        count=guarded(lambda: len(schedule.checkpoints)),
        peak=guarded(lambda: _retention(settings, schedule).peak),
        kept=guarded(lambda: _retention(settings, schedule).kept),
        retention=guarded(lambda: _retention(settings, schedule)),
        bytes_each=each,
        weights_bytes=weights,
        optimizer_bytes=optimizer,
    )


def _sizes(pipeline: Pipeline, settings: Settings) -> tuple[Any, Any, Any]:
    """Return the bytes of the weights, of the optimizer's state, and of the whole checkpoint."""
    try:
        model = _weights(pipeline, settings)
    except (Unavailable, ProbeFailed) as error:
        missing = unknown(error if isinstance(error, Unavailable) else str(error))
        return missing, missing, missing
    try:
        optimizer = _optimizer(settings, model)
    except Unavailable as reason:
        return model.size, unknown(reason), unknown(reason)
    return model.size, optimizer, model.size + optimizer + model.besides + SMALL_FILES


def _retention(settings: Settings, schedule: Schedule) -> Retention:
    written = schedule.checkpoints
    if settings.save_total_limit is None:
        return Retention(written)
    limit = whole(settings, "save_total_limit")
    if limit <= 0:
        return Retention(written)
    return Retention(written, limit, _knows_best(settings, schedule))


def _knows_best(settings: Settings, schedule: Schedule) -> bool:
    judges = settings.load_best_model_at_end or settings.metric_for_best_model is not None
    plateau = settings.word("lr_scheduler_type") in {"reduce_lr_on_plateau", "greedy"}
    evaluates = not schedule.known("evaluations") or len(schedule.evaluations) > 0
    return (bool(judges) or plateau) and evaluates


def _optimizer(settings: Settings, model: Weights) -> int:
    if settings.get("save_only_model") is True:
        return 0
    if not model.built:
        optimizers.refuse_partial(settings)
    return optimizers.state_bytes(settings, model.trained, model.width)


def _weights(pipeline: Pipeline, settings: Settings) -> Weights:
    """Return what a checkpoint will hold, by the model's files, else by the model itself."""
    optimizers.refuse_other_weights(settings)
    try:
        files = pipeline.fact(ModelFiles)
        shapes = tuple(t.shape for t in files.tensors.values() if t.floating)
    except Unavailable as reason:
        try:
            model = pipeline.fact(Model)
        except OverBudget:
            raise
        except Unavailable:
            raise reason from None  # the files are nearer at hand than the model
        return _built(model)
    width = _width(settings, files)
    besides = files.tokenizer_bytes if files.known("tokenizer_bytes") else 0
    return Weights(files.parameters * width, shapes, width, besides)


def _built(model: Model) -> Weights:
    if model.name.startswith("Peft"):
        raise Unavailable("of a PEFT model only the adapter is saved")
    widths = {name: _width_of(p.dtype) for name, p in model.parameters.items()}
    trained = {name: p for name, p in model.parameters.items() if p.trainable}
    return Weights(
        size=sum(p.size * widths[name] for name, p in model.parameters.items()),
        trained=tuple(p.shape for p in trained.values()),
        width=max((widths[name] for name in trained), default=0),
        built=True,
    )


def _width(settings: Settings, files: ModelFiles) -> int:
    """
    Return the bytes of one element, in the type that the model will be loaded and saved in.

    What is stated counts. Without it, transformers 4 loads in float32, 5 as the config says, or
    else as the weights are.
    """
    word = settings.stated.get("dtype") or settings.stated.get("torch_dtype")
    if word is None:
        keeps = habits.KEEPS_DTYPE.known(settings.arguments.version)
        word = "auto" if keeps else "float32"
    if "quantization_config" in files.config:
        raise Unavailable(f"{files.name} is quantised, and how it is saved is not known")
    if word == "auto":
        word = files.config.get("dtype") or files.config.get("torch_dtype")
    if word is not None:
        return _width_of(str(word).removeprefix("torch."))
    stored = {t.dtype for t in files.tensors.values() if t.floating}
    if len(stored) != 1:
        raise Unavailable(f"the weights of {files.name} are of several types, or of none")
    (kind,) = stored
    if kind not in safetensors.BYTES:
        raise Unavailable(f"the weights of {files.name} are of the unknown type {kind}")
    return safetensors.BYTES[kind]


def _width_of(word: str) -> int:
    if word not in WIDTHS:
        raise Unavailable(f"{word} is no type of numbers that models are trained in")
    return WIDTHS[word]
