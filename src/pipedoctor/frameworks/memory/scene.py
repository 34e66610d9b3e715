"""One run as it is gone through without values: the model, its batches, how a step is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts.lengths import Lengths
from pipedoctor.facts.rows import Rows
from pipedoctor.facts.settings import Settings
from pipedoctor.frameworks.memory import optimizers
from pipedoctor.frameworks.memory.frames import Frame, frame, rows_of
from pipedoctor.frameworks.memory.hollow import hollow, without_values
from pipedoctor.frameworks.memory.optimizers import Stepped
from pipedoctor.frameworks.memory.step import Pass, Way, evaluated, run
from pipedoctor.frameworks.training import checkpointing
from pipedoctor.frameworks.training.own_loss import training_loss
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probes import optimizers as names

FUSED = ("sdpa", "eager")
"""The implementations of attention that can be gone through without their own packages."""

Change = Callable[[Any], Any]


class Untraceable(Exception):  # noqa: N818 - a reason to take a formula, no error
    """The model looks at values, which there are none of."""


@dataclass(eq=False)
class Scene:
    """What is gone through; `run` goes through one pass, `step` through a step of the optimizer."""

    model: Any
    frame: Frame
    way: Way
    rows: int
    settings: Settings | None
    optimizer: Any
    """The name of an optimizer, or one that the user made."""
    notes: list[str]
    shared: str = ""
    """What shares weights, gradients or states among processes, by its name: fsdp, deepspeed."""
    cut: tuple[int, str] | None = None
    """A shorter length that the data is nearly whole with, and what is lost then."""
    _mode: Any = None
    _kept: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    """Hollow models, by the identities of the real ones, which are kept for that."""

    def run(
        self,
        rows: int,
        length: int | None = None,
        change: Change | None = None,
        twin: Any = None,
        **way: Any,
    ) -> Pass:
        """
        Return what a pass takes, with a change made to the model, or with another in its place.

        Raises:
            Untraceable: The model looks at values.

        """
        with self._without_values(), telling():
            model = self._hollow(change, twin)
            try:
                return run(model, self.frame.made(rows, length), replace(self.way, **way))
            except Exception as error:
                if not self.frame.note or isinstance(error, (Unavailable, *looked())):
                    raise
                raise Unavailable(_not_taken(self, error)) from error

    def evaluate(self, batch: Frame, rows: int, **way: Any) -> tuple[int, int]:
        """
        Return the peak of an evaluation's forward pass, and the logits of it.

        Raises:
            Untraceable: The model looks at values.

        """
        with self._without_values(), telling():
            model = self._hollow(None, None)
            model.eval()
            try:
                return evaluated(model, batch.made(rows), replace(self.way, **way))
            finally:
                model.train()

    def step(self, optimizer: Any = None, twin: Any = None) -> Stepped:
        """Return what the optimizer takes, or one of another name, or for another model."""
        with self._without_values():
            model = self._hollow(None, twin)
            trained = [p for p in model.parameters() if p.requires_grad]
            chosen = optimizer or self.optimizer
            if isinstance(chosen, str):
                return optimizers.named(chosen, trained, gpu=self.way.gpu)
            return optimizers.like(chosen, trained, gpu=self.way.gpu)

    @contextmanager
    def _without_values(self) -> Iterator[None]:
        with without_values(self._mode) as self._mode:
            yield

    def _hollow(self, change: Change | None, twin: Any) -> Any:
        """Return the hollow model; what is not changed is made once."""
        if change is not None:
            return change(self._prepared(self.model))
        real = self.model if twin is None else twin
        if id(real) not in self._kept:
            self._kept[id(real)] = (self._prepared(real), real)
        return self._kept[id(real)][0]

    def _prepared(self, real: Any) -> Any:
        model = hollow(real)
        chosen = getattr(getattr(model, "config", None), "_attn_implementation", None)
        if (
            chosen is not None
            and chosen not in FUSED
            and hasattr(model, "set_attn_implementation")
        ):
            model.set_attn_implementation("sdpa")
        model.train()
        checkpointing.enable(model, self.settings)
        return model


def _not_taken(scene: Scene, error: Exception) -> str:
    first = (str(error).strip().splitlines() or [""])[0][:160]
    return (
        f"{scene.frame.note}; with {', '.join(scene.frame.arrays)} alone, "
        f"{type(scene.model).__name__} raised {type(error).__name__}: {first}. A config or a script "
        "that trains it shows what it takes"
    )


def looked() -> tuple[type[Exception], ...]:
    """Return what is raised where values are looked at."""
    from torch._subclasses import fake_tensor
    from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

    return (
        fake_tensor.DataDependentOutputException,
        fake_tensor.DynamicOutputShapeException,
        fake_tensor.UnsupportedFakeTensorException,
        fake_tensor.UnsupportedOperatorException,
        GuardOnDataDependentSymNode,
    )


@contextmanager
def telling() -> Iterator[None]:
    """Turn what is raised where values are looked at into `Untraceable`."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library warns of here, the training will say
        try:
            yield
        except looked() as error:
            raise Untraceable(f"looks at values ({str(error).splitlines()[0][:80]})") from None


