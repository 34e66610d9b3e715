from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import MemoryPlan, Settings
from pipedoctor.units import plural


@check("MEM005", Severity.WARNING, stage=Stage.ARGUMENTS)
def batch_size_shrinks_while_training(plan: MemoryPlan, settings: Settings) -> Iterator[Finding]:
    """
    `auto_find_batch_size` will make the batch smaller, and with it another schedule.

    When memory runs out, Trainer begins again with a smaller batch. The learning rate stays, the
    number of steps grows, warm-up and evaluations stated in steps come at another share of the
    run; and two runs of the same config on two GPUs are no longer the same training. The batch
    that fits can be known before, and then be written down. Nothing is told where no memory is
    stated, or where the batch that is stated fits.

    Fails:

        from transformers import BertConfig, BertForSequenceClassification

        sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=100))
        settings = {"per_device_train_batch_size": 256, "auto_find_batch_size": True}
        memory = {"room": 2_000_000_000}

    Passes:

        from transformers import BertConfig, BertForSequenceClassification

        sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        model = BertForSequenceClassification(BertConfig(**sizes, vocab_size=100))
        settings = {"per_device_train_batch_size": 8, "auto_find_batch_size": True}
        memory = {"room": 2_000_000_000}

    See also: <https://github.com/huggingface/transformers/issues/25956>.
    """
    if settings.get("auto_find_batch_size") is not True:
        return
    if plan.room is None:
        raise Unavailable("no memory is stated that the batch could be too large for")
    if plan.step_fits or not plan.largest:
        return
    times = plan.rows / plan.largest
    line = settings.entry("per_device_train_batch_size", plan.largest)
    yield Finding(
        message=(
            f"{plural(plan.rows, 'row')} do not fit, at most {plan.largest} do: the run starts "
            f"again with a smaller batch, and takes at least {times:.2g} times as many steps"
        ),
        where=settings.where("auto_find_batch_size"),
        evidence={"rows": plan.rows, "largest": plan.largest, "room": plan.room},
        remedy=f"set {line}, and delete auto_find_batch_size",
    )
