from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored


@check("CKP062", Severity.ERROR, stage=Stage.CHECKPOINT)
def saved_vocabulary_differs_from_config(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The embedding in the weights has another number of rows than `vocab_size` of config.json.

    That happens where tokens were added and only one of the two was saved after
    `resize_token_embeddings`. `from_pretrained` refuses such weights; told to ignore the sizes,
    it starts the whole embedding with random numbers.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "vocab_size": 30522},
                "tensors": {"bert.embeddings.word_embeddings.weight": ("F32", (30524, 768))},
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "vocab_size": 30522},
                "tensors": {"bert.embeddings.word_embeddings.weight": ("F32", (30522, 768))},
            }
        }
    """
    found = against_config.vocabulary(checkpoint) if against_config.plain(checkpoint) else None
    if found is None:
        return
    yield Finding(
        message=f"{found.tensor} has {found.stored:,} rows, and vocab_size in config.json is "
        f"{found.value:,}",
        where=_stored.place(_against_config.holder(checkpoint, found.tensor)),
        evidence={"tensor": found.tensor, "rows": found.stored, "vocab_size": found.value},
        remedy=f"take both from one save, after resize_token_embeddings; these weights need "
        f'"vocab_size": {found.stored}',
    )
