"""Healthy trainings of language models, and of others: nothing more than a note is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import language_pipelines as lm
import pytest
from resources import minilm, reuters

pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")
pytest.importorskip("trl")
pytest.importorskip("peft")


@pytest.fixture(autouse=True)
def no_bars() -> None:
    datasets.disable_progress_bars()


def sft_on_texts(folder: Path) -> Any:
    return lm.sft(folder, lm.plain(), lm.tokenizer())


def sft_packed(folder: Path) -> Any:
    return lm.sft(folder, lm.plain(), lm.tokenizer(), packing=True, max_length=64)


def sft_on_completions(folder: Path) -> Any:
    return lm.sft(folder, lm.completions(), lm.tokenizer())


def sft_on_chats(folder: Path) -> Any:
    made = lm.tokenizer(template=lm.CHATML)
    return lm.sft(folder, lm.chats(), made, assistant_only_loss=True)


def sft_some_rows_cut(folder: Path) -> Any:
    return lm.sft(folder, lm.plain(200, longest=40), lm.tokenizer(), max_length=75)


def lora_with_added_tokens(folder: Path) -> Any:
    """The base was saved with fewer tokens; embedding and head are trained with the adapter."""
    base = folder / "base"
    lm.llama(len(lm.tokenizer())).save_pretrained(base)
    model = transformers.AutoModelForCausalLM.from_pretrained(base)
    made = lm.tokenizer(template=lm.CHATML.replace("im_", "turn_"))
    made.add_special_tokens({"additional_special_tokens": ["<|turn_start|>", "<|turn_end|>"]})
    model.resize_token_embeddings(len(made))
    adapter = lm.lora(modules_to_save=["embed_tokens", "lm_head"])
    return lm.sft(folder, lm.chats(), made, model, lora=adapter, assistant_only_loss=True)


def gpt2_with_pad_as_end(folder: Path) -> Any:
    """The padding token is the end token; a collator masks by the attention, and keeps the ends."""
    import torch

    made = lm.tokenizer(pad="</s>")

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = made.pad(
            [{"input_ids": row["input_ids"]} for row in rows],
            return_tensors="pt",
            return_attention_mask=True,
        )
        labels = batch["input_ids"].clone()
        labels[batch["attention_mask"] == 0] = -100
        assert isinstance(labels, torch.Tensor)
        return {**batch, "labels": labels}

    rows = [{"input_ids": made(text + "</s>")["input_ids"]} for text in lm.texts(64)]
    return lm.trainer(
        folder, lm.gpt2(len(made)), lm.dataset(rows), made,
        data_collator=collate, remove_unused_columns=False,
    )  # fmt: skip


def gpt2_in_blocks(folder: Path) -> Any:
    """Texts joined and cut into blocks of one length, as for pretraining: no row has an end."""
    made = lm.tokenizer()
    ids = [one for text in lm.texts(300) for one in made(text)["input_ids"]]
    rows = [{"input_ids": ids[n : n + 64]} for n in range(0, len(ids) - 64, 64)]
    collator = transformers.DataCollatorForLanguageModeling(made, mlm=False)
    return lm.trainer(folder, lm.gpt2(len(made)), lm.dataset(rows), made, data_collator=collator)


def texts_that_begin_once(folder: Path) -> Any:
    made = lm.tokenizer(begins=True)
    return lm.sft(folder, lm.plain(), made)


def instructions_with_a_stop_word(folder: Path) -> Any:
    """No end token, but every answer ends with the same one: that is where generation stops."""
    made = lm.tokenizer()
    stop = made("\n###")["input_ids"]
    rows = []
    for asked, told in zip(lm.texts(64, seed=1), lm.texts(64, seed=2), strict=True):
        question, answer = made(asked + "\n")["input_ids"], made(told)["input_ids"] + stop
        labels = [-100] * len(question) + answer
        rows.append({"input_ids": question + answer, "labels": labels})
    collator = transformers.DataCollatorForSeq2Seq(made)
    return lm.trainer(folder, lm.llama(len(made)), lm.dataset(rows), made, data_collator=collator)


def reuters_classes(folder: Path) -> Any:
    """Real, imbalanced texts: the largest class has 80 times the rows of the smallest."""
    made = transformers.AutoTokenizer.from_pretrained(minilm())
    rows = reuters()
    names = sorted({label for label, _ in rows})
    data = datasets.Dataset.from_list(
        [{"text": text, "label": names.index(label)} for label, text in rows]
    ).train_test_split(0.1, seed=0)
    data = data.map(lambda row: made(row["text"], truncation=True, max_length=128), batched=True)
    model = transformers.BertForSequenceClassification(tiny_bert(len(made), len(names)))
    return lm.trainer(
        folder, model, data["train"], made, eval_dataset=data["test"], eval_strategy="epoch"
    )


def tiny_bert(vocabulary: int, outputs: int) -> Any:
    return transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        num_labels=outputs,
    )


def named_entities(folder: Path) -> Any:
    made = lm.tokenizer()
    rows = []
    for number, text in enumerate(lm.texts(120)):
        ids = made(text)["input_ids"]
        rows.append(
            {"input_ids": ids, "labels": [(n + number) % 3 or -100 for n in range(len(ids))]}
        )
    model = transformers.BertForTokenClassification(tiny_bert(len(made), 3))
    collator = transformers.DataCollatorForTokenClassification(made)
    return lm.trainer(folder, model, lm.dataset(rows), made, data_collator=collator)


def regression(folder: Path) -> Any:
    """The same text has other targets: they are measurements, and no classes."""
    made = lm.tokenizer()
    rows = [
        {"input_ids": made(text)["input_ids"], "labels": 0.01 * number}
        for number, text in enumerate(lm.texts(110) * 2)
    ]
    model = transformers.BertForSequenceClassification(tiny_bert(len(made), 1))
    return lm.trainer(folder, model, lm.dataset(rows), made)


HEALTHY: list[Callable[[Path], Any]] = [
    sft_on_texts,
    sft_packed,
    sft_on_completions,
    sft_on_chats,
    sft_some_rows_cut,
    lora_with_added_tokens,
    gpt2_with_pad_as_end,
    gpt2_in_blocks,
    texts_that_begin_once,
    instructions_with_a_stop_word,
    reuters_classes,
    named_entities,
    regression,
]


@pytest.mark.parametrize("pipeline", HEALTHY, ids=lambda made: made.__name__)
def test_nothing_is_said(pipeline: Callable[[Path], Any], tmp_path: Path) -> None:
    assert lm.loud(pipeline(tmp_path)) == {}
