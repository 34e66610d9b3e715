from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Collator, Model, Settings, Tokenizer
from pipedoctor.probes import habits

BOTH = (
    "tokenizer.pad_token = tokenizer.eos_token, then "
    "model.config.pad_token_id = tokenizer.pad_token_id"
)
OWN_PAD = (
    'tokenizer.add_special_tokens({"pad_token": "[PAD]"}), then '
    "model.resize_token_embeddings(len(tokenizer))"
)


@check(
    "DAT006",
    Severity.ERROR,
    stage=Stage.COLLATOR,
    symptoms={
        r"Cannot handle batch sizes > 1 if no padding token is defined": (
            "model.config.pad_token_id = tokenizer.pad_token_id, after giving the tokenizer a "
            "pad token if it has none"
        ),
        r"Asking to pad but the tokenizer does not have a padding token": BOTH,
    },
)
def no_pad_token(
    model: Model,
    tokenizer: Tokenizer | None,
    collator: Collator | None,
    settings: Settings | None,
) -> Iterator[Finding]:
    """
    Rows are to be padded, or told from their padding, and there is no pad token.

    Most decoder-only models come without one. The tokenizer then refuses to pad; and a sequence
    classifier, which reads its answer off the last token that is no padding, refuses batches of
    more than one row. Tokenizer and model each keep a pad token of their own: to set the
    tokenizer's is not enough, unless Trainer gets the tokenizer as its `processing_class`.

    Fails:

        from transformers import GPT2Config, GPT2ForSequenceClassification

        model = GPT2ForSequenceClassification(
            GPT2Config(vocab_size=100, n_embd=16, n_layer=1, n_head=2, n_positions=32)
        )
        train_data = [{"input_ids": [5, 6, 7], "label": row % 2} for row in range(16)]
        settings = {"per_device_train_batch_size": 8}

    Passes:

        from transformers import GPT2Config, GPT2ForSequenceClassification

        model = GPT2ForSequenceClassification(
            GPT2Config(vocab_size=100, n_embd=16, n_layer=1, n_head=2, n_positions=32)
        )
        model.config.pad_token_id = 0
        train_data = [{"input_ids": [5, 6, 7], "label": row % 2} for row in range(16)]
        settings = {"per_device_train_batch_size": 8}

    See also: <https://github.com/huggingface/transformers/issues/34055>.
    """
    pad = tokenizer.pad_id if tokenizer is not None and tokenizer.known("pad_id") else None
    pads = collator.pads if collator is not None and collator.known("pads") else frozenset()
    if tokenizer is not None and tokenizer.known("pad_id") and pad is None and pads:
        yield Finding(
            message=f"{_named(collator)} pads {', '.join(sorted(pads))}, and the tokenizer "
            f"{tokenizer.name} has no pad token",
            where=Location(),
            evidence={"collator": _named(collator), "tokenizer": tokenizer.name, "pad_id": None},
            remedy=BOTH,
            alternatives=(OWN_PAD,),
        )
        return
    if "SequenceClassification" not in model.name or not model.decoder_only:
        return
    if model.pad_id is not None or settings is None:
        return
    if pad is not None and habits.ALIGNS_TOKENS.known(settings.arguments.version):
        return
    sizes = [f"per_device_{split}_batch_size" for split in ("train", "eval")]
    key = next((name for name in sizes if settings.get(name, 8) > 1), None)
    if key is not None:
        rows = settings.get(key, 8)
        yield Finding(
            message=f"{model.name} has no pad token in its config and gets batches of {rows} rows: "
            "it can't tell a row's last token from padding, and refuses more than 1 row",
            where=settings.where(key),
            evidence={"model": model.name, "pad_token_id": None, key: rows},
            remedy="model.config.pad_token_id = tokenizer.pad_token_id"
            if pad is not None
            else BOTH,
        )


def _named(collator: Collator | None) -> str:
    return collator.name if collator is not None else "the collator"
