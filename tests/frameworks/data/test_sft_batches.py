"""What `pipedoctor batch` shows of TRL's SFTTrainer: the answer is learned, the rest is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from language_pipelines import CHATML, chats, completions, dataset, sft, texts, tokenizer

from pipedoctor import Split, frameworks
from pipedoctor.facts import Preview
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.report import Report
from pipedoctor.reporters import batch

pytest.importorskip("trl")


def told(trainer: Any) -> tuple[list[tuple[str, str]], list[Any], Any]:
    """Return the pieces that are shown with their styles, the lines, and the figures."""
    parts = Parts(frameworks.unpack(trainer))
    figures = Pipeline(parts, frameworks.probes(parts)).fact(Preview, Split.TRAIN).figures()
    report = Report("train.py", (), figures={"Preview": ({"split": "train", **figures},)})
    lines = list(batch.lines(report, 100))
    return [piece for line in lines for piece in line], lines, figures


def styled(pieces: list[tuple[str, str]], style: str) -> str:
    return "".join(text for text, one in pieces if one == style)


def shown(lines: list[Any], row: int) -> list[str]:
    """Return the lines of a row as they are read."""
    plain = ["".join(text for text, _ in line).rstrip() for line in lines]
    begin = next(n for n, line in enumerate(plain) if line.startswith(f"  row {row}  "))
    end = next(n for n in range(begin + 1, len(plain)) if not plain[n].startswith("    "))
    return plain[begin:end]


def test_only_the_completion_is_learned(tmp_path: Path) -> None:
    rows = [{"prompt": "what is the sea", "completion": " a small river"}] * 8
    pieces, lines, figures = told(sft(tmp_path, dataset(rows), tokenizer()))

    assert shown(lines, 0) == [
        "  row 0  8 tokens · 4 of 8 labels are learned, at 4 to 7",
        "         -100 │ what is the sea",
        "      learned │ a small river </s>",
    ]
    assert "smallriver" in styled(pieces, "green").replace(" ", "")
    assert "whatisthesea" in styled(pieces, "dim").replace(" ", "")
    assert figures["labels"]["counts"] == {"-100": 32, "learned": 32}


def test_only_the_words_of_the_assistant_are_learned(tmp_path: Path) -> None:
    talk = [
        {"role": "user", "content": "what is the sea"},
        {"role": "assistant", "content": "a small river"},
        {"role": "user", "content": "what"},
        {"role": "assistant", "content": "the answer"},
    ]
    rows = [{"messages": talk}] * 8
    made = tokenizer(template=CHATML)
    pieces, lines, figures = told(sft(tmp_path, dataset(rows), made, assistant_only_loss=True))

    words = [
        line.partition(" │ ")[2] for line in shown(lines, 0) if line.startswith("      learned")
    ]
    assert words == ["a small river<|im_end|>", "the answer<|im_end|>"]
    assert "user" not in styled(pieces, "green")
    (remark,) = [one for one in figures["remarks"] if one["what"] == "end-token"]
    assert remark["text"].endswith(": what is learned ends with <|im_end|> in each")
    assert not remark["strikes"]


@pytest.mark.parametrize("packed", [False, True])
def test_of_plain_texts_everything_is_learned(tmp_path: Path, packed: bool) -> None:
    more = {"packing": True, "max_length": 64} if packed else {}
    data = dataset([{"text": text} for text in texts(48)])
    _, _, figures = told(sft(tmp_path, data, tokenizer(), **more))

    counts = figures["labels"]["counts"]
    assert not counts["-100"]
    assert counts["learned"] > 48 * 4


@pytest.mark.parametrize("made", [chats, completions])
def test_what_is_shown_of_all_rows_is_what_the_collator_makes(tmp_path: Path, made: Any) -> None:
    words = {"assistant_only_loss": True} if made is chats else {}
    trainer = sft(tmp_path, made(24), tokenizer(template=CHATML), **words)
    _, _, figures = told(trainer)

    labels = [one for row in trainer.train_dataset for one in row["labels"]]
    counts = figures["labels"]["counts"]
    assert counts == {"-100": labels.count(-100), "learned": len(labels) - labels.count(-100)}
