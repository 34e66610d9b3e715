from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Fit, MemoryPlan, Settings
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.probes.memory.gpus import LARGEST
from pipedoctor.units import count, plural

GIB = 2**30


@check(
    "MEM001",
    Severity.ERROR,
    stage=Stage.FORWARD,
    symptoms={
        r"CUDA out of memory": "the batch does not fit: `pipedoctor memory TARGET` tells the "
        "largest one that does, and what each remedy brings",
    },
)
def batch_beyond_the_memory(
    plan: MemoryPlan, settings: Settings | None, fit: Fit | None
) -> Iterator[Finding]:
    """
    A step with the longest rows takes more memory than the device has.

    The batch with the longest rows decides, and it comes when it is drawn: a run that begins well
    may stop hours later. What is counted are weights, gradients, the optimizer's states, and what
    the forward pass keeps for the backward pass, at the moment when most of it is there at once;
    a step is gone through with tensors that have no values to find it. The CUDA context and a
    margin of 5 % come on top, and the message says so. Nothing is told where no memory is stated,
    nor where the plan is an estimate, as for Keras, whose error could turn the answer round.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification

        sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=100))
        settings = {"per_device_train_batch_size": 256}
        memory = {"room": 2_000_000_000}

    Passes:

        from transformers import BertConfig, BertForSequenceClassification

        sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=100))
        settings = {"per_device_train_batch_size": 8}
        memory = {"room": 2_000_000_000}

    See also: <https://github.com/huggingface/transformers/issues/10113>.
    """
    if plan.room is None:
        raise Unavailable("no memory is stated that the step could fit into")
    found_while_training = settings is not None and settings.get("auto_find_batch_size") is True
    if found_while_training and plan.largest:
        return
    name = plan.gpu or "the device"
    if not plan.settled:
        raise Unavailable(_unsettled(plan, name))
    if plan.step_fits:
        return
    each = f" of {count(plan.length)} tokens" if plan.length is not None else ""
    whole = f"{plural(plan.rows, 'row')}{each} {'takes' if plan.rows == 1 else 'take'} {_gib(plan.total)}"
    message = f"{whole} at the peak, in the {plan.moment}; {name} has {_gib(plan.room)}"
    if plan.usual_total is not None and plan.usual_total <= plan.room:
        message += (
            f". At {count(plan.usual_length)} tokens, the length of the first batch, it fits: it "
            "stops when the longest rows are drawn"
        )
    cures = list(_cures(plan, settings))
    yield Finding(
        message=message,
        where=_place(settings, fit),
        evidence={
            "rows": plan.rows,
            "length": plan.length,
            "total": plan.total,
            "room": plan.room,
            "largest": plan.largest,
            "moment": plan.moment,
        },
        remedy=cures[0] if cures else _elsewhere(plan),
        alternatives=tuple(cures[1:3]),
    )


def _elsewhere(plan: MemoryPlan) -> str:
    """Return what is left where no change does: another device, or several."""
    if plan.total <= LARGEST:
        return f"take a device with more than {_gib(plan.total)}"
    return (
        f"share it among more devices, as FSDP does: no GPU has {_gib(plan.total)}; "
        "`pipedoctor memory --gpus N` tells what N of them bring"
    )


def _unsettled(plan: MemoryPlan, name: str) -> str:
    """Return why the estimate does not tell whether the step fits."""
    if plan.shared:
        return f"{plan.shared} shares among processes what is told of one that shares nothing"
    if not plan.traced:
        return (
            f"the activations are told by a formula only, {_gib(plan.total)} in all, which does "
            f"not settle whether {name} is enough"
        )
    if plan.uncounted:
        return plan.uncounted
    if plan.range is None or plan.room is None:
        return f"how far the estimate is off on {name} is not known, so it is not told to fit"
    least, most = map(_gib, plan.range)
    return (
        f"{_gib(plan.total)} is an estimate that can mean {least} to {most}, and {name} has "
        f"{_gib(plan.room)}"
    )


def _place(settings: Settings | None, fit: Fit | None) -> Location:
    """Return where the batch is stated."""
    if fit is not None:
        return fit.at("batch_size")
    return settings.where("per_device_train_batch_size") if settings is not None else NOWHERE


def _cures(plan: MemoryPlan, settings: Settings | None) -> Iterator[str]:
    """Yield the changes that would do, the one that asks least first."""
    # What is accumulated stays in memory: fewer rows fit then.
    rows = plan.largest if plan.largest_accumulated is None else plan.largest_accumulated
    whole = rows or plan.largest
    if whole and plan.library == "keras":
        steps = -(-plan.rows // whole)
        line = f"set batch_size={whole} (or batch so in the tf.data.Dataset)"
        yield line + (
            f", and gradient_accumulation_steps={steps} in the optimizer" if rows else ""
        )
    elif whole:
        name = "per_device_train_batch_size"
        line = settings.entry(name, whole) if settings is not None else f"{name}={whole}"
        steps = -(-plan.rows // whole)
        yield f"set {line}" + (
            f", and gradient_accumulation_steps to {steps} times what it is"
            if rows
            else "; there is no room for gradients that are accumulated"
        )
    for remedy in plan.remedies:
        if plan.room is not None and remedy.total <= plan.room:
            yield f"{remedy.change}: {_gib(remedy.total)} ({remedy.cost})"


def _gib(size: float) -> str:
    value = size / GIB
    return f"{value:,.0f} GiB" if value >= 1000 else f"{value:.3g} GiB"
