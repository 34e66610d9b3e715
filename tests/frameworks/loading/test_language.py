"""Language models are prepared exactly as run_clm and run_mlm prepare them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import transformers
from pipelines import run

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Batch, Collator, Forward, Head, Labels, Model, Rows
from pipedoctor.frameworks.loading import language
from pipedoctor.frameworks.loading.run import Run
from pipedoctor.targets.recipe import Recipe


@pytest.fixture
def lines(tmp_path: Path, texts: list[tuple[str, int]]) -> str:
    path = tmp_path / "train.txt"
    path.write_text("\n\n".join(text for text, _ in texts[:60]) + "\n   \n", encoding="utf-8")
    return str(path)


@pytest.fixture
def decoder(tiny: Callable[..., Any], model_folder: str, tmp_path: Path) -> str:
    """A GPT-2 of a few thousand parameters, with the tokenizer of MiniLM, and fewer rows than it."""
    folder = tmp_path / "decoder"
    tiny("GPT2LMHeadModel", vocab_size=30_000, max_position_embeddings=64).save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(model_folder).save_pretrained(folder)
    return str(folder)


def blocks_by_the_script(folder: str, texts: list[str], size: int) -> list[list[int]]:
    """The blocks of run_clm's group_texts, a thousand texts at a time."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    found = []
    for start in range(0, len(texts), 1000):
        joined = list(chain(*tokenizer(texts[start : start + 1000])["input_ids"]))
        end = len(joined) // size * size
        found += [joined[i : i + size] for i in range(0, end, size)]
    return found


def causal(model: str, train: str, **more: Any) -> Recipe:
    return Recipe("causal-lm", model, train_file=train, **more)


def masked(model: str, train: str, **more: Any) -> Recipe:
    return Recipe("masked-lm", model, train_file=train, pad_to_max_length=False, **more)


def test_blocks_are_the_scripts(decoder: str, lines: str) -> None:
    prepared = Run(causal(decoder, lines, block_size=32))
    texts = Path(lines).read_text(encoding="utf-8").splitlines(keepends=True)
    border = round(len(texts) * 0.05)
    for split, some in ((Split.EVAL, texts[:border]), (Split.TRAIN, texts[border:])):
        data = prepared.load_data(split)
        expected = blocks_by_the_script(decoder, some, 32)
        rows = data.rows(range(len(data)))
        assert [row["input_ids"] for row in rows] == expected
        assert [row["labels"] for row in rows] == expected


def test_a_block_is_as_long_as_the_model_can_take(decoder: str, lines: str) -> None:
    data = Run(causal(decoder, lines)).load_data(Split.TRAIN)
    assert {len(row["input_ids"]) for row in data.rows(range(5))} == {64}


def test_the_causal_run_goes_through(decoder: str, lines: str) -> None:
    found = run(causal(decoder, lines, block_size=32))
    assert found.fact(Rows).used == len(found.part("train_data"))
    assert found.fact(Model).embedding_rows == 30_522, "the script makes room for all tokens"
    head = found.fact(Head)
    assert (head.outputs, head.per_token) == (30_522, True)
    assert found.fact(Collator).name == "default_data_collator"
    labels = found.fact(Labels)
    assert (labels.kind, labels.per_token) == ("int", True)
    assert found.fact(Batch).arrays["labels"].shape == (8, 32)
    assert len(found.fact(Forward).row_losses) == 8


def test_validation_data_of_its_own_is_taken(decoder: str, lines: str, tmp_path: Path) -> None:
    other = tmp_path / "eval.txt"
    other.write_text(Path(lines).read_text(encoding="utf-8")[:20_000], encoding="utf-8")
    prepared = Run(causal(decoder, lines, block_size=16, eval_file=str(other)))
    texts = Path(lines).read_text(encoding="utf-8").splitlines(keepends=True)
    train = prepared.load_data(Split.TRAIN)
    assert len(train) == len(blocks_by_the_script(decoder, texts, 16))
    assert 0 < len(prepared.load_data(Split.EVAL)) < len(train)


def test_of_much_text_only_the_first_lots_are_tokenised(
    decoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "much.txt"
    path.write_text("some words and more of them\n" * 5000, encoding="utf-8")
    monkeypatch.setattr(language, "ENOUGH", 40_000)
    found = run(causal(decoder, str(path), block_size=16, eval_percent=0))
    with pytest.raises(Unavailable, match="known only when all are tokenised"):
        found.fact(Rows)
    texts = path.read_text(encoding="utf-8").splitlines(keepends=True)
    data = found.part("train_data")
    assert data.rows([0, -1]) == [data.rows([0])[0], data.rows([len(data.raw) - 1])[0]]
    assert [row["input_ids"] for row in data.rows(range(len(data.raw)))] == (
        blocks_by_the_script(decoder, texts[:2000], 16)
    )
    assert found.fact(Batch).arrays["input_ids"].shape == (8, 16)
    limited = run(causal(decoder, str(path), block_size=16, eval_percent=0, max_train_rows=20))
    assert limited.fact(Rows).used == 20
    monkeypatch.setattr(language, "TOO_LONG", 1000)
    with pytest.raises(Unavailable, match="too many to tokenise"):
        run(causal(decoder, str(path), block_size=16)).fact(Batch)


def test_the_masked_run_goes_through(model_folder: str, lines: str) -> None:
    found = run(masked(model_folder, lines, max_length=32))
    data = found.part("train_data")
    texts = Path(lines).read_text(encoding="utf-8").splitlines()
    expected = blocks_by_the_script(model_folder, texts[round(len(texts) * 0.05) :], 32)
    assert [row["input_ids"] for row in data.rows(range(len(data)))] == expected
    assert set(data.column_names) == {
        "input_ids",
        "token_type_ids",
        "attention_mask",
        "special_tokens_mask",
    }
    collator = found.fact(Collator)
    assert (collator.name, collator.makes_labels) == ("DataCollatorForLanguageModeling", True)
    assert found.fact(Batch).arrays["labels"].shape == (8, 32)
    with pytest.raises(Unavailable, match="the data has no labels"):
        found.fact(Labels)
    assert found.fact(Forward).known("loss")


def test_line_by_line_leaves_out_what_is_blank(model_folder: str, lines: str) -> None:
    data = Run(
        masked(model_folder, lines, max_length=32, line_by_line=True, eval_percent=0)
    ).load_data(Split.TRAIN)
    texts = [t for t in Path(lines).read_text(encoding="utf-8").splitlines() if t.strip()]
    assert len(data) == len(texts) == 60
    assert "text" not in data.column_names
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    made = tokenizer(texts[:3], truncation=True, max_length=32)
    assert [row["input_ids"] for row in data.rows(range(3))] == made["input_ids"]