def scene(pipeline: Pipeline, model: Any) -> Scene:
    """Return the run of a pipeline, ready to be gone through."""
    import torch

    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    settings = pipeline.optional(Settings)
    notes: list[str] = []
    if hasattr(model, "_orig_mod") or (settings and settings.get("torch_compile") is True):
        model = getattr(model, "_orig_mod", model)
        notes.append("torch.compile is left out: what its kernels fuse and keep is not known")
    if settings is not None and settings.get("use_liger_kernel") is True:
        notes.append("the kernels of Liger are left out: they keep less than is told here")
    chosen = getattr(getattr(model, "config", None), "_attn_implementation", None)
    if chosen not in {None, *FUSED}:
        notes.append(f"attention is gone through as a fused kernel, which {chosen} is taken for")
    if settings is not None:
        notes += [
            f"{key} is stated: the table is of a process that shares nothing"
            for key in ("deepspeed", "fsdp")
            if settings.get(key)
        ]
    shared = [n for n in ("deepspeed", "fsdp") if settings is not None and settings.get(n)]
    framed = frame(pipeline, model, wishes.get("length"))
    if framed.note:
        notes.append(framed.note)
    trainer = pipeline.parts.get("trainer")
    width = _vocabulary(model)
    used = _rows_there(pipeline)
    rows = rows_of(settings, wishes.get("rows"), used)
    if used and rows == used and not wishes.get("rows"):
        stated = rows_of(settings, None)
        if stated > used:
            notes.append(f"the data has {used:,} rows: no batch is larger, whatever is stated")
    accumulation = settings.get("gradient_accumulation_steps") if settings is not None else None
    way = Way(
        loss=training_loss(trainer) if trainer is not None else _loss,
        gpu=not (settings is not None and settings.get("use_cpu") is True),
        half=_half(settings, torch),
        accumulated=isinstance(accumulation, int) and accumulation > 1,
        vocabulary=width,
    )
    return Scene(
        model=model,
        frame=framed,
        way=way,
        rows=rows,
        settings=settings,
        optimizer=_optimizer(pipeline, settings, trainer),
        notes=notes,
        shared=shared[0] if shared else "",
        cut=_cut(pipeline, framed.length),
    )


def _cut(pipeline: Pipeline, longest: int | None) -> tuple[int, str] | None:
    """Return the length that nearly all rows keep within, where few are longer by far."""
    if longest is None or "train_data" not in pipeline.parts:
        return None
    try:
        told = pipeline.fact(Lengths, Split.TRAIN)
    except (Unavailable, ProbeFailed):
        return None
    if told.covering is None or told.packed or not 0 < told.covering <= longest // 2:
        return None
    return told.covering, f": {told.cut_tokens:.1%} of the tokens, in at most 1 % of the rows"


def _rows_there(pipeline: Pipeline) -> int | None:
    if "train_data" not in pipeline.parts:
        return None
    try:
        return pipeline.fact(Rows, Split.TRAIN).used
    except (Unavailable, ProbeFailed):
        return None


def _half(settings: Settings | None, torch: Any) -> Any:
    if settings is None:
        return None
    if settings.get("bf16") is True and settings.get("fp16") is True:
        raise Unavailable("bf16 and fp16 are both stated, which TrainingArguments refuses")
    if settings.get("bf16") is True:
        return torch.bfloat16
    return torch.float16 if settings.get("fp16") is True else None


def _optimizer(pipeline: Pipeline, settings: Settings | None, trainer: Any) -> Any:
    given = pipeline.parts.get("optimizer") or getattr(trainer, "optimizer", None)
    if given is not None:
        return given
    if settings is None:
        return "adamw_torch_fused"
    found = settings.get("optim")
    word = str(getattr(found, "value", found)) if found is not None else "adamw_torch_fused"
    return names.name(settings) if settings.get("adafactor") is True else word


def _loss(model: Any, inputs: Mapping[str, Any]) -> Any:
    """Return the model's own loss; of a model without one, the mean of what it answers."""
    from pipedoctor.frameworks.torch import outputs_of

    outputs = outputs_of(model(**inputs))
    if outputs.get("loss") is not None:
        return outputs["loss"].mean()
    real = [v for v in outputs.values() if hasattr(v, "dtype") and v.is_floating_point()]
    if not real:
        raise Unavailable("the model returned no loss, and no numbers to stand for one")
    return sum(value.float().mean() for value in real)


def _vocabulary(model: Any) -> int:
    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    try:
        head = inner.get_output_embeddings()
    except (AttributeError, NotImplementedError):  # a model that has no such head
        return 0
    weight = getattr(head, "weight", None)
    return 0 if weight is None else int(weight.shape[0])
