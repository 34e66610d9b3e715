from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint


@check("CKP069", Severity.ERROR, stage=Stage.CHECKPOINT)
def model_type_of_other_weights(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    config.json says another model_type than the weights were saved from.

    `AutoModel…from_pretrained` chooses the class by `model_type`, whatever `architectures` says. It
    looks for tensors that begin with the name of that family, finds none of them, and returns a
    model that is random from the first layer to the last. A table in the log is all that tells.

    Fails:

        files = {
            "saved": {
                "config": {
                    "model_type": "roberta",
                    "architectures": ["BertForSequenceClassification"],
                },
                "tensors": {
                    "bert.pooler.dense.weight": ("F32", (768, 768)),
                    "bert.pooler.dense.bias": ("F32", (768,)),
                    "classifier.weight": ("F32", (2, 768)),
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {
                    "model_type": "camembert",
                    "architectures": ["CamembertForSequenceClassification"],
                },
                "tensors": {
                    "roberta.encoder.layer.0.output.dense.weight": ("F32", (768, 3072)),
                    "classifier.out_proj.weight": ("F32", (2, 768)),
                },
            }
        }
    """
    found = against_config.family(checkpoint) if against_config.plain(checkpoint) else None
    if found is None:
        return
    yield Finding(
        message=f"model_type in config.json is {found.stated}, and {found.share:,} of the "
        f"{found.count:,} tensors are named as those of {found.stored}: loaded by its model_type, "
        "the model takes over none of them",
        where=Location(file=checkpoint.path, key="model_type"),
        evidence={
            "model_type": found.stated,
            "stored": found.stored,
            "architecture": found.architecture,
            "tensors": found.share,
        },
        remedy=f'set "model_type": "{found.right}" in config.json, as its {found.architecture} says'
        if found.fits
        else "take config.json and weights from one save",
    )
