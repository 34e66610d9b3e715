from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Elements, SavedValues
from pipedoctor_checks.checkpoints import _stored

_FRESH = (
    "resume from the last checkpoint without any, or delete optimizer.pt and scheduler.pt: a "
    "training then goes on from the weights with a fresh optimizer"
)


@check("CKP016", Severity.ERROR, stage=Stage.CHECKPOINT, explains=("NUM001",))
def nan_in_saved_weights(values: SavedValues) -> Iterator[Finding]:
    """
    The saved weights hold NaN or infinity: the model can answer nothing any more.

    Trainer hides such losses from its log, and saves the weights as any others. They load without
    a message, a training that is resumed from them reports a loss of 0.0, and generation fails
    with "probability tensor contains either inf, nan or element < 0". NaN in what the optimizer
    remembers becomes NaN in the weights at the first step of a training that goes on. Every
    element is read for this: unasked where the weights are small, else with `--scan`.

    Fails:

        files = {
            "saved": {
                "tensors": {"bert.pooler.dense.weight": ("F32", (768, 768))},
                "elements": {
                    "model.safetensors": {
                        "bert.pooler.dense.weight": {"total": 589824, "nan": 589824, "first": 0}
                    }
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "tensors": {"bert.pooler.dense.weight": ("F32", (768, 768))},
                "elements": {
                    "model.safetensors": {"bert.pooler.dense.weight": {"total": 589824}}
                },
            }
        }
    """
    for file, tensors in values.elements.items():
        state = file.rpartition("/")[2].startswith("optimizer")
        odd = {name: f for name, f in tensors.items() if (f.nan if state else _odd(name, f))}
        if not odd:
            continue
        name, first = next(iter(odd.items()))
        nan, infinite = (
            sum(found.nan for found in odd.values()),
            sum(found.infinite for found in odd.values()),
        )
        what = " and ".join(
            f"{number:,} {word}"
            for number, word in ((nan, "NaN"), (infinite, "infinite"))
            if number
        )
        yield Finding(
            message=f"{file} holds {what} elements, in {len(odd)} of {len(tensors)} tensors: "
            f"{_stored.some(list(odd))}",
            where=Location(file=file, layer=name),
            evidence={
                "file": file,
                "nan": nan,
                "infinite": infinite,
                "tensors": list(odd)[:20],
                "first": first.first,
            },
            remedy=_FRESH
            if state
            else "go back to the last checkpoint without any; train on with a lower learning "
            "rate, bf16 instead of fp16, and logging_nan_inf_filter=False, which shows it at once",
        )


def _odd(name: str, found: Elements) -> bool:
    """Whether a weight can't be so; a mask that is stored may well hold minus infinity."""
    return bool(found.nan or (found.infinite and "mask" not in name))
