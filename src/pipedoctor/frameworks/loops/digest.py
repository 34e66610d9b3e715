"""The facts that a watched loop gives: those of other pipelines, and the one of its steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Fact, Unavailable
from pipedoctor.facts.gradients import Gradient, Gradients, Stranger
from pipedoctor.facts.label_order import LabelOrder
from pipedoctor.facts.label_shift import LabelShift
from pipedoctor.facts.loop import Loop, Mode, Stepper
from pipedoctor.facts.model import Model, Parameter
from pipedoctor.facts.optimizer import Group, Optimizer
from pipedoctor.facts.short_runs import ShortRuns
from pipedoctor.facts.trace import Trace
from pipedoctor.frameworks.loading.untrained import as_made
from pipedoctor.frameworks.loops import labels
from pipedoctor.frameworks.loops.carried import norms as sizes
from pipedoctor.frameworks.loops.growth import tried
from pipedoctor.frameworks.loops.paces import paces, pass_of
from pipedoctor.frameworks.loops.recording import Recording, Stepped, Top, sample
from pipedoctor.frameworks.loops.tracer import told
from pipedoctor.frameworks.training import graph
from pipedoctor.frameworks.training.optimizers import number_of


class Digest:
    """What a recording says, put into facts; each is made when it is asked for."""

    def __init__(self, recording: Recording) -> None:
        """Find out which models the loop trains, and the names of their parameters."""
        self.recording = recording
        self.trained = _trained(recording)
        titles = Counter(_title(top) for top in self.trained)
        self.name = " and ".join(
            title if number == 1 else f"{number} times {title}" for title, number in titles.items()
        )
        self.parameters: dict[str, Any] = {}
        met: Counter[str] = Counter()
        for top in self.trained:
            met[top.name] += 1
            turn = f" {met[top.name]}" if met[top.name] > 1 else ""
            prefix = f"{top.name}{turn}." if len(self.trained) > 1 else ""
            for name, parameter in top.module.named_parameters():
                self.parameters.setdefault(prefix + name, parameter)
        self._held = {id(p): p for stepped in recording.optimizers for p in stepped.parameters}

    def fact(self, kind: type[Fact]) -> Fact:
        """
        Return a fact of the loop.

        Raises:
            Unavailable: The loop does not tell it.

        """
        makers: dict[type[Fact], Callable[[], Fact]] = {
            Loop: self._loop,
            Model: self._model,
            Gradients: self._gradients,
            Optimizer: self._optimizer,
            Trace: self._trace,
            LabelOrder: self._label_order,
            LabelShift: self._label_shift,
            ShortRuns: lambda: tried(self.recording),
        }
        return makers[kind]()

    def reached(self, parameter: Any) -> bool:
        """Whether a parameter has got a gradient in any of the steps."""
        key = id(parameter)
        return key in self.recording.leaves or any(
            key in stepped.norms for stepped in self.recording.optimizers
        )

    def _loop(self) -> Loop:
        recording = self.recording
        if recording.error is not None:
            raise recording.error
        if not recording.backwards and not recording.steps:
            raise Unavailable("no loop was seen")
        moved, unmoved = _moved(recording, self.parameters)
        return Loop(
            steps=tuple(recording.steps),
            backwards=recording.backwards,
            optimizers=tuple(_stepper(stepped, recording) for stepped in recording.optimizers),
            modes=tuple(_mode(top) for top in recording.models if top.modes),
            terms=tuple(recording.terms.values()),
            paces=tuple(paces(recording)),
            shapes=recording.shapes,
            backward=recording.backward_at,
            step=recording.optimizers[0].where if recording.optimizers else Loop.step,
            ended=recording.ended,
            seconds=recording.seconds,
            moved=moved,
            unmoved=tuple(unmoved),
            dtypes={name: _dtype(p) for name, p in self.parameters.items()},
        )

    def _model(self) -> Model:
        if not self.parameters:
            raise Unavailable("the loop trains no module of torch")
        missing = {n: p for n, p in self.parameters.items() if id(p) not in self._held}
        return Model(
            name=self.name,
            parameters={
                name: Parameter(tuple(p.shape), _dtype(p), p.requires_grad)
                for name, p in self.parameters.items()
            },
            new=frozenset(as_made(missing)),
        )

    def _gradients(self) -> Gradients:
        recording = self.recording
        if recording.first_loss is None or not self.parameters:
            raise Unavailable("no loss of a module of torch was differentiated")
        norms: dict[int, float] = {}
        for stepped in recording.optimizers:
            norms = {**stepped.norms, **norms}
        # What no optimizer holds still has the gradients of all passes.
        kept = {id(p): p.grad for p in self.parameters.values() if p.grad is not None}
        norms = {**dict(zip(kept, sizes(list(kept.values())), strict=True)), **norms}
        of = {
            name: Gradient(norms.get(id(p)), p.numel(), self.reached(p))
            for name, p in self.parameters.items()
            if p.requires_grad
            and (id(p) in self._held or self.reached(p) or not recording.optimizers)
        }
        return Gradients(
            model=self.name,
            loss=recording.first_loss,
            of=of,
            connected=bool(recording.connected),
            strangers=tuple(self._strangers()),
            passes=recording.backwards,
            broadcast=next(
                (
                    (term.prediction, term.target)
                    for term in recording.terms.values()
                    if term.broadcast is not None and term.target is not None
                ),
                None,
            ),
            of_loop=True,
            where=recording.backward_at,
        )

    def _trace(self) -> Trace:
        recording = self.recording
        if recording.trace is not None:
            trace: Trace = recording.trace
            return trace
        if not recording.steps:
            raise Unavailable("no optimizer of torch was stepped")
        return replace(told(recording, recording.failed_at, None), replayed=False)

    def _label_order(self) -> LabelOrder:
        recording = self.recording
        length, shuffled = pass_of(recording)
        if len(recording.optimizers) > 1:
            raise Unavailable(
                "a loop with several optimizers may take its labels apart on purpose"
            )
        if shuffled:
            raise Unavailable("the loader of the loop shuffles the rows")
        return labels.order(recording.labels, length, recording.backward_at)

    def _label_shift(self) -> LabelShift:
        if self.recording.shift is None:
            raise Unavailable("the model is not given tokens with a label for each")
        return self.recording.shift

    def _strangers(self) -> Iterator[Stranger]:
        """Yield what the losses depend on, a model holds, and neither it nor an optimizer knows."""
        registered = {id(p) for p in self.parameters.values()}
        names: dict[int, tuple[str, str]] = {}
        for top in self.trained:
            names |= graph.unregistered(top.module)
        for key, leaf in self.recording.leaves.items():
            if key in names and key not in registered and key not in self._held:
                name, holder = names[key]
                yield Stranger(tuple(leaf.shape), leaf.numel(), name, holder, optimized=False)

    def _optimizer(self) -> Optimizer:
        optimizers = self.recording.optimizers
        if not optimizers or not self.parameters:
            raise Unavailable("no optimizer of torch was stepped")
        names = {id(p): name for name, p in self.parameters.items()}
        trainable = {n: p for n, p in self.parameters.items() if p.requires_grad}
        # What another model of the script holds is no stranger, and neither is a tensor of its own
        # that gets a gradient.
        known = {id(p) for top in self.recording.models for p in top.module.parameters()}
        return Optimizer(
            name=" and ".join(dict.fromkeys(type(one.optimizer).__name__ for one in optimizers)),
            groups=tuple(
                Group(
                    tuple(names[id(p)] for p in group["params"] if id(p) in names),
                    number_of(group.get("lr")),
                    number_of(group.get("weight_decay")),
                )
                for one in optimizers
                for group in one.optimizer.param_groups
            ),
            missing={
                name: p.numel()
                for name, p in trainable.items()
                if id(p) not in self._held and self.reached(p)
            },
            strangers=tuple(
                tuple(p.shape)
                for key, p in self._held.items()
                if key not in known and not self.reached(p)
            ),
            trainable=sum(p.numel() for p in trainable.values()),
            given=True,
        )


def _trained(recording: Recording) -> list[Top]:
    """
    Return the models that the loop trains: those of which an optimizer that was stepped holds some.

    If nothing that the optimizers hold has ever got a gradient, and something else has, they hold
    another model than the one that computes the loss: then it is the one meant.
    """
    held = {id(p) for stepped in recording.optimizers for p in stepped.parameters}
    got = recording.leaves.keys() | {
        key for stepped in recording.optimizers for key in stepped.norms
    }

    def having(keys: Any) -> list[Top]:
        return [t for t in recording.models if any(id(p) in keys for p in t.module.parameters())]

    if not held & got and having(got):
        return having(got)
    trained = having(held)
    if not recording.optimizers:  # none was stepped yet: what has computed a loss
        return trained or [top for top in recording.models if top.calls]
    return trained + [t for t in having(got) if t not in trained and _forgotten(t, recording)]


def _forgotten(top: Top, recording: Recording) -> bool:
    """
    Whether a model that gets gradients, and that no optimizer holds, was meant to be trained.

    It still has the numbers that it was made with, and is called once for each loss: a network by
    which others are measured is called for what it measures, and for what that is compared with.
    """
    tables = {n: p for n, p in top.module.named_parameters() if p.requires_grad and p.ndim > 1}
    new = set(as_made(tables))
    return bool(tables) and new == tables.keys() and top.calls <= recording.backwards


def _title(top: Top) -> str:
    kind = type(top.module).__name__
    return kind if kind == top.name else f"{top.name} ({kind})"


def _stepper(stepped: Stepped, recording: Recording) -> Stepper:
    steps = sum(step.optimizer == stepped.number for step in recording.steps)
    return Stepper(type(stepped.optimizer).__name__, stepped.variable, steps, stepped.where)


def _mode(top: Top) -> Mode:
    since: int | None = None
    for number, sleeping in top.modes:
        since = (since or number) if sleeping else None
    return Mode(
        model=top.name,
        steps=len(top.modes),
        in_eval=sum(sleeping for _, sleeping in top.modes),
        since=since,
        layers=top.layers,
        idle=top.idle,
    )


def _moved(recording: Recording, names: Mapping[str, Any]) -> tuple[int, list[str]]:
    """Return how many parameters with a gradient have moved, and the names of those that have not."""
    import torch

    called = {id(p): name for name, p in names.items()}
    moved, unmoved = 0, []
    for stepped in recording.optimizers:
        for key, (parameter, before) in stepped.before.items():
            if not stepped.norms.get(key):
                continue
            if torch.equal(sample(parameter), before):
                unmoved.append(called.get(key, "a tensor of the script's own"))
            else:
                moved += 1
    return moved, unmoved


def _dtype(parameter: Any) -> str:
    return str(parameter.dtype).removeprefix("torch.")
