from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Model, Tokenizer


@check("DAT025", Severity.ERROR, stage=Stage.DATA)
def tokenizer_without_vocabulary(
    tokenizer: Tokenizer, model: Model, *, share: float = 0.1
) -> Iterator[Finding]:
    """
    The tokenizer knows next to none of the tokens that the model was made for.

    Where a folder holds a model and no files of its tokenizer, Transformers may build one from
    its class alone: it has the special tokens and nothing else, and every text becomes a row of
    unknown tokens. Training runs and learns nothing of the words. A tokenizer with less than
    `share` of the embedding's rows is taken for such a one: padding an embedding to a round size
    adds some rows, never ten times as many.

    Fails:

        from tokenizers import Tokenizer, models
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

        words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
        )
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=500,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )

    Passes:

        from tokenizers import Tokenizer, models
        from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

        words = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3} | {f"w{n}": n for n in range(4, 490)}
        tokenizer = PreTrainedTokenizerFast(
            tokenizer_object=Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
        )
        model = BertForSequenceClassification(
            BertConfig(
                vocab_size=500,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
    """
    if tokenizer.size < share * model.embedding_rows:
        yield Finding(
            message=f"The tokenizer knows {tokenizer.size:,} tokens and the embedding has "
            f"{model.embedding_rows:,} rows: most words become unknown tokens",
            evidence={"tokens": tokenizer.size, "embedding_rows": model.embedding_rows},
            remedy="save the tokenizer beside the model: tokenizer.save_pretrained(folder)",
            alternatives=("name the folder of the right one as tokenizer_name",),
        )
