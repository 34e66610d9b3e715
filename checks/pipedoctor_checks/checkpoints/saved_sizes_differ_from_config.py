from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored


@check("CKP068", Severity.ERROR, stage=Stage.CHECKPOINT)
def saved_sizes_differ_from_config(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The width of the model or the length of its tables in config.json is not that of the weights.

    Weights of a small model were copied over those of a large one, or the config was edited.
    `from_pretrained` prints a table of the tensors that do not fit and raises "You set
    `ignore_mismatched_sizes` to `False`"; with that set to true, what does not fit is thrown away
    and starts with random numbers.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "hidden_size": 1024},
                "tensors": {
                    "bert.embeddings.word_embeddings.weight": ("F32", (30522, 768)),
                    "bert.pooler.dense.weight": ("F32", (768, 768)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "hidden_size": 768},
                "tensors": {
                    "bert.embeddings.word_embeddings.weight": ("F32", (30522, 768)),
                    "bert.pooler.dense.weight": ("F32", (768, 768)),
                },
            }
        }

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "max_position_embeddings": 1024},
                "tensors": {
                    "bert.embeddings.position_embeddings.weight": ("F32", (512, 768)),
                },
            }
        }
    """
    found = against_config.sizes(checkpoint) if against_config.plain(checkpoint) else None
    if found is None:
        return
    width = found.key in against_config.WIDTHS
    sides = " by ".join(f"{size:,}" for size in found.shape)
    exact = not width or not any(key in checkpoint.config for key in against_config.NARROWER)
    yield Finding(
        message=f"{found.key} in config.json is {found.value:,}, and "
        + (
            f"the weights are of another width: {found.tensor} is {sides}"
            if width
            else f"{found.tensor} has {found.stored:,} rows"
        ),
        where=_stored.place(_against_config.holder(checkpoint, found.tensor)),
        evidence={
            "key": found.key,
            "config": found.value,
            "tensor": found.tensor,
            "shape": found.shape,
        },
        remedy="take config.json and weights from one save"
        + (f'; these weights need "{found.key}": {found.stored}' if exact else ""),
    )
