"""Why a batch is not learned: what is known of it, the likeliest first; no framework."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite

from pipedoctor.facts.gradients import layer_of, places, summarised
from pipedoctor.facts.overfit import CANNOT, INCONCLUSIVE, SLOWLY, Curve, Reason
from pipedoctor.frameworks.learning.reasons_of_rates import of_slowness, of_the_optimizer
from pipedoctor.frameworks.learning.rules import Way
from pipedoctor.frameworks.learning.verdicts import NOISE, Judged, Seen
from pipedoctor.units import count, plural

FIRST = frozenset({"units-dead", "vanishing-gradients", "weights-equal"})
"""Kinds of reasons that explain answers which do not depend on the inputs."""

VANISHED = 1e-6
"""
A layer whose gradient is smaller than this, relative to the largest one, learns nothing from it.

New models of 56 kinds that come with transformers, 6 layers each, were at 2.5e-4 and above.
"""


def reasons(curves: Sequence[Curve], way: Way, seen: Seen, judged: Judged) -> tuple[Reason, ...]:
    """Return what keeps the batch from being learned."""
    if judged.verdict not in {CANNOT, SLOWLY}:
        told = (*_of_the_draw(seen), *_of_noise(seen), *_of_distance(seen), *_of_gradients(seen))
        return told if judged.verdict == INCONCLUSIVE else ()
    own = curves[0]
    proof = next((curve for curve in curves if curve.reached), None)
    if proof is not None and judged.verdict == SLOWLY:
        return tuple(of_slowness(own, proof, seen, judged))
    if proof is not None:
        return tuple(of_the_optimizer(own, proof, way, seen))
    return tuple(_of_the_pipeline(own, way, seen))


def _of_the_pipeline(own: Curve, way: Way, seen: Seen) -> Iterator[Reason]:
    """Yield what no rate helps against."""
    if not seen.trainable:
        yield from _of_strangers(seen)
        yield Reason(
            "nothing-trainable",
            "all parameters are frozen: requires_grad is False for each of them",
            "set requires_grad = True for what is to be trained",
            "GRD006",
        )
        return
    if seen.counted == 0:
        yield Reason(
            "labels-masked",
            "all labels of the batch are -100, which the loss leaves out",
            "keep the labels of what is to be learned: look at `pipedoctor batch`",
            evidence={"ignored": seen.ignored},
        )
    if not isfinite(own.losses[0]) and seen.counted != 0:
        yield Reason(
            "loss-not-finite",
            f"the loss is {own.losses[0]} before the first update",
            "pipedoctor nan-trace names the operation, the line and the rows",
            "NUM020",
        )
        return
    if not seen.connected:
        yield Reason(
            "loss-detached",
            "no trainable parameter has a part in the loss",
            "compute the loss from the model's outputs without .item(), .detach(), .numpy(), "
            "torch.tensor(loss) or torch.no_grad() on the way",
            "LOS012",
        )
        return
    if seen.counted != 0:
        yield from _of_the_loss(way, seen)
    told = list(_of_gradients(seen))
    strong = [reason for reason in told if reason.kind in FIRST]
    yield from strong
    if not strong and seen.counted != 0:
        yield from _of_the_answers(way, seen)
    yield from (reason for reason in told if reason not in strong)
    yield from _of_noise(seen)


def _of_noise(seen: Seen) -> Iterator[Reason]:
    if seen.noise is not None and seen.noise > NOISE:
        yield Reason(
            "loss-is-noise",
            f"the loss of the very same batch with the same weights differs by {seen.noise:.0%} from "
            "one pass to the next, with dropout off",
            "look for what the model draws at random in forward(), and how large that is",
            evidence={"noise": seen.noise},
        )
    yield from _of_strangers(seen)


def _of_the_draw(seen: Seen) -> Iterator[Reason]:
    if seen.alike and seen.others:
        yield Reason(
            "batch-of-one-label",
            "all rows that were chosen have the same label, and the data holds others: such a batch "
            "leaves nothing to be learned, whatever the model is",
            "shuffle the data before it is cut into batches, and ask again",
        )


def _of_distance(seen: Seen) -> Iterator[Reason]:
    if seen.far is None:
        return
    (low, high), (least, most) = seen.far
    yield Reason(
        "labels-far-away",
        f"the labels go from {least:.4g} to {most:.4g}, the first answers from {low:.4g} to "
        f"{high:.4g}: the updates that were made went into the way between them",
        "train on (labels - mean) / standard deviation, with both taken from the training data",
        evidence={"answers": [low, high], "labels": [least, most]},
    )


def _of_strangers(seen: Seen) -> Iterator[Reason]:
    if seen.strangers:
        yield Reason(
            "parameters-unregistered",
            f"the loss depends on {summarised(seen.strangers)}, which model.parameters() leaves "
            "out",
            "keep layers in nn.ModuleList or nn.ModuleDict",
            "GRD005",
        )


def _of_the_loss(way: Way, seen: Seen) -> Iterator[Reason]:
    if seen.negated:
        yield Reason(
            "loss-negated",
            "the loss is minus that of the labels: each update makes the answers worse",
            "minimise the loss itself: return it without the minus sign",
        )
        return
    if seen.broadcast is not None:
        answer, labels = seen.broadcast
        rows = max(answer[0], labels[0]) if answer and labels else 0
        yield Reason(
            "loss-broadcasts",
            f"answers of shape {list(answer)} and labels of shape {list(labels)} are broadcast to "
            f"{rows} x {rows}: each answer is compared with the labels of all rows",
            "give both one shape: answers.squeeze(-1), or labels.view_as(answers)",
            "LOS011",
            evidence={"answers": list(answer), "labels": list(labels)},
        )
    if seen.labels_matter is False:
        yield Reason(
            "loss-ignores-labels",
            "the loss is the same with other labels: it is not computed from them",
            "compare the model's outputs with the labels of the batch in the loss",
        )
    if seen.alike and seen.others:
        yield from _of_the_draw(seen)
    elif seen.alike:
        yield Reason(
            "one-label",
            "all rows that were chosen have the same label: a constant answer is right, and "
            "nothing is left to be learned",
            "look at how the labels are made: `pipedoctor batch` shows them",
        )
    elif not way.open and way.chance is not None and seen.labels_matter is not False:
        yield Reason(
            "labels-contradict-inputs",
            f"the rows of the batch are the same to the model and have different labels: no loss "
            f"below {way.floor:.4g} is possible, and a constant answer reaches {way.chance:.4g}",
            "look at what enters the model with `pipedoctor batch`: a column may have been lost, "
            "or cut off by truncation",
            evidence={"floor": way.floor, "chance": way.chance},
        )


def _of_the_answers(way: Way, seen: Seen) -> Iterator[Reason]:
    if not way.open or seen.labels_matter is False or seen.broadcast is not None:
        return
    if seen.inputs_matter is False or seen.answers_alike:
        what = (
            "the loss is the same when all rows are replaced by the first one"
            if seen.inputs_matter is False
            else f"the answers to all rows are the same (apart by {seen.spread:.1e} of their size)"
        )
        yield Reason(
            "answers-ignore-inputs",
            f"{what}, after training too: they do not depend on the row",
            "follow the inputs through forward(): something multiplies them by 0, overwrites "
            "them, or averages over the rows",
            evidence={"spread": seen.spread},
        )
    elif seen.paired is False:
        yield Reason(
            "labels-unpaired",
            "the loss is the same when rows get the labels of others, after training too: it does "
            "not compare each row with its own label",
            "compute the loss of each row from its answer and its label, then average",
        )


def _of_gradients(seen: Seen) -> Iterator[Reason]:
    for layer, (dead, units) in seen.dead.items():
        yield Reason(
            "units-dead",
            f"{count(dead)} of {count(units)} units after {layer} are 0 for every row of the batch: "
            "no gradient passes through them",
            "start the biases at 0 and lower the learning rate, or use GELU or LeakyReLU",
            "GRD010",
            layer=layer,
            evidence={"dead": dead, "units": units},
        )
    if seen.equal:
        yield Reason(
            "weights-equal",
            f"all units of {summarised(seen.equal)} have the same weights, get the same gradient, "
            "and stay copies of one unit",
            "start the weights at random: torch.nn.init.normal_(weight, std=0.02)",
            "GRD009",
            layer=layer_of(seen.equal[0]),
            evidence={"weights": list(seen.equal)},
        )
    norms = seen.last or seen.first
    none = tuple(name for name, norm in norms.items() if norm is None)
    zero = tuple(name for name, norm in norms.items() if norm == 0.0)
    few = max((n for n in norms.values() if n is not None), default=0.0)
    if zero and (seen.dead or seen.equal or len(zero) < len(norms)) and few == 0.0:
        zero = tuple(name for name, norm in norms.items() if not norm)
    if none:
        names = places(none, set(norms) - set(none))
        yield Reason(
            "no-gradient",
            f"{plural(len(none), 'parameter')} of {count(len(norms))} get no gradient: "
            f"{summarised(names)}",
            "the graph is cut between them and the loss: look for .detach(), torch.no_grad() or "
            "a layer that forward() does not use",
            "GRD003",
            layer=layer_of(none[0]),
            evidence={"parameters": len(none)},
        )
    if zero:
        names = places(zero, set(norms) - set(zero))
        yield Reason(
            "zero-gradients",
            f"the gradient of {plural(len(zero), 'parameter')} of {count(len(norms))} is exactly 0: "
            f"{summarised(names)}",
            "look at what follows these layers: a unit that is saturated or dead, a multiplication "
            "by 0, a loss that is constant",
            "GRD001",
            layer=layer_of(zero[0]),
            evidence={"parameters": len(zero)},
        )
    elif vanished := _vanished(seen):
        layer, small, large = vanished
        yield Reason(
            "vanishing-gradients",
            f"the gradient of {layer} is {small:.1e}, that of the last layers {large:.1e}",
            "add residual connections or normalisation, or replace sigmoid and tanh by GELU or ReLU",
            "GRD001",
            layer=layer,
            evidence={"smallest": small, "largest": large},
        )


def _vanished(seen: Seen) -> tuple[str, float, float] | None:
    squares: dict[str, float] = {}
    for name, norm in seen.first.items():
        if norm:
            layer = layer_of(name)
            squares[layer] = squares.get(layer, 0.0) + norm * norm
    if len(squares) < 3:
        return None
    layer = min(squares, key=squares.__getitem__)
    small, large = squares[layer] ** 0.5, max(squares.values()) ** 0.5
    return (layer, small, large) if small < VANISHED * large else None
