from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored


@check("CKP063", Severity.WARNING, stage=Stage.CHECKPOINT)
def tokenizer_beyond_saved_embedding(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The tokenizer that lies beside the weights gives ids for which the embedding has no row.

    Tokens were added to the tokenizer, and the model was saved without
    `resize_token_embeddings`. The first text with one of them stops with "index out of range in
    self", on a GPU with an assertion of the device.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "vocab_size": 30522},
                "tensors": {"bert.embeddings.word_embeddings.weight": ("F32", (30522, 768))},
                "tokens": 30524,
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "vocab_size": 30592},
                "tensors": {"bert.embeddings.word_embeddings.weight": ("F32", (30592, 768))},
                "tokens": 30522,
            }
        }
    """
    if not against_config.plain(checkpoint):
        return
    found = dict(against_config.embeddings(checkpoint.tensors))
    rows = {tensor.shape[0] for tensor in found.values()}
    if len(rows) != 1 or rows == {0}:
        return
    name, (stored,) = next(iter(found)), rows
    tokens = checkpoint.tokens
    if tokens > stored:
        yield Finding(
            message=f"the tokenizer has {tokens:,} tokens, and {name} {stored:,} rows: ids "
            f"{stored} to {tokens - 1} have none",
            where=_stored.place(_against_config.holder(checkpoint, name)),
            evidence={"tokens": tokens, "tensor": name, "rows": stored},
            remedy="model.resize_token_embeddings(len(tokenizer)), before training and saving",
        )
