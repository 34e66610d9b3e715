from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Supervision
from pipedoctor.units import count


@check(
    "LLM002",
    Severity.ERROR,
    stage=Stage.COLLATOR,
    symptoms={
        r"Could not find (response|instruction) key": (
            "give the collator the token ids that the marker has in its context, or use data of "
            "prompts and completions"
        ),
    },
    explains=("LLM001", "LLM003", "LLM004"),
)
def answer_marker_not_found(taught: Train[Supervision]) -> Iterator[Finding]:
    r"""
    The collator looks for a marker before each answer, and does not find its tokens in the rows.

    How a text is cut into tokens depends on what stands before it: after a line break "### Answer:"
    may begin with other tokens than by itself. The collator then finds no answer, sets all labels
    of the row to -100, and the row teaches nothing.

    Fails:

        import torch
        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

        words = {"<pad>": 0, "?": 1, "two": 2, "and": 3, "four": 4, "Answer": 5, ":": 6, "Answer:": 7}
        inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>")

        class CompletionOnly:
            response_template = "Answer:"
            response_token_ids = [5, 6]

            def __call__(self, rows):
                ids = torch.tensor([row["input_ids"] for row in rows])
                return {"input_ids": ids, "labels": torch.full_like(ids, -100)}

        collator = CompletionOnly()
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=8, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        train_data = Dataset.from_dict({"input_ids": [[2, 3, 2, 1, 7, 4]] * 16})

    Passes:

        import torch
        from datasets import Dataset
        from tokenizers import Tokenizer, models, pre_tokenizers
        from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

        words = {"<pad>": 0, "?": 1, "two": 2, "and": 3, "four": 4, "Answer": 5, ":": 6, "Answer:": 7}
        inner = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
        inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>")

        class CompletionOnly:
            response_template = "Answer:"
            response_token_ids = [7]

            def __call__(self, rows):
                ids = torch.tensor([row["input_ids"] for row in rows])
                labels = ids.clone()
                labels[:, :5] = -100
                return {"input_ids": ids, "labels": labels}

        collator = CompletionOnly()
        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=8, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        train_data = Dataset.from_dict({"input_ids": [[2, 3, 2, 1, 7, 4]] * 16})

    See also: <https://github.com/huggingface/trl/issues/588>.
    """
    if taught.marker is None:
        return
    lost = [r.row for r in taught.rows if r.row not in taught.marked and not r.learned]
    if not lost:
        return
    reads = [row for row in lost if row in taught.reads]
    message = (
        f"The marker {taught.marker!r} is looked for as the tokens {list(taught.marker_ids)}, which "
        f"{count(len(lost))} of {count(len(taught.rows))} rows that were looked at do not hold: "
        "all their labels are -100"
    )
    if reads and taught.in_context:
        message += (
            f". The text stands in {count(len(reads))} of them, as the tokens "
            f"{list(taught.in_context)}"
        )
        remedy = f"response_template={list(taught.in_context)}, the tokens that it has there"
    else:
        remedy = (
            f"put {taught.marker!r} before each answer, or name the marker that the texts have"
        )
    yield Finding(
        message=message,
        where=Location(split="train", column="labels", rows=tuple(lost[:3])),
        evidence={
            "marker": taught.marker,
            "tokens": list(taught.marker_ids),
            "in_context": list(taught.in_context),
            "rows": len(taught.rows),
            "not_found": len(lost),
        },
        remedy=remedy,
        alternatives=("use columns prompt and completion, which need no marker",),
    )
