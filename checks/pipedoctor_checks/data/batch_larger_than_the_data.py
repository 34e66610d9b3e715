from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Environment, Rows, Settings
from pipedoctor.units import plural


@check(
    "DAT028",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"args\.max_steps must be set to a positive value if dataloader does not have a length": (
            "set dataloader_drop_last to false, or a batch size below the number of rows"
        )
    },
)
def batch_larger_than_the_data(
    settings: Settings, rows: Train[Rows], environment: Environment | None
) -> Iterator[Finding]:
    """
    Incomplete batches are dropped, and there are fewer rows than a batch has: nothing is left.

    With `dataloader_drop_last`, 20 rows make no batch of 32. Trainer then asks for `max_steps`,
    as if the data had no length; with `max_steps` it trains 0 steps and ends without an error. It
    happens to small trial sets, and on machines with more GPUs than before.

    Fails:

        settings = {"dataloader_drop_last": True, "per_device_train_batch_size": 32}
        train_data = range(20)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"dataloader_drop_last": True, "per_device_train_batch_size": 16}
        train_data = range(20)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"per_device_train_batch_size": 32}
        train_data = range(20)
        environment = {"transformers": "5.23.0", "gpus": 0}
    """
    if settings.dataloader_drop_last is not True or rows.known("batches") or not rows.used:
        return
    known = environment is not None and environment.known("gpus") and not settings.get("use_cpu")
    devices = max(environment.gpus, 1) if environment is not None and known else 1
    size = settings.per_device_train_batch_size
    batch = size * devices
    if rows.used >= batch:
        return
    shared = f" ({size} on each of {devices} GPUs)" if devices > 1 else ""
    limited = (settings.get("max_steps") or -1) > 0
    happens = "0 steps are trained, without an error" if limited else "Trainer raises ValueError"
    yield Finding(
        message=f"There are {plural(rows.used, 'row')} for batches of {batch}{shared}, and "
        f"dataloader_drop_last drops incomplete ones: no batch is left, and {happens}",
        where=settings.where("dataloader_drop_last"),
        evidence={"rows": rows.used, "batch": batch, "devices": devices},
        remedy=f"set {settings.entry('dataloader_drop_last', value=False)}",
    )
